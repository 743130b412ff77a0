"""Seals a month: keyed, frozen, counted and hashed again; what differs from the ledger is never mended by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.archive.columns import Layout
from pgtend.archive.errors import SealBroken
from pgtend.archive.memory import move_on, reopen, rewrite, units_of
from pgtend.archive.model import State, Unit
from pgtend.archive.names import SCHEMA, Names
from pgtend.archive.tables import Shelf, find, partition_of
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.errors import RowsBroken
from pgtend.postgres.identifiers import Composable, column, columns
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a table of one month holds."""

    rows: int
    checksum: str
    is_one_month: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """Which indexes a month has, and what it weighs with them."""

    has_key: bool
    has_brin: bool
    is_packed: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A month that was sealed."""

    unit: Unit
    rows: int
    checksum: str
    size: Bytes


DIGEST_ROWS = query(__package__ or "", "digest_rows", Digest)
READ_INDEXES = query(__package__ or "", "read_indexes", Indexes)
ADD_KEY = command(__package__ or "", "add_key")
ADD_BRIN = command(__package__ or "", "add_brin")
FREEZE_MONTH = command(__package__ or "", "freeze_month")


def seal_month(shelf: Shelf, unit: Unit) -> Sealed | None:
    """Seal one month, or page someone; none when two of its rows have one key, which only a person can put right."""
    session, partition = shelf.session, partition_of(unit)
    oid = oid_of(session, unit)
    indexes = session.row(READ_INDEXES, {"relation": oid})
    if shelf.facts.key and not indexes.has_key and not _add_key(shelf, unit):
        return None
    if not indexes.has_brin:
        session.run(ADD_BRIN, partition=partition, time=column(shelf.layout.by.name))
    session.run(FREEZE_MONTH, partition=partition)
    with session.transaction():
        found = digest(session, partition, unit, shelf.layout)
        if unit.is_uncounted:
            rewrite(session, unit, found.rows, found.checksum, shelf.layout.described)
        else:
            compare(shelf.names, unit, found, "its table")
        move_on(session, unit, State.SEALED)
    size = session.row(READ_INDEXES, {"relation": oid}).size
    return Sealed(unit=unit, rows=found.rows, checksum=found.checksum, size=Bytes(size))


def _add_key(shelf: Shelf, unit: Unit) -> bool:
    """Give a month its key; tell whether no two of its rows have the same."""
    try:
        shelf.session.run(ADD_KEY, partition=partition_of(unit), columns=columns(shelf.facts.key))
    except RowsBroken:
        return False
    return True


def verify_month(shelf: Shelf, unit: Unit) -> Digest:
    """Look whether a month still holds what the ledger says, or page someone."""
    found = digest(shelf.session, partition_of(unit), unit, shelf.layout)
    compare(shelf.names, unit, found, "its table")
    return found


def count_whole(shelf: Shelf) -> None:
    """Count the months that came as whole partitions, before anything is added to them or taken out of them."""
    for unit in units_of(shelf.session, shelf.names):
        if unit.is_uncounted:
            with shelf.session.transaction():
                found = digest(shelf.session, partition_of(unit), unit, shelf.layout)
                rewrite(shelf.session, unit, found.rows, found.checksum, shelf.layout.described)


def catch_up(shelf: Shelf) -> None:
    """Let the ledger say of every month what it holds by the columns of today, before rows are taken out of one."""
    count_whole(shelf)
    follow_columns(shelf, units_of(shelf.session, shelf.names))


def follow_columns(shelf: Shelf, units: Sequence[Unit]) -> int:
    """Hash months by the columns that the table has now, each only after it was found right by those it had."""
    told = 0
    for unit in units:
        is_told = list(unit.columns) == shelf.layout.described or unit.is_uncounted
        if is_told or not unit.stands.is_in_database:
            continue
        known = {one.described for one in shelf.layout.columns}
        before = [one for one in shelf.layout.columns if one.described in unit.columns]
        with shelf.session.transaction():
            if set(unit.columns) <= known:
                as_it_was = Layout(columns=before, by=shelf.layout.by, zone=shelf.layout.zone)
                compare(shelf.names, unit, digest(shelf.session, partition_of(unit), unit, as_it_was), "its table")
            now = digest(shelf.session, partition_of(unit), unit, shelf.layout)
            if now.rows != unit.rows:
                compare(shelf.names, unit, now, "its table")
            rewrite(shelf.session, unit, now.rows, now.checksum, shelf.layout.described)
            if unit.stands in {State.STORED, State.PROVEN} and not set(shelf.layout.described) <= set(unit.columns):
                # What was stored lacks a column, and the archive may have values in it.
                reopen(shelf.session, unit)
        told += 1
    return told


def digest(session: Session, table: Composable, unit: Unit, layout: Layout) -> Digest:
    """Count and hash the rows of a month, wherever they are."""
    return session.row(DIGEST_ROWS, table=table, hashed=layout.hashed, within=layout.within(unit.month))


def compare(names: Names, unit: Unit, found: Digest, where: str) -> None:
    """Hold what was found against the ledger."""
    wrong = [
        what
        for what, differs in (
            (f"{counted(found.rows, 'row')} instead of {unit.rows:,}", found.rows != unit.rows),
            ("rows of another month", not found.is_one_month),
            ("rows with another content", found.rows == unit.rows and found.checksum != unit.checksum),
        )
        if differs
    ]
    if wrong:
        raise SealBroken(
            f"{names} {unit.label} is not what was moved",
            detail=f"In {where} there are {', and '.join(wrong)}. The month stays {unit.state}.",
            hint="Somebody wrote into the archive, or something on it changes rows: follow "
            "docs/runbooks/archive-seal-broken.md.",
        )


def oid_of(session: Session, unit: Unit) -> int:
    """Find the table of a month, or page someone when it is gone."""
    found = find(session, SCHEMA, unit.partition)
    if found is None:
        raise SealBroken(
            f"the table of month {unit.label} is gone",
            detail=f"The ledger says that {SCHEMA}.{unit.partition} holds {counted(unit.rows, 'row')}.",
            hint="Somebody dropped it: restore it from a backup, and follow docs/runbooks/archive-seal-broken.md.",
        )
    return found.oid
