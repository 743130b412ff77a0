"""Looks how full the pages of a large table are, for the next drill to build its inverted indexes on pages as full.

An inverted index packs its lists of rows by their distance. A restored copy has all rows in the same order, but closer
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.fleet.indexes import IndexRules
from pgtend.fleet.model import Database
from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.model import INVERTED, Method, RebuildPolicy
from pgtend.indexes.plan import RebuildPlan
from pgtend.indexes.sampling import PAGE
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Run
from pgtend.postgres.errors import ConnectionLost
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

# A hundred pages in a hundred places came to within one page of index of the truth; these are 32 MB.
_STRETCHES = 512
_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """How many rows lie on some pages of a table: stretches of equal length, from every part of it."""

    database: str
    schema_name: str
    table_name: str
    pages: int
    firsts: Sequence[int]
    rows_on_pages: Sequence[int]


@dataclass(frozen=True, slots=True)
class RowsOnPage:
    """How many rows lie on one page."""

    page: int
    rows: int


COUNT_ROWS_ON_PAGES = query(__package__ or "", "count_rows_on_pages", RowsOnPage)
RECORD_OCCUPANCY = command(__package__ or "", "record_occupancy")


def note_occupancies(session: Session, database: Database, plan: RebuildPlan, run: Run, progress: Progress) -> None:
    """Write down how rows are spread in each table whose inverted indexes only a drill can tell the size of."""
    for index in left_to_drills(plan, database.indexes):
        try:
            found = read_occupancy(session, database.name, index, database.indexes.read_budget)
        except ConnectionLost:
            raise
        except PgtendError as error:
            # Dropped meanwhile, locked, or too slow: it is seen another time, and rebuilds go on.
            progress(f"how full the pages of {index.full_table} are could not be seen [{error.code}]")
            continue
        run.add(RECORD_OCCUPANCY, [found])
        progress(
            f"{counted(len(found.rows_on_pages), 'page')} of {index.full_table} looked at: the next drill builds its "
            "inverted indexes on pages as full as these"
        )


def left_to_drills(plan: RebuildPlan, rules: IndexRules) -> tuple[IndexFacts, ...]:
    """Give one inverted index of each table where production alone cannot tell how large it would be if new."""
    policy = RebuildPolicy(rules=rules, now=plan.census.read_at)
    found = (decision.index for decision in plan.decisions if decision.index.facts.kind == INVERTED)
    untold = (one.facts for one in found if one.estimate is None or one.estimate.method is Method.DRILL)
    chosen = (one for one in untold if one.may_read and one.table_size > 0 and policy.screen(one) is None)
    return tuple({one.table_oid: one for one in chosen}.values())


def read_occupancy(session: Session, database: str, index: IndexFacts, read_budget: int) -> Occupancy:
    """Count the rows on some pages of a table."""
    pages = index.table_size // PAGE
    counts: list[int] = []
    chosen = stretches(pages, read_budget // PAGE)
    table = relation(index.schema, index.table_name)
    for low, high in chosen:
        found = session.rows(COUNT_ROWS_ON_PAGES, {"low": low, "high": high}, table=table)
        counts += (one.rows for one in found)
    return Occupancy(
        database=database,
        schema_name=index.schema,
        table_name=index.table_name,
        pages=pages,
        firsts=[low for low, _ in chosen],
        rows_on_pages=counts,
    )


def stretches(pages: int, most: int) -> list[tuple[int, int]]:
    """Choose which pages to look at: equally long stretches in the middle of equal parts, up to so many pages."""
    most = max(min(most, pages), 1)
    length = min(_LENGTH, most)
    parts = min(_STRETCHES, most // length)
    middles = ((pages * part // parts + pages * (part + 1) // parts - length) // 2 for part in range(parts))
    return [(low, low + length) for low in middles]
