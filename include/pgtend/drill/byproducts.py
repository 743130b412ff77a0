"""What a drill finds out by the way: how large each table and index is when it was just built, without a hole in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.drill.provision import Copy
from pgtend.sqlfiles import command, query

_ROOM = __package__ or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSize:
    """An index that was built this minute."""

    schema_name: str
    table_name: str
    index_name: str
    definition_sha256: str
    """Of `pg_get_indexdef`: a size means something only for the same definition."""
    size: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """A table that was filled this minute."""

    schema_name: str
    table_name: str
    definition_sha256: str
    """Of its columns and their types, in their order."""
    size: int
    toast_size: int
    rows: int


@dataclass(frozen=True, slots=True)
class ExactSizes:
    """All of them."""

    tables: tuple[TableSize, ...] = ()
    indexes: tuple[IndexSize, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexExactSize:
    """A row of evidence about an index."""

    database: str
    schema_name: str
    table_name: str
    index_name: str
    definition_sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableExactSize:
    """A row of evidence about a table."""

    database: str
    schema_name: str
    table_name: str
    definition_sha256: str
    bytes: int
    toast_bytes: int
    rows: int


READ_INDEX_SIZES = query(_ROOM, "read_index_sizes", IndexSize)
READ_TABLE_SIZES = query(_ROOM, "read_table_sizes", TableSize)
RECORD_INDEX_SIZE = command(_ROOM, "record_index_size")
RECORD_TABLE_SIZE = command(_ROOM, "record_table_size")


def measure(copy: Copy) -> ExactSizes:
    """Read the sizes of the copy."""
    with copy.session() as session:
        return ExactSizes(tuple(session.rows(READ_TABLE_SIZES)), tuple(session.rows(READ_INDEX_SIZES)))


def index_rows(database: str, found: Sequence[IndexSize]) -> list[IndexExactSize]:
    """Write the sizes of indexes for the ledger."""
    return [
        IndexExactSize(
            database=database,
            schema_name=one.schema_name,
            table_name=one.table_name,
            index_name=one.index_name,
            definition_sha256=one.definition_sha256,
            bytes=one.size,
            rows=one.rows,
        )
        for one in found
    ]


def table_rows(database: str, found: Sequence[TableSize]) -> list[TableExactSize]:
    """Write the sizes of tables for the ledger."""
    return [
        TableExactSize(
            database=database,
            schema_name=one.schema_name,
            table_name=one.table_name,
            definition_sha256=one.definition_sha256,
            bytes=one.size,
            toast_bytes=one.toast_size,
            rows=one.rows,
        )
        for one in found
    ]
