"""Takes whole months out of a partitioned table and into its archive: no row moves, and nobody waits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date

from pgtend.archive.errors import TooBusy
from pgtend.archive.facts import READ_COLUMNS, READ_LEAVES, LeafFacts
from pgtend.archive.loosening import loosen
from pgtend.archive.memory import move_on, open_unit, units_of
from pgtend.archive.model import State, Unit
from pgtend.archive.names import SCHEMA, Names
from pgtend.archive.plan import TablePlan
from pgtend.archive.shape import require_shape
from pgtend.archive.tables import Shelf, find
from pgtend.kernel.progress import Progress
from pgtend.postgres.errors import LockedOut
from pgtend.postgres.identifiers import Composable, column, from_catalogue, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderNow:
    """A transaction that uses a table."""

    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexName:
    """What an index is called."""

    name: str


READ_READERS_NOW = query(__package__ or "", "read_readers_now", ReaderNow)
DETACH_MONTH = command(__package__ or "", "detach_month")
FINALIZE_DETACH = command(__package__ or "", "finalize_detach")
CREATE_LANDING = command(__package__ or "", "create_landing")
ATTACH_LANDING = command(__package__ or "", "attach_landing")
DROP_IDENTITY = command(__package__ or "", "drop_identity")
DROP_EXPRESSION = command(__package__ or "", "drop_expression")
READ_INDEX_NAMES = query(__package__ or "", "read_index_names", IndexName)
RENAME_INDEX = command(__package__ or "", "rename_index")
MOVE_TO_OUR_SCHEMA = command(__package__ or "", "move_to_our_schema")
RENAME_MONTH = command(__package__ or "", "rename_month")
ADD_MISSING_COLUMN = command(__package__ or "", "add_missing_column")

_PATIENCE = 10.0
_LONG_PATIENCE = 300.0
_PAUSE = 0.2


@dataclass(slots=True, kw_only=True)
class DetachReport:
    """Which months left as a whole, and which could not."""

    months: list[date] = field(default_factory=list[date])
    waiting: list[date] = field(default_factory=list[date])


@dataclass(slots=True, kw_only=True)
class Detacher:
    """Takes months out of one partitioned table."""

    session: Session
    shelf: Shelf
    plan: TablePlan
    progress: Progress
    closes_at: float
    report: DetachReport = field(default_factory=DetachReport)

    def detach(self) -> DetachReport:
        """End what an earlier run began, then take out what is due."""
        self._end_what_was_begun()
        for due in self.plan.leaves:
            if due.whole is None or due.whole in self.report.months:
                continue
            if time.monotonic() >= self.closes_at or not self._is_quiet():
                self.report.waiting.append(due.whole)
                continue
            require_shape(self.session, self.plan.reading, due.leaf)
            self._begin(due.whole, due.leaf)
            self._carry_on(self._unit(due.whole), due.leaf)
        loosen(self.shelf, self.progress)
        return self.report

    def _begin(self, month: date, leaf: LeafFacts) -> None:
        """Write down what is about to happen: a killed run is found by that."""
        described = self.shelf.layout.described
        place = f"{leaf.schema}.{leaf.name}"
        names, source_id = self.shelf.names, self.shelf.source_id
        open_unit(self.session, source_id, names, month, described, state=State.DETACHING, came_from=place)

    def _end_what_was_begun(self) -> None:
        leaves = {f"{leaf.schema}.{leaf.name}": leaf for leaf in self._leaves()}
        for unit in units_of(self.session, self.shelf.names):
            if unit.stands is State.DETACHING:
                self.progress(f"{self.shelf.names}: going on with {unit.label}, whose detach was interrupted")
                self._carry_on(unit, leaves.get(unit.came_from))

    def _carry_on(self, unit: Unit, leaf: LeafFacts | None) -> None:
        """Do what is left to do for one month; `leaf` is none when it is detached already."""
        partition = _place(unit.came_from)
        landing = relation(self.shelf.names.schema, self.shelf.names.landing_name(unit.month))
        if leaf is not None:
            self._make_landing(unit.month, landing)
            self._take_out(unit, leaf, partition)
        self._close_the_gap(unit.month, landing)
        self._take_in(unit, partition)
        self.report.months.append(unit.month)

    def _take_out(self, unit: Unit, leaf: LeafFacts, partition: Composable) -> None:
        """Detach; where a reader came in between, wait for it even past the budget: meanwhile nobody sees the month."""
        live = self.shelf.names.live
        is_pending = leaf.is_pending
        gives_up_at = time.monotonic() + _LONG_PATIENCE
        while True:
            try:
                self.session.run(FINALIZE_DETACH if is_pending else DETACH_MONTH, table=live, partition=partition)
            except LockedOut as error:
                now = next((one for one in self._leaves() if one.oid == leaf.oid), None)
                is_pending = now is not None and now.is_pending
                if time.monotonic() >= gives_up_at:
                    raise _stuck(self.shelf.names, unit, error.hint) from error
                time.sleep(_PAUSE)
            else:
                return

    def _make_landing(self, month: date, landing: Composable) -> None:
        names = self.shelf.names
        if find(self.session, names.schema, names.landing_name(month)) is None:
            with self.session.transaction():
                self.session.run(CREATE_LANDING, landing=landing, table=names.live)
                self.shelf.own(landing)

    def _close_the_gap(self, month: date, landing: Composable) -> None:
        names = self.shelf.names
        self._make_landing(month, landing)
        there = find(self.session, names.schema, names.landing_name(month))
        if there is not None and not there.is_partition:
            low, high = self.shelf.bounds(month)
            self.session.run(ATTACH_LANDING, table=names.live, landing=landing, low=low, high=high)

    def _take_in(self, unit: Unit, partition: Composable) -> None:
        """Make the detached table a month of the archive, in one transaction with the ledger."""
        for one in self.shelf.layout.columns:
            if one.is_identity:
                self.session.run(DROP_IDENTITY, partition=partition, column=column(one.name))
            if one.generated == "s":
                self.session.run(DROP_EXPRESSION, partition=partition, column=column(one.name))
        schema, _, name = unit.came_from.partition(".")
        with self.session.transaction():
            if schema != SCHEMA:
                self._rename_indexes(unit.month, schema, name)
                self.session.run(MOVE_TO_OUR_SCHEMA, partition=partition)
            self.session.run(
                RENAME_MONTH, partition=relation(SCHEMA, name), new=column(self.shelf.names.month_name(unit.month))
            )
            ours = self.shelf.names.month(unit.month)
            self._add_missing_columns(ours, self.shelf.names.month_name(unit.month))
            self.shelf.attach(unit.month, ours)
            self.shelf.give(ours)
            move_on(self.session, unit, State.MOVING)

    def _add_missing_columns(self, month: Composable, name: str) -> None:
        """Make room for what only the archive has since a column went: without it the month could not be attached."""
        there = find(self.session, SCHEMA, name)
        if there is None:
            return
        known = {one.name for one in self.session.rows(READ_COLUMNS, {"relation": there.oid})}
        for one in self.shelf.archived_columns():
            if one.name not in known:
                kind = from_catalogue(one.declared)
                self.session.run(ADD_MISSING_COLUMN, partition=month, column=column(one.name), kind=kind)

    def _rename_indexes(self, month: date, schema: str, name: str) -> None:
        """Name the indexes of a month after it: tables of several schemas have partitions and indexes of one name."""
        found = find(self.session, schema, name)
        named = self.session.rows(READ_INDEX_NAMES, {"relation": found.oid}) if found else []
        for place, one in enumerate(named, 1):
            new = column(self.shelf.names.index_name(month, place))
            self.session.run(RENAME_INDEX, index=relation(schema, one.name), new=new)

    def _is_quiet(self) -> bool:
        """Wait a moment for those who read the table; a long one means that this month waits for the next run."""
        gives_up_at = min(self.closes_at, time.monotonic() + _PATIENCE)
        there = self._readers()
        while there:
            time.sleep(_PAUSE)
            there &= self._readers()
            if there and time.monotonic() >= gives_up_at:
                self.progress(f"{self.shelf.names}: somebody reads it for long, its months wait for the next run")
                return False
        return True

    def _readers(self) -> set[str]:
        return {one.transaction for one in self.session.rows(READ_READERS_NOW, {"relation": self.shelf.facts.oid})}

    def _leaves(self) -> list[LeafFacts]:
        return self.session.rows(READ_LEAVES, {"relation": self.shelf.facts.oid})

    def _unit(self, month: date) -> Unit:
        return next(unit for unit in units_of(self.session, self.shelf.names) if unit.month == month)


def _stuck(names: Names, unit: Unit, hint: str) -> TooBusy:
    return TooBusy(
        f"{names} {unit.label} could not be detached: somebody has read it for minutes",
        detail="Until the detach is ended, queries of the table and of the archive do not see this month.",
        hint=hint or "End the session that reads it, and run it again; see docs/runbooks/locked-out.md.",
    )


def _place(written: str) -> Composable:
    schema, _, name = written.partition(".")
    return relation(schema, name)
