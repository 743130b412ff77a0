"""What a table holds, as two numbers: taken in the snapshot of a backup, and again wherever it is restored."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pgtend.backup.facts import (
    COUNT_ROWS,
    FINGERPRINT_LARGE_OBJECTS,
    FINGERPRINT_SAMPLE,
    FINGERPRINT_TABLE,
    HOLD_STILL,
    PIN_SETTING,
    READ_FILLED,
    Relation,
    RowsHashed,
)
from pgtend.backup.model import Look
from pgtend.backup.record import PINNED_SETTINGS, Coverage, Fingerprint, Table, TableName
from pgtend.fleet.model import Limits
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.address import Address
from pgtend.postgres.identifiers import number, relation
from pgtend.postgres.rowhash import HashedColumn, hash_of_row
from pgtend.postgres.session import Session, open_session

OBJECTS = TableName(schema="pg_catalog", name="pg_largeobject")
_WORTH_A_QUESTION = Bytes.parse("8 MB")


@contextmanager
def reader(address: Address, limits: Limits, *, application: str) -> Generator[Session]:
    """Open a session in which rows look the same in text on every server."""
    with open_session(address, limits, application=application) as session:
        for name, value in PINNED_SETTINGS.items():
            session.row(PIN_SETTING, {"name": name, "value": value})
        session.row(HOLD_STILL)
        yield session


def work_alone(session: Session) -> None:
    """Let a session work without helpers of the server: they would take cores from others who have work to do."""
    session.row(PIN_SETTING, {"name": "max_parallel_workers_per_gather", "value": "0"})


def hash_rows(session: Session, look: Look) -> RowsHashed:
    """Count a table's rows and hash those that are covered."""
    table = relation(look.table.schema, look.table.name)
    every = hashed_columns(session, look.table)
    match look.coverage:
        case Coverage.FULL:
            return session.row(FINGERPRINT_TABLE, table=table, hashed=hash_of_row(every))
        case Coverage.SAMPLE:
            key = hash_of_row(one for one in every if one.name in look.table.key)
            return session.row(
                FINGERPRINT_SAMPLE, table=table, hashed=hash_of_row(every), key=key, one_in=number(look.one_in)
            )
        case Coverage.ROWS | Coverage.NONE:
            return session.row(COUNT_ROWS, table=table)


def hash_large_objects(session: Session) -> RowsHashed:
    """Count the large objects and hash what is in them."""
    return session.row(FINGERPRINT_LARGE_OBJECTS)


def fingerprint_of_objects(hashed: RowsHashed) -> Fingerprint:
    """Write down what was seen of large objects, under the name of the catalogue in which they lie."""
    return Fingerprint(schema=OBJECTS.schema_name, name=OBJECTS.name, digest=hashed.digest)


def hashed_columns(session: Session, table: Relation) -> list[HashedColumn]:
    """List the columns of a table by name; of a large one, statistics say where no NULL is to be expected."""
    if table.size < _WORTH_A_QUESTION or all(table.required):
        return table.hashed
    filled = {one.name for one in session.rows(READ_FILLED, {"schema": table.schema, "table": table.name})}
    return [replace(one, is_required=one.is_required or one.name in filled) for one in table.hashed]


def as_looked_at(relations: Sequence[Relation], tables: Sequence[Table]) -> list[Look]:
    """Look at a restored table in the way in which its original was looked at."""
    original = {(table.schema_name, table.name): table for table in tables}
    return [
        Look(table=one, coverage=known.coverage, one_in=known.one_in)
        for one in relations
        if one.holds_rows and (known := original.get((one.schema, one.name))) is not None
    ]


def as_fingerprint(look: Look, hashed: RowsHashed) -> Fingerprint:
    """Write down what was seen."""
    sampled = look.coverage is Coverage.SAMPLE
    return Fingerprint(
        schema=look.table.schema,
        name=look.table.name,
        digest=hashed.digest,
        one_in=look.one_in,
        key=tuple(look.table.key) if sampled else (),
    )
