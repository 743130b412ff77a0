"""What the checksum of a month notices, and what it takes for the same."""

from __future__ import annotations

import io
from collections.abc import Generator
from dataclasses import dataclass
from itertools import combinations
from typing import LiteralString, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bed.archiving import METRICS, Attic, own, stored
from bed.clusters import LiveDatabase, statement
from pgtend.archive.cold import CREATE_SCRATCH, SCRATCH, load
from pgtend.archive.columns import Layout
from pgtend.archive.errors import HashedOtherwise
from pgtend.archive.facts import READ_COLUMNS
from pgtend.archive.memory import units_of
from pgtend.archive.model import Unit
from pgtend.archive.restoring import Desk
from pgtend.archive.seal import digest
from pgtend.archive.tables import find, partition_of
from pgtend.postgres.identifiers import Composable
from pgtend.postgres.rowhash import ALGORITHM
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Query

ODD = "public.odd"
# Every column has 40 values that differ from row to row; a few of the same type lie side by side.
KINDS = {
    "flag": ("bool", "x <= 20"),
    "small": ("int2", "x"),
    "whole": ("int4", "x * 1000"),
    "other": ("int4", "x * 1000 + 500"),
    "big": ("int8", "x::int8 << 32"),
    "bigger": ("int8", "x::int8 << 40"),
    "score": ("float4", "x / 8.0"),
    "precise": ("float8", "x / 7.0"),
    "price": ("numeric", "x / 100.0"),
    "word": ("text", "'word ' || x"),
    "letters": ("char(5)", "chr(64 + x)"),
    "day": ("date", "date '1999-12-20' + x"),
    "moment": ("timestamp", "timestamp '1999-12-30' + x * interval '1 hour'"),
    "clock": ("time", "time '00:00' + x * interval '1 minute'"),
    "span": ("interval", "x * interval '1 hour'"),
    "code": ("uuid", "md5(x::text)::uuid"),
    "bytes": ("bytea", "int4send(x)"),
    "notes": ("jsonb", "jsonb_build_object('x', x)"),
    "tags": ("text[]", "ARRAY[x::text, NULL]"),
}
# Values that must have different hashes: what is equal and not the same, what folds to the same 32 bits, and nothing.
UNLIKE: dict[str, list[str]] = {
    "bool": ["true", "false"],
    "int2": ["0", "-1", "1"],
    "int4": ["0", "-1", "1"],
    "int8": ["0", "1", "-1", "4294967295", "4294967296", "-4294967296", "9223372036854775807", "-9223372036854775808"],
    "float4": ["0", "-0", "1", "NaN", "Infinity", "-Infinity"],
    "float8": ["0", "-0", "1", "-1", "NaN", "Infinity", "-Infinity"],
    "numeric": ["0", "0.0", "1", "-1", "1.0", "1.00", "10000", "NaN"],
    "text": ["", " ", "a", "A", "a "],
    "bpchar": ["", " ", "a", "a "],
    "bytea": ["", "\\x00", "\\x0000"],
    "date": ["2000-01-01", "infinity", "-infinity", "5874897-12-31", "4713-01-01 BC"],
    "timestamp": ["2000-01-01", "infinity", "-infinity", "294276-12-31", "4713-01-01 BC"],
    "timestamptz": ["2000-01-01 00:00+00", "2000-01-01 00:00+01", "infinity", "-infinity", "294276-12-31 00:00+00"],
    "time": ["00:00", "24:00", "00:00:00.000001"],
    "interval": ["0", "1 day", "24 hours", "1 mon", "30 days"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"],
    "json": ["{}", "{ }", '{"a":1}'],
    "jsonb": ["{}", "null", "1.0", "1.00"],
}


@pytest.fixture
def odd(attic: Attic) -> Generator[Desk]:
    """Archive a table with 40 rows of one month that has columns of many types, and sit down before it."""
    declared = ", ".join(f"{name} {kind}" for name, (kind, _) in KINDS.items())
    values = ", ".join(value for _, value in KINDS.values())
    attic.live.run(
        f"CREATE TABLE {ODD} (id int PRIMARY KEY, at timestamptz NOT NULL, {declared})",
        f"INSERT INTO {ODD} SELECT x, timestamptz '2025-10-01' + x * interval '1 hour', {values}"
        " FROM generate_series(1, 40) AS x",
    )
    own(attic.live, ODD)
    attic.tables = {ODD: {"by": "at"}}
    assert attic.run().rows == 40
    with attic.desk(ODD) as desk:
        yield desk


@dataclass(frozen=True)
class Hashed:
    """One row: its values, and the number that was made of them."""

    words: str
    hash: int


def month_of(desk: Desk) -> Unit:
    """Find the one month that there is."""
    (unit,) = units_of(desk.session, desk.shelf.names)
    return unit


def checksum(desk: Desk, table: Composable) -> str:
    """Hash a table as the archive does."""
    return digest(desk.session, table, month_of(desk), desk.shelf.layout).checksum


def checksum_after(desk: Desk, change: str) -> str:
    """Change the month, hash it, and take the change back."""
    table = partition_of(month_of(desk))
    with desk.session.connection.transaction(force_rollback=True):
        desk.session.run(statement(change))
        return checksum(desk, table)


def exchanged(column: str, one: int) -> str:
    """Write the statement by which a row swaps a value with the twentieth after it."""
    other = one + 20
    return f"""
    UPDATE public.odd_archive AS here SET {column} = there.{column} FROM public.odd_archive AS there
    WHERE (here.id, there.id) IN (({one}, {other}), ({other}, {one}))
    """


def test_no_two_rows_swap_a_value_unnoticed(odd: Desk) -> None:
    """Each column, for twenty pairs of rows: a sum that is linear in the columns would stay as it was."""
    before = month_of(odd).checksum
    swaps = [(column, row) for column in KINDS for row in range(1, 21)]
    assert [swap for swap in swaps if checksum_after(odd, exchanged(*swap)) == before] == []


def test_no_row_swaps_two_of_its_values_unnoticed(odd: Desk) -> None:
    """Columns of the same type have different hashes of the same value."""
    before = month_of(odd).checksum
    for pair in (("whole", "other"), ("big", "bigger")):
        swap = "UPDATE public.odd_archive SET ({0}, {1}) = ({1}, {0}) WHERE id = 7"
        assert checksum_after(odd, swap.format(*pair)) != before


def test_values_that_moved_on_by_a_row_are_noticed(odd: Desk) -> None:
    """All rows have the value of the next: nothing was lost, and nothing is right."""
    before = month_of(odd).checksum
    shift = (
        "UPDATE public.odd_archive AS here SET {0} = there.{0} FROM public.odd_archive AS there WHERE there.id = {1}"
    )
    moved = {column: checksum_after(odd, shift.format(column, "mod(here.id, 40) + 1")) for column in KINDS}
    assert [column for column, after in moved.items() if after == before] == []


def test_a_checksum_is_the_same_number_on_every_server(odd: Desk) -> None:
    """A ledger outlives the version that it was written by, and so does a month in the vault."""
    assert month_of(odd).checksum == "26869568293025231996"
    assert checksum(odd, partition_of(month_of(odd))) == "26869568293025231996"


def test_checksums_of_another_version_are_not_called_damage(attic: Attic) -> None:
    """What cannot be compared is neither right nor wrong: nothing is moved, sealed or shown until somebody looked."""
    assert attic.run().sealed == 4
    attic.live.run("COMMENT ON COLUMN pgtend_archive.unit.checksum IS 'crc32'")
    for act in (attic.plan, attic.run, attic.units):
        with pytest.raises(HashedOtherwise, match="that this version cannot compare") as caught:
            act()
        assert "They are said to be 'crc32'" in caught.value.detail
    attic.live.run(f"COMMENT ON COLUMN pgtend_archive.unit.checksum IS '{ALGORITHM}'")
    assert attic.run().sealed == 0


def test_a_file_in_which_two_rows_swapped_a_value_is_found_out(attic: Attic) -> None:
    """A cold month is held against the ledger by what it holds once it is loaded."""
    attic.tables = {METRICS: {"by": "date", "tier": "cold"}}
    attic.run()
    table = pq.read_table(io.BytesIO(stored(attic, "2025-09", ".age")))
    with attic.desk() as desk:
        unit = attic.unit("2025-09")
        assert _loaded(desk, unit, table) == unit.checksum
        for name in ("user_id", "date", "diet_score"):
            for row in range(0, 40, 2):
                values = table.column(name).to_pylist()
                values[row], values[row + 1] = values[row + 1], values[row]
                swapped = table.set_column(
                    table.schema.get_field_index(name),
                    table.schema.field(name),
                    pa.array(values, table.schema.field(name).type),
                )
                assert _loaded(desk, unit, swapped) != unit.checksum, (name, row)


def _loaded(desk: Desk, unit: Unit, table: pa.Table) -> str:
    """Write a file, load it as a month from the vault is loaded, and hash it."""
    file = io.BytesIO()
    pq.write_table(table, file)
    file.seek(0)
    with desk.session.connection.transaction(force_rollback=True):
        desk.session.run(CREATE_SCRATCH, archive=desk.shelf.names.archive)
        load(desk.session, file, SCRATCH, desk.shelf.layout, "a file")
        return digest(desk.session, SCRATCH, unit, desk.shelf.layout).checksum


def test_values_that_are_not_the_same_have_different_hashes(database: LiveDatabase) -> None:
    """Two columns with every pair of such values, or with nothing: no two rows are alike, and no two places."""
    with database.session() as session:
        alike = {kind: _alike(session, kind, values) for kind, values in UNLIKE.items()}
    assert {kind: pairs for kind, pairs in alike.items() if pairs} == {}


def _alike(session: Session, kind: str, values: list[str]) -> list[tuple[str, str]]:
    """Fill a table with all pairs of some values, and list the rows that have the same hash."""
    session.run(statement(f"CREATE TABLE public.pairs_of_{kind} (at date, one {kind}, two {kind})"))
    listed = ", ".join(["(NULL)", *(f"('{value}')" for value in values)])
    pairs = f"SELECT '2025-10-01', a.v::{kind}, b.v::{kind} FROM (VALUES {listed}) AS a (v), (VALUES {listed}) AS b (v)"
    session.run(statement(f"INSERT INTO public.pairs_of_{kind} {pairs}"))
    relation = find(session, "public", f"pairs_of_{kind}")
    assert relation is not None
    columns = session.rows(READ_COLUMNS, {"relation": relation.oid})
    read = "SELECT concat_ws('|', one, two) AS words, {hashed} AS hash FROM public.pairs_of_" + kind
    query = Query(name="hashes of a test", text=cast("LiteralString", read), row=Hashed, purpose="test")
    rows = session.rows(query, hashed=Layout(columns=columns, by=columns[0], zone="UTC").hashed)
    assert len(rows) == (len(values) + 1) ** 2
    return [(a.words, b.words) for a, b in combinations(rows, 2) if a.hash == b.hash]
