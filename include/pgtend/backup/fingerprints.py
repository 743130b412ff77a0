"""What a table holds, as two numbers: taken in the snapshot of a backup, and again wherever it is restored."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import LiteralString

from pgtend.backup.facts import (
    COUNT_ROWS,
    FINGERPRINT_SAMPLE,
    FINGERPRINT_SAMPLE_BY_TEXT,
    FINGERPRINT_TABLE,
    FINGERPRINT_TABLE_BY_TEXT,
    HOLD_STILL,
    PIN_SETTING,
    Relation,
    RowsHashed,
)
from pgtend.backup.model import Look
from pgtend.backup.record import PINNED_SETTINGS, Coverage, Fingerprint, Hashing, Table
from pgtend.fleet.model import Limits
from pgtend.postgres.address import Address
from pgtend.postgres.identifiers import Composable, column, columns, expression, listed, number, relation
from pgtend.postgres.session import Session, open_session

_HASHED: Mapping[str, LiteralString] = {
    "value": "{value}",
    # Another collation may call two texts equal that are not, and hash them alike.
    "characters": '{value} COLLATE "C"',
    # By their bytes: zero and minus zero are equal, and of eight bytes their types hash four.
    "bigint": "int8send({value})",
    "real": "float4send({value})",
    "double precision": "float8send({value})",
    "time without time zone": "time_send({value})",
    "timestamp without time zone": "timestamp_send({value})",
    "timestamp with time zone": "timestamptz_send({value})",
    # As a row and not as a cast to text, which drops the blanks of char(n), and which anybody may redefine.
    "look": 'ROW({value})::text COLLATE "C"',
}


@contextmanager
def reader(address: Address, limits: Limits, *, application: str) -> Generator[Session]:
    """Open a session in which rows look the same in text on every server."""
    with open_session(address, limits, application=application) as session:
        for name, value in PINNED_SETTINGS.items():
            session.row(PIN_SETTING, {"name": name, "value": value})
        session.row(HOLD_STILL)
        yield session


def hash_rows(session: Session, look: Look) -> RowsHashed:
    """Count a table's rows and hash those that are covered."""
    table = relation(look.table.schema, look.table.name)
    by_text = look.hashing is Hashing.TEXT
    every = columns(look.table.columns) if by_text else _hashed(look.table, look.table.columns)
    match look.coverage:
        case Coverage.FULL:
            asked = FINGERPRINT_TABLE_BY_TEXT if by_text else FINGERPRINT_TABLE
            return session.row(asked, table=table, columns=every)
        case Coverage.SAMPLE:
            asked = FINGERPRINT_SAMPLE_BY_TEXT if by_text else FINGERPRINT_SAMPLE
            key = columns(look.table.key) if by_text else _hashed(look.table, look.table.key)
            return session.row(asked, table=table, columns=every, key=key, one_in=number(look.one_in))
        case Coverage.ROWS | Coverage.NONE:
            return session.row(COUNT_ROWS, table=table)


def _hashed(table: Relation, names: Sequence[str]) -> Composable:
    """Write columns the way in which they are hashed."""
    by = dict(zip(table.columns, table.hashed_by, strict=True))
    return listed(expression(_HASHED[by[name]], value=column(name)) for name in names)


def as_looked_at(relations: Sequence[Relation], tables: Sequence[Table], kept: Mapping[str, Fingerprint]) -> list[Look]:
    """Look at a restored table in the way in which its original was looked at."""
    original = {(table.schema_name, table.name): table for table in tables}
    return [
        Look(table=one, coverage=known.coverage, one_in=known.one_in, hashing=_hashing(kept.get(str(known))))
        for one in relations
        if one.holds_rows and (known := original.get((one.schema, one.name))) is not None
    ]


def _hashing(kept: Fingerprint | None) -> Hashing:
    return kept.hashing if kept else Hashing.TYPES


def as_fingerprint(look: Look, hashed: RowsHashed) -> Fingerprint:
    """Write down what was seen."""
    sampled = look.coverage is Coverage.SAMPLE
    return Fingerprint(
        schema=look.table.schema,
        name=look.table.name,
        digest=hashed.digest,
        hashing=look.hashing,
        one_in=look.one_in,
        key=tuple(look.table.key) if sampled else (),
    )
