"""Rows whose key the archive has already: an application wrote a day anew that it did not find any more.

Two rows of one key have no place in one month, and nobody but the application's owner knows which of them is right. So
the one that came late stays in its table, where it is seen, and a person is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pgtend.archive.errors import KeyTaken
from pgtend.archive.names import SCHEMA
from pgtend.archive.tables import Shelf, find
from pgtend.kernel.names import counted
from pgtend.postgres.identifiers import Composable, all_of, column, expression
from pgtend.sqlfiles import query


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """Columns by which no two rows of a table may be alike."""

    columns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How many rows stay."""

    rows: int


READ_UNIQUE_KEYS = query(__package__ or "", "read_unique_keys", UniqueKey)
COUNT_TAKEN = query(__package__ or "", "count_taken", Taken)


def free_of(shelf: Shelf, months: Iterable[date]) -> Composable | None:
    """Say of an old row that no archived row of these months has its key; nothing where they have no keys."""
    conditions = [one for month in months for one in _free_of(shelf, month)]
    return all_of(conditions) if conditions else None


def refuse_taken(database: str, tables: Mapping[str, int], months: Sequence[str]) -> None:
    """Tell a person which rows wait for them, in tables and in months of the archive, after all else was done."""
    rows = [f"{counted(rows, 'row')} of {name} cannot leave" for name, rows in tables.items()]
    doubled = [f"{month} cannot be sealed" for month in months]
    if rows or doubled:
        raise KeyTaken(
            f"in {database} two rows each have one key: {'; '.join([*rows, *doubled])}",
            detail="An application wrote one of them after the other had left. Everything else was archived.",
            hint="Correct or delete one of each two; see docs/runbooks/archive-refused.md.",
        )


def _free_of(shelf: Shelf, month: date) -> Iterator[Composable]:
    there = find(shelf.session, SCHEMA, shelf.names.month_name(month))
    for key in shelf.session.rows(READ_UNIQUE_KEYS, {"relation": there.oid}) if there else ():
        same = all_of(expression("taken.{name} = old.{name}", name=column(name)) for name in key.columns)
        yield expression(
            "NOT EXISTS (SELECT FROM ONLY {month} AS taken WHERE {same})", month=shelf.names.month(month), same=same
        )
