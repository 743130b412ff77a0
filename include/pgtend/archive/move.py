"""Moves old rows in small batches, each in one statement with the ledger and the cursor, and gives way to everybody."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from pgtend.archive.errors import RowsAstray
from pgtend.archive.facts import (
    BEGIN_PASS,
    COUNT_DUE,
    FIND_STRAGGLERS,
    LET_COMMITS_BE_QUICK,
    LOCK_ROWS,
    MOVE_ROWS,
    READ_PASS,
    Walk,
)
from pgtend.archive.memory import units_of
from pgtend.archive.model import FEWEST_PAGES, DueMonth, Pace
from pgtend.archive.plan import LeafDue, TablePlan, condition_of
from pgtend.archive.pressure import Gauge, Lookout
from pgtend.archive.tables import Shelf
from pgtend.fleet.model import Referenced
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import LockedOut, RowsBroken, StatementCancelled, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import Composable, relation
from pgtend.postgres.session import Session

# Others wanted the same rows: smaller and later may help. Whatever else went wrong would go wrong again.
_IN_THE_WAY = (LockedOut, StatementCancelled, StatementTimeout, TransactionLost)
_TRIES = 3
_SWEEPS = 3
_STRAGGLERS = 5_000
_SAY_EVERY = 5.0


@dataclass(slots=True)
class MoveReport:
    """What moving did, for people and for the ledger."""

    rows: int = 0
    batches: int = 0
    gave_way: int = 0
    skipped: int = 0
    longest: timedelta = timedelta()
    months: dict[date, int] = field(default_factory=dict[date, int])
    is_finished: bool = True


@dataclass(kw_only=True)
class Mover:
    """Moves the old rows of one table."""

    session: Session
    shelf: Shelf
    plan: TablePlan
    lookout: Lookout
    gauge: Gauge
    progress: Progress
    closes_at: float
    pace: Pace
    report: MoveReport = field(default_factory=MoveReport)
    _said_at: float = field(default_factory=time.monotonic)

    def move(self) -> MoveReport:
        """Move what is due, until it is done or the time is over."""
        with self.session.planning_once():
            for due in self.plan.leaves:
                if due.whole is None and due.months:
                    self._walk_leaf(due)
        return self.report

    def _walk_leaf(self, due: LeafDue) -> None:
        self._make_months(due.months)
        first = min(month.first_block for month in due.months)
        last = max(month.last_block for month in due.months)
        self.pace = self.pace.over(last + 1 - first)
        self._walk(due, first, last)
        for _ in range(_SWEEPS):
            if not self.report.is_finished or not self._sweep(due):
                return

    def _sweep(self, due: LeafDue) -> bool:
        """Go once more where old rows are left: some changed pages while we walked, others came late."""
        before = self.report.rows
        table = self._table(due)
        found = self.session.rows(FIND_STRAGGLERS, {"most": _STRAGGLERS}, table=table, due=self._due)
        if not found:
            return False
        for first, last in _stretches((one.block for one in found), gap=self.pace.pages):
            self._walk(due, first, last)
        return self.report.rows > before

    def _walk(self, due: LeafDue, first: int, last: int) -> None:
        walk = self._begin(due, first, last)
        tries = 0
        while walk.next_block <= walk.last_block:
            if not self.gauge.wait_for_calm(self.closes_at):
                self.report.is_finished = False
                return
            until = min(walk.next_block + self.pace.pages, walk.last_block + 1)
            try:
                walk = self._batch(due, walk, until)
            except _IN_THE_WAY as error:
                tries += 1
                was_smallest = self.pace.pages == FEWEST_PAGES
                self._give_way(tries, is_locked=isinstance(error, LockedOut))
                if tries < _TRIES or not was_smallest:
                    continue
                # Somebody holds a row of these pages for long. The sweep comes back, and so does the next run.
                self.report.skipped += 1
                walk = self._begin(due, until, walk.last_block)
            except RowsBroken:
                # A row of a month that nobody has made a table for came late.
                if not self._make_months(self._count(due)):
                    raise
                continue
            tries = 0

    def _batch(self, due: LeafDue, before: Walk, until: int) -> Walk:
        began = time.monotonic()
        with self.lookout.over_a_batch(), self.session.transaction():
            pages = {"first": f"({before.next_block},0)", "last": f"({until},0)"}
            table, layout = self._table(due), self.plan.reading.layout
            if self.plan.reading.rule.referenced is Referenced.KEEP:
                self.session.row(LOCK_ROWS, pages, table=table, due=layout.before(self.plan.cutoff))
            here = {"source_id": self.shelf.source_id, "relation": due.leaf.oid}
            cursor = {"from_block": before.next_block, "next_block": until}
            told = self.session.run(
                MOVE_ROWS, {**pages, **here, **cursor, "described": layout.described}, table=table, **self._written
            )
            walk = self.session.row(READ_PASS, here)
            gone = walk.moved - before.moved
            _refuse_astray(str(self.shelf.names), gone, told.rows, is_walked=walk.next_block == until)
        self._note(gone, timedelta(seconds=time.monotonic() - began))
        return walk

    def _note(self, rows: int, took: timedelta) -> None:
        self.pace = self.pace.after(took)
        report = self.report
        report.rows += rows
        report.batches += 1
        report.longest = max(report.longest, took)
        if time.monotonic() - self._said_at > _SAY_EVERY:
            self._said_at = time.monotonic()
            self.progress(f"{self.shelf.names}: {report.rows:,} of about {self.plan.rows:,} rows moved")

    def _give_way(self, tries: int, *, is_locked: bool) -> None:
        self.report.gave_way += 1
        self.pace = self.pace.smallest() if is_locked else self.pace.halved()
        # With jitter, so that two who wait for each other do not meet again at once.
        time.sleep(min(0.05 * 2**tries, 1.0) * random.uniform(0.5, 1.0))  # noqa: S311 - a pause, and no secret

    def _begin(self, due: LeafDue, first: int, last: int) -> Walk:
        return self.session.row(
            BEGIN_PASS,
            {
                "source_id": self.shelf.source_id,
                "relation": due.leaf.oid,
                "cutoff": self.plan.cutoff,
                "first_block": first,
                "last_block": last,
            },
        )

    def _make_months(self, months: Sequence[DueMonth]) -> bool:
        """Make the tables of months that are missing; tell whether any was."""
        units = units_of(self.session, self.shelf.names)
        there = {unit.month for unit in units if unit.stands.is_in_database}
        self.shelf.make_months([month.month for month in months], units)
        return any(month.month not in there for month in months)

    def _count(self, due: LeafDue) -> list[DueMonth]:
        layout = self.plan.reading.layout
        return self.session.rows(COUNT_DUE, table=self._table(due), day=layout.day, due=self._due)

    @cached_property
    def _written(self) -> Mapping[str, Composable]:
        """What is the same in the statement of each batch, written once."""
        layout = self.plan.reading.layout
        parts = {"columns": layout.names, "hashed": layout.hashed, "day": layout.day, "due": self._due}
        return {"archive": self.shelf.names.archive, **parts}

    @property
    def _due(self) -> Composable:
        return condition_of(self.plan.reading, self.plan.cutoff, self.plan.holds)

    @staticmethod
    def _table(due: LeafDue) -> Composable:
        return relation(due.leaf.schema, due.leaf.name)


def quick_commits(session: Session, *, quick: bool) -> None:
    """Let commits of batches not wait for the disk, or let them wait again."""
    session.row(LET_COMMITS_BE_QUICK, {"mode": "off" if quick else "on"})


def say_move(report: MoveReport) -> str:
    """Say in one line what was moved."""
    left = "" if report.is_finished else "; the time is over, and the next run goes on"
    gave_way = f", gave way {counted(report.gave_way, 'time')}" if report.gave_way else ""
    moved = f"{counted(report.rows, 'row')} in {counted(report.batches, 'batch')}"
    return f"{moved}, the longest {say_span(report.longest)}{gave_way}{left}"


def _stretches(blocks: Iterable[int], gap: int) -> Iterator[tuple[int, int]]:
    """Put pages that lie near each other together: walking over a few that hold nothing old is cheaper than a batch."""
    first = last = -1
    for block in blocks:
        if first >= 0 and block > last + gap:
            yield first, last
            first = block
        first = block if first < 0 else first
        last = block
    if first >= 0:
        yield first, last


def _refuse_astray(table: str, gone: int, kept: int, *, is_walked: bool) -> None:
    if not is_walked or gone != kept:
        raise RowsAstray(
            f"a batch of {table} took {counted(gone, 'row')}, and the archive got {kept}",
            detail="The batch was undone: every row is where it was before."
            if is_walked
            else "Somebody else moved the cursor meanwhile. The batch was undone.",
            hint="Something on the archive swallows rows: see docs/runbooks/archive-seal-broken.md.",
        )
