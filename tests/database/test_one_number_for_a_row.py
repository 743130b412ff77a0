"""The number that a row is hashed to: the same on every server, and another for whatever may be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import LiteralString, cast

import pytest

from bed.clusters import LiveDatabase, statement
from pgtend.postgres.identifiers import expression
from pgtend.postgres.rowhash import HashedColumn, hash_of_row
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Query

# Each with two values that are not alike; NULL is the third.
TYPES = {
    "bool": ("true", "false"),
    "int2": ("0", "4"),
    "int4": ("0", "4"),
    "int8": ("0", "4"),
    "oid": ("0", "4"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000004"),
    "float4": ("0", "-0"),
    "float8": ("0", "-0"),
    "text": ("", "4"),
    "varchar": ("", " "),
    "bpchar": ("", "  "),
    "bytea": ("", "\\x04"),
    "date": ("2000-01-01", "infinity"),
    "time": ("00:00", "24:00"),
    "timestamp": ("2000-01-01", "-infinity"),
    "timestamptz": ("2000-01-01 00:00+00", "infinity"),
    "numeric": ("0", "0.0"),
    "json": ("{}", "{ }"),
    "jsonb": ("{}", "null"),
    "interval": ("0", "24 hours"),
    "inet": ("0.0.0.0/32", "::/128"),
    "_text": ("{}", "{NULL}"),
}
OWN = frozenset(TYPES) - {"_text"}


@dataclass(frozen=True)
class Numbered:
    """A row as text, and its number."""

    words: str
    number: int


def hashed(session: Session, columns: Sequence[tuple[str, str]], *, required: bool = False) -> list[Numbered]:
    """Hash the rows of the table `probe`."""
    read = "SELECT probe::text AS words, {hashed} AS number FROM public.probe ORDER BY 1"
    query = Query(name="numbers of rows", text=cast("LiteralString", read), row=Numbered, purpose="test")
    described = (HashedColumn(name=name, type=kind, is_required=required) for name, kind in columns)
    return session.rows(query, hashed=hash_of_row(described))


def alike(rows: Sequence[Numbered]) -> list[tuple[str, str]]:
    """List the rows that have the same number."""
    return [(a.words, b.words) for a, b in combinations(rows, 2) if a.number == b.number]


def filled(session: Session, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | None]]) -> None:
    """Make the table and its rows."""
    session.run(statement("DROP TABLE IF EXISTS public.probe"))
    session.run(statement(f"CREATE TABLE public.probe ({', '.join(f'{name} {kind}' for name, kind in columns)})"))
    values = (", ".join("NULL" if one is None else f"'{one}'" for one in row) for row in rows)
    session.run(statement(f"INSERT INTO public.probe VALUES {', '.join(f'({row})' for row in values)}"))  # noqa: S608


def own(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Say of which type a column is, where it is one of PostgreSQL's own base types."""
    return [(name, kind if kind in OWN else "") for name, kind in columns]


def test_every_type_has_the_same_number_on_every_server(database: LiveDatabase) -> None:
    """Two rows of values and one of nothing, written out: a ledger outlives the version that it was written by."""
    columns = [(f"c{place:02}", kind) for place, kind in enumerate(TYPES)]
    with database.session() as session:
        filled(session, columns, [*zip(*TYPES.values(), strict=True), [None] * len(TYPES)])
        numbers = [row.number for row in hashed(session, own(columns))]
    assert sorted(numbers) == [-2445834966397099415, -550433244567273347, -212301710954357239]


@pytest.mark.parametrize("required", [True, False])
def test_three_columns_of_one_type_tell_all_their_values_apart(database: LiveDatabase, *, required: bool) -> None:
    """27 rows for each type: what moves to another column, becomes NULL or is merely equal makes another row."""
    found: dict[str, list[tuple[str, str]]] = {}
    with database.session() as session:
        for kind, values in TYPES.items():
            columns = [(name, kind) for name in ("a", "b", "c")]
            filled(session, columns, list(product([None, *values], repeat=3)))
            rows = hashed(session, own(columns), required=required)
            assert len(rows) == 27
            found[kind] = alike(rows)
    assert {kind: pairs for kind, pairs in found.items() if pairs} == {}


def test_whatever_is_null_the_number_says_which(database: LiveDatabase) -> None:
    """Eight columns of as many types, each with nothing or with what is hashed in its place: 256 rows, 256 numbers."""
    kinds = ("int4", "int8", "float8", "text", "bpchar", "bytea", "timestamptz", "date")
    columns = [(f"c{place}", kind) for place, kind in enumerate(kinds)]
    with database.session() as session:
        filled(session, columns, list(product(*((None, TYPES[kind][0]) for kind in kinds))))
        careful = hashed(session, columns)
        assert (len(careful), alike(careful)) == (256, [])
        # What was said to be required may be NULL all the same: that costs time, and changes no number.
        assert hashed(session, columns, required=True) == careful


def test_numbers_that_a_seed_might_hide_are_told_apart(database: LiveDatabase) -> None:
    """What is mixed into the seed of an int8 or a float must not look like one of the marks that are mixed in, too."""
    whole = ["0", "1", "2", "3", "4", "5", "-1", "4294967296", "4294967297", "-4294967296", "9223372036854775807"]
    broken = ["0", "-0", "1", "2", "4", "-1", "NaN", "Infinity", "-Infinity", "5e-324"]
    with database.session() as session:
        for kind, values in (("int8", whole), ("float8", broken)):
            columns = [("a", kind), ("b", kind)]
            filled(session, columns, list(product([None, *values], repeat=2)))
            assert alike(hashed(session, columns)) == []


@pytest.mark.pg(">= 18")
def test_the_order_on_disk_does_not_matter(database: LiveDatabase) -> None:
    """A copy of an inherited table has its columns in another order; they are told by their names."""
    with database.session() as session:
        filled(session, [("a", "int4"), ("b", "text")], [("1", "x"), (None, "y")])
        before = {row.number for row in hashed(session, [("a", "int4"), ("b", "text")])}
        filled(session, [("b", "text"), ("a", "int4")], [("x", "1"), ("y", None)])
        assert {row.number for row in hashed(session, [("a", "int4"), ("b", "text")])} == before


def test_a_table_may_have_as_many_columns_as_a_table_can(database: LiveDatabase) -> None:
    """1,600, after what each adds to the statement is seen to be the same whatever stands before it."""
    kinds = list(OWN)
    length = [len(_written(kinds, wide)) for wide in (210, 420, 630)]
    assert length[2] - length[1] == length[1] - length[0]
    columns = [(f"c{place:04}", "bool") for place in range(1600)]
    with database.session() as session:
        filled(session, columns, [[None] * 1600, ["true"] * 1600])
        for required in (True, False):
            assert alike(hashed(session, columns, required=required)) == []
        columns = [(f"c{place:04}", kinds[place % len(kinds)]) for place in range(300)]
        filled(session, columns, [[None] * 300, [TYPES[kind][1] for _, kind in columns]])
        rows = hashed(session, columns, required=True)
        assert (len(rows), alike(rows)) == (2, [])
        assert rows == hashed(session, columns)


def _written(kinds: Sequence[str], wide: int) -> str:
    columns = (HashedColumn(name=f"c{n:04}", type=kinds[n % len(kinds)], is_required=True) for n in range(wide))
    return expression("{hashed}", hashed=hash_of_row(columns)).as_string(None)
