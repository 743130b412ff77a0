"""Moves old rows in small batches, each in one transaction with the ledger and the cursor, and gives way to others."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from pgtend.archive.due import LeafDue, condition_of
from pgtend.archive.errors import RowsAstray
from pgtend.archive.facts import (
    ADVANCE_PASS,
    BEGIN_PASS,
    COPY_BATCH,
    DELETE_BATCH,
    FIND_MONTHS,
    FIND_STRAGGLERS,
    LET_COMMITS_BE_QUICK,
    LOCK_ROWS,
    MOVE_ROWS,
    NOTE_BATCH,
    READ_PASS,
    FoundMonth,
    NotedMonth,
    Walk,
)
from pgtend.archive.memory import units_of
from pgtend.archive.model import FEWEST_PAGES, Pace
from pgtend.archive.plan import TablePlan
from pgtend.archive.pressure import Gauge, Lookout
from pgtend.archive.shape import keep_shape
from pgtend.archive.tables import Shelf
from pgtend.archive.taken import COUNT_TAKEN, free_of
from pgtend.fleet.model import Referenced
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import LockedOut, RowsBroken, StatementCancelled, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import Composable, all_of, expression, once, relation, text
from pgtend.postgres.session import Session

# Others wanted the same rows: smaller and later may help. Whatever else went wrong would go wrong again.
_IN_THE_WAY = (LockedOut, StatementCancelled, StatementTimeout, TransactionLost)
_TRIES = 3
_SWEEPS = 2
_WORTH_READING = 0.01
"""Rows for each page of the table that a sweep must have moved for another one to be worth reading them all."""
_STRAGGLERS = 5_000
_SAY_EVERY = 5.0
_IS_LOCKED = "old.ctid IN (SELECT unnest(current_setting('pgtend.locked')::tid[]))"


@dataclass(slots=True)
class MoveReport:
    """What moving did, for people and for the ledger."""

    rows: int = 0
    batches: int = 0
    gave_way: int = 0
    skipped: int = 0
    taken: int = 0
    """Rows that stay because the archive has rows with their keys."""
    longest: timedelta = timedelta()
    by_leaf: dict[int, int] = field(default_factory=dict[int, int])
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
    _usual: date | None = None
    """The month that most rows of the batch before were of: neighbours are mostly of one month."""
    _free: Composable | None = None
    """What is asked of the rows of a batch beyond that they are due: that the archive has no row with their key."""
    _rewritten: set[date] = field(default_factory=set[date])
    """Months of which rows came late that the archive has already, by their keys."""

    def move(self) -> MoveReport:
        """Move what is due, until it is done or the time is over."""
        with self.session.planning_once():
            for due in self.plan.leaves:
                if due.whole is None and due.months:
                    self._walk_leaf(due)
                    self._count_taken(due)
        return self.report

    def _walk_leaf(self, due: LeafDue) -> None:
        self._make_months(month.month for month in due.months)
        first = min(month.first_block for month in due.months)
        last = max(month.last_block for month in due.months)
        self.pace = self.pace.over(last + 1 - first)
        self._walk(due, first, last)
        # Then where the walk was not, and everywhere as long as that pays.
        for walked in (_pages(first, last + 1), *[_pages(0, 0)] * _SWEEPS):
            if not self.report.is_finished or not self._sweep(due, walked):
                return

    def _sweep(self, due: LeafDue, walked: Mapping[str, object]) -> bool:
        """Go once more where old rows are left: some changed pages while we walked, others came late."""
        before = self.report.rows
        table = self._table(due)
        found = self.session.rows(FIND_STRAGGLERS, {**walked, "most": _STRAGGLERS}, table=table, due=self._due)
        if not found:
            return False
        for first, last in _stretches((one.block for one in found), gap=self.pace.pages):
            self._walk(due, first, last)
        return self.report.rows - before > due.leaf.blocks * _WORTH_READING

    def _walk(self, due: LeafDue, first: int, last: int) -> None:
        walk = self._begin(due, first, last)
        tries = 0
        while walk.next_block <= walk.last_block:
            if not self.gauge.wait_for_calm(self.closes_at):
                self.report.is_finished = False
                return
            until = min(walk.next_block + self.pace.pages, walk.last_block + 1)
            try:
                walk = self._batch(due, walk, until, is_contested=tries > 0)
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
                found = self.session.rows(
                    FIND_MONTHS,
                    _pages(walk.next_block, until),
                    table=self._table(due),
                    month=self.plan.reading.layout.month,
                    due=self._due,
                )
                if not (self._make_months(one.month for one in found) or self._keep_back(found)):
                    raise
                continue
            tries, self._free = 0, None

    def _keep_back(self, found: Iterable[FoundMonth]) -> bool:
        """Leave rows whose key is archived where they are, in as few pages as possible; tell whether that may help."""
        if self._free is not None:
            return False
        if self.pace.pages > FEWEST_PAGES:
            self.pace = self.pace.smallest()
            return True
        months = {one.month for one in found}
        self._free = free_of(self.shelf, sorted(months))
        self._rewritten |= months
        return self._free is not None

    def _count_taken(self, due: LeafDue) -> None:
        free = free_of(self.shelf, sorted(self._rewritten)) if self._rewritten else None
        if free is not None:
            self.report.taken += self.session.row(COUNT_TAKEN, table=self._table(due), due=self._old, free=free).rows

    def _batch(self, due: LeafDue, before: Walk, until: int, *, is_contested: bool) -> Walk:
        began = time.monotonic()
        step = {"source_id": self.shelf.source_id, "relation": due.leaf.oid, "from_block": before.next_block}
        values = {**step, **_pages(before.next_block, until), "next_block": until}
        with self.lookout.over_a_batch():
            # Asked in several statements, the second one would find the keys that the first one copied.
            if is_contested or self._free is not None or not self._is_plain:
                walk = self._move_as_they_change(due, before, values)
            else:
                walk = self._move_as_they_were(due, before, values)
        self._note(due, walk.moved - before.moved, timedelta(seconds=time.monotonic() - began))
        return walk

    @property
    def _is_plain(self) -> bool:
        """Whether rows leave when they are told to, and whether that depends on nothing but themselves."""
        reading = self.plan.reading
        return not reading.triggers and reading.rule.referenced is not Referenced.KEEP

    def _move_as_they_were(self, due: LeafDue, before: Walk, values: Mapping[str, object]) -> Walk:
        """Copy, note and delete rows as of one moment: should anybody change one meanwhile, none of them moves."""
        table = self._table(due)
        with self.session.transaction(of_one_moment=True):
            keep_shape(self.session, self.plan.reading, due.leaf)
            kept = self.session.run(COPY_BATCH, values, table=table, due=self._due, **self._copied).rows
            noted = self._note_content(due, values, kept)
            left = self.session.run(DELETE_BATCH, values, table=table, due=self._due).rows
            walk = next(iter(self.session.rows(ADVANCE_PASS, {**values, "moved": noted})), before)
            _refuse_astray(str(self.shelf.names), left, kept, noted, is_walked=walk.next_block == values["next_block"])
        return walk

    def _note_content(self, due: LeafDue, values: Mapping[str, object], kept: int) -> int:
        """Write down what a batch holds, month by month, and count it once more: first of the usual month."""
        layout, noted = self.plan.reading.layout, list[NotedMonth]()
        others = expression("TRUE")
        if self._usual is not None:
            these, day = layout.within(self._usual), expression("{day}::date", day=text(self._usual.isoformat()))
            noted += self._note_these(due, values, these, day)
            others = expression("NOT {these}", these=these)
        if sum(month.rows for month in noted) < kept:
            noted += self._note_these(due, values, others, layout.day)
        self._usual = max(noted, key=lambda month: month.rows).month if noted else self._usual
        return sum(month.rows for month in noted)

    def _note_these(
        self, due: LeafDue, values: Mapping[str, object], these: Composable, day: Composable
    ) -> list[NotedMonth]:
        layout = self.plan.reading.layout
        return self.session.rows(
            NOTE_BATCH,
            {**values, "described": layout.described},
            table=self._table(due),
            these=these,
            day=day,
            hashed=self._hashed,
            due=self._due,
        )

    def _move_as_they_change(self, due: LeafDue, before: Walk, values: Mapping[str, object]) -> Walk:
        """Move rows in one statement, which waits for whoever changes one, and takes what became of it."""
        table, layout = self._table(due), self.plan.reading.layout
        with self.session.transaction():
            keep_shape(self.session, self.plan.reading, due.leaf)
            due_rows = self._due
            if self.plan.reading.rule.referenced is Referenced.KEEP:
                self.session.row(LOCK_ROWS, values, table=table, due=layout.before(self.plan.cutoff))
                due_rows = all_of([due_rows, expression(_IS_LOCKED)])
            told = self.session.run(
                MOVE_ROWS,
                {**values, "described": layout.described},
                table=table,
                day=layout.day,
                hashed=self._hashed,
                due=due_rows,
                **self._copied,
            )
            walk = self.session.row(READ_PASS, values)
            gone = walk.moved - before.moved
            _refuse_astray(
                str(self.shelf.names), gone, told.rows, gone, is_walked=walk.next_block == values["next_block"]
            )
        return walk

    def _note(self, due: LeafDue, rows: int, took: timedelta) -> None:
        self.pace = self.pace.after(took)
        report = self.report
        report.rows += rows
        report.by_leaf[due.leaf.oid] = report.by_leaf.get(due.leaf.oid, 0) + rows
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

    def _make_months(self, months: Iterable[date]) -> bool:
        """Make the tables of months that are missing; tell whether any was."""
        units = units_of(self.session, self.shelf.names)
        there = {unit.month for unit in units if unit.stands.is_in_database}
        missing = [month for month in months if month not in there]
        self.shelf.make_months(missing, units)
        return bool(missing)

    @cached_property
    def _copied(self) -> Mapping[str, Composable]:
        """What is the same in the statement of each batch."""
        layout = self.plan.reading.layout
        return {"archive": self.shelf.names.archive, "columns": once(layout.as_they_lie)}

    @cached_property
    def _hashed(self) -> Composable:
        return once(self.plan.reading.layout.hashed)

    @property
    def _due(self) -> Composable:
        return all_of([self._old, self._free]) if self._free else self._old

    @cached_property
    def _old(self) -> Composable:
        return once(condition_of(self.plan.reading, self.plan.cutoff, self.plan.holds))

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


def _pages(first: int, until: int) -> Mapping[str, object]:
    """Name some pages by the places in them."""
    return {"first": f"({first},0)", "last": f"({until},0)"}


def _refuse_astray(table: str, left: int, kept: int, noted: int, *, is_walked: bool) -> None:
    if not is_walked or not left == kept == noted:
        raise RowsAstray(
            f"a batch of {table} took {counted(left, 'row')}, and the archive got {kept}",
            detail=f"The ledger was told of {noted:,}. The batch was undone: every row is where it was before."
            if is_walked
            else "Somebody else moved the cursor meanwhile. The batch was undone.",
            hint="Something on the archive swallows rows: see docs/runbooks/archive-seal-broken.md.",
        )
