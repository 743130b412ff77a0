"""A month as a Parquet file that every reader of the format understands, and back into rows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final, LiteralString

import pyarrow as pa
import pyarrow.compute as pac
import pyarrow.csv as pc
import pyarrow.parquet as pq

from pgtend.archive.columns import Layout
from pgtend.archive.errors import UnreadableMonth
from pgtend.archive.facts import ColumnFacts
from pgtend.postgres.identifiers import Composable, column, expression, listed

LEVEL: Final = 3
ROW_GROUP: Final = 131_072
PIECE: Final = 8 << 20
_TYPES: Final[Mapping[str, pa.DataType]] = {
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "bool": pa.bool_(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
_MOMENTS: Final = frozenset({"timestamp", "timestamptz"})
_DELTA: Final = frozenset({"int2", "int4", "int8", "date", "timestamp", "timestamptz"})
_EPOCH: Final[LiteralString] = "(extract(epoch FROM {column}) * 1000000)::bigint"


def arrow_type(one: ColumnFacts, *, infinite: frozenset[str] = frozenset()) -> pa.DataType:
    """Choose the type a column has in the file; what has no exact one is text, as PostgreSQL writes it."""
    if one.name in infinite:
        return pa.string()
    return _TYPES.get(one.type, pa.string())


def exported(layout: Layout, infinite: frozenset[str]) -> Composable:
    """Write the columns as they are copied out."""
    return listed(
        expression(_EPOCH, column=column(one.name))
        if one.type in _MOMENTS and one.name not in infinite
        else column(one.name)
        for one in layout.columns
    )


def write_month(
    blocks: Iterable[bytes], sink: IO[bytes], layout: Layout, infinite: frozenset[str], footer: Mapping[str, str]
) -> int:
    """Write CSV from the server as Parquet, group by group; tell how many rows it was."""
    try:
        return _write(blocks, sink, layout, infinite, _schema(layout, infinite, footer))
    except pa.ArrowException as error:
        # Its text may quote a value.
        raise UnreadableMonth(
            f"month {footer['month']} of {footer['table']} cannot be written as Parquet",
            detail=f"pyarrow gave up with {type(error).__name__}. The database keeps the month.",
            hint="See docs/runbooks/archive-cold-broken.md.",
        ) from None


def _write(
    blocks: Iterable[bytes], sink: IO[bytes], layout: Layout, infinite: frozenset[str], schema: pa.Schema
) -> int:
    parsed = {
        one.name: pa.int64() if one.type in _MOMENTS and one.name not in infinite else schema.field(one.name).type
        for one in layout.columns
    }
    parsing = pc.ParseOptions(newlines_in_values=True)
    converting = pc.ConvertOptions(
        column_types={**parsed, **{name: pa.string() for name, kind in parsed.items() if kind == pa.bool_()}},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    rows = 0
    delta, rest = _encodings(layout, infinite)
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=rest,
        column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
        write_page_index=True,
        write_page_checksum=True,
    ) as writer:
        for piece in _pieces(blocks):
            # In one block however long it is: a row that does not fit into a block cannot be read.
            reading = pc.ReadOptions(column_names=list(parsed), block_size=len(piece) + 1)
            table = pc.read_csv(io.BytesIO(piece), reading, parsing, converting)
            writer.write_table(_cast(table, schema), row_group_size=ROW_GROUP)
            rows += table.num_rows
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A column of a file, and what its type was called."""

    name: str
    declared: str

    @property
    def described(self) -> str:
        """The column as the ledger remembers it."""
        return f"{self.name} {self.declared}"


def columns_of(file: IO[bytes], key: str) -> Sequence[Written]:
    """Tell which columns a file has, and leave it ready to be read from its beginning."""
    try:
        fields = list(pq.ParquetFile(file).schema_arrow)
    except pa.ArrowException as error:
        raise _unreadable(key, error) from error
    file.seek(0)
    return [Written(name=one.name, declared=(one.metadata or {}).get(b"postgresql", b"").decode()) for one in fields]


def read_rows(file: IO[bytes], key: str) -> Iterator[bytes]:
    """Read a Parquet file as CSV that COPY takes: nothing is nothing, and an empty text is an empty text."""
    options = pc.WriteOptions(include_header=False, quoting_style="all_valid")
    try:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=ROW_GROUP):
            sink = pa.BufferOutputStream()
            pc.write_csv(_as_text(pa.Table.from_batches([batch])), sink, options)
            yield sink.getvalue().to_pybytes()
    except pa.ArrowException as error:
        raise _unreadable(key, error) from error


def _unreadable(key: str, error: pa.ArrowException) -> UnreadableMonth:
    return UnreadableMonth(
        f"'{key}' cannot be read as Parquet",
        detail=f"{type(error).__name__} while it was read; its bytes are those that were stored.",
        hint="See docs/runbooks/archive-cold-broken.md.",
    )


def _schema(layout: Layout, infinite: frozenset[str], footer: Mapping[str, str]) -> pa.Schema:
    fields = [
        pa.field(one.name, arrow_type(one, infinite=infinite), metadata={"postgresql": one.declared})
        for one in layout.columns
    ]
    return pa.schema(fields, metadata={f"pgtend.{name}": value for name, value in footer.items()})


def _encodings(layout: Layout, infinite: frozenset[str]) -> tuple[list[str], list[str]]:
    """Choose what was measured smallest: differences for what rises, dictionaries for what repeats."""
    delta = [one.name for one in layout.columns if one.type in _DELTA and one.name not in infinite]
    return delta, [one.name for one in layout.columns if one.name not in delta]


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    made: list[pa.ChunkedArray] = []
    for field in schema:
        values = table.column(field.name)
        if field.type == pa.bool_():
            made.append(pac.equal(values, "t"))
        else:
            made.append(values.cast(field.type))
    return pa.Table.from_arrays(made, schema=schema)


def _as_text(table: pa.Table) -> pa.Table:
    """Turn moments into text that PostgreSQL reads the same everywhere; the rest the writer knows."""
    made = [
        column.cast(pa.timestamp("us")).cast(pa.string()) if pa.types.is_timestamp(column.type) else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(made, names=table.column_names)


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Gather rows, of which the server sends one at a time, into pieces that are worth the effort of reading them."""
    gathered, size = list[bytes](), 0
    for block in blocks:
        gathered.append(block)
        size += len(block)
        if size >= PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
