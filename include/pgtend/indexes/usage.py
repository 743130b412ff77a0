"""Writes down, night by night and server by server, how large each index is and how much it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgtend.fleet.model import Database
from pgtend.indexes.facts import NOTE_INDEXES, READ_INDEXES, READ_MOMENT, IndexFacts, IndexLook
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session, open_session

PIPELINE = "index_usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """All indexes of a database on one server, at one moment."""

    node: str
    read_at: datetime
    indexes: tuple[IndexFacts, ...]


def standbys_of(database: Database) -> tuple[str, ...]:
    """Name the connections that lead to the standbys of a database."""
    return tuple(replica.connection for replica in database.statements.replicas.values())


def collect_indexes(session: Session, node: str) -> Census:
    """Look at every index of the database on one server."""
    read_at = session.row(READ_MOMENT).read_at
    return Census(node=node, read_at=read_at, indexes=tuple(session.rows(READ_INDEXES)))


def note_usage(
    database: Database, addresses: Mapping[str, Address], ledger: Ledger, subject: Subject, progress: Progress
) -> tuple[Census, ...]:
    """Write down size and use of every index on the primary and on each standby; `addresses` are by connection."""
    with ledger.run(subject) as run:
        taken: list[Census] = []
        for node, address in addresses.items():
            with open_session(address, database.limits, application=f"pgtend:{PIPELINE}:{database.name}") as session:
                census = collect_indexes(session, node)
                run.add(NOTE_INDEXES, [look_of(database.name, session, census)])
            progress(f"{database.name}: {counted(len(census.indexes), 'index')} seen through '{node}'")
            taken.append(census)
        return tuple(taken)


def look_of(database: str, session: Session, census: Census) -> IndexLook:
    """Turn a census into what the ledger takes; temporary indexes have no history."""
    facts = session.facts
    kept: Sequence[IndexFacts] = [index for index in census.indexes if not index.is_temporary]
    return IndexLook(
        at=census.read_at,
        database=database,
        node=census.node,
        system_identifier=facts.system_identifier,
        is_standby=facts.is_standby,
        server_started_at=facts.started_at,
        schemas=[index.schema for index in kept],
        tables=[index.table_name for index in kept],
        names=[index.name for index in kept],
        oids=[index.oid for index in kept],
        definitions=[index.definition for index in kept],
        sizes=[index.size for index in kept],
        row_counts=[index.rows for index in kept],
        scan_counts=[index.scans for index in kept],
        entry_counts=[index.entries_read for index in kept],
        valid=[index.is_valid for index in kept],
    )
