"""Writes how a partitioned table gets an index, and loses it, while it is in use. Pure.

PostgreSQL builds no index of a partitioned table concurrently. So the index of the whole is declared first, for no
partition; each partition gets its own, concurrently; when the last one is attached, the index of the whole is valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgtend.postgres.identifiers import column, relation

# All but the builds takes a lock that others wait behind, and gives up rather than let them.
_BRIEFLY = "SET lock_timeout = '5s';"
_PATIENTLY = "RESET lock_timeout;"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition, the index it gets, and the one above it."""

    schema: str
    table: str
    index: str
    above_schema: str
    above_index: str
    is_leaf: bool


def index_all(schema: str, table: str, index: str, shape: str, partitions: Sequence[Partition]) -> str:
    """Write the statements that index a partitioned table; those above come before those below."""
    lines = [_BRIEFLY, _declared(schema, table, index, shape)]
    for one in partitions:
        lines += _indexed(one, shape)
    return "\n".join([*lines, _PATIENTLY])


def drop_all(schema: str, index: str) -> str:
    """Write the statements that take it back, from all partitions at once."""
    return "\n".join([_BRIEFLY, f"DROP INDEX {relation(schema, index).as_string(None)};", _PATIENTLY])


def _indexed(one: Partition, shape: str) -> Iterator[str]:
    if one.is_leaf:
        table = relation(one.schema, one.table).as_string(None)
        yield _PATIENTLY
        yield f"CREATE INDEX CONCURRENTLY {column(one.index).as_string(None)} ON {table} {shape};"
        yield _BRIEFLY
    else:
        yield _declared(one.schema, one.table, one.index, shape)
    above = relation(one.above_schema, one.above_index).as_string(None)
    yield f"ALTER INDEX {above} ATTACH PARTITION {relation(one.schema, one.index).as_string(None)};"


def _declared(schema: str, table: str, index: str, shape: str) -> str:
    return f"CREATE INDEX {column(index).as_string(None)} ON ONLY {relation(schema, table).as_string(None)} {shape};"
