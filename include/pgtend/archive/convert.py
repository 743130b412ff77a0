"""Makes a table partitioned by months, once and without anybody noticing: it becomes the first partition of another.

Everything that takes long is done beside everybody's work: a key that knows the month, and a limit that proves that no
row lies beyond the first partition. What is left is an exchange of names in one transaction, which is tried until
nobody is in the way for a moment. Interrupted anywhere, the table is what it was, and the next run goes on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pgtend.archive.detach import ATTACH_LANDING, CREATE_LANDING
from pgtend.archive.errors import TooBusy
from pgtend.archive.facts import READ_OBSTACLES
from pgtend.archive.model import month_after
from pgtend.archive.names import Names
from pgtend.archive.preflight import Reading
from pgtend.archive.shape import table_changed
from pgtend.archive.tables import Shelf
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import LockedOut, StatementCancelled, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import column, columns, from_catalogue, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

MONTHS_AHEAD = 12
"""Partitions for so many months to come are there after every run: rows that are dated later are refused."""
_MARGIN = 2
_TRIES = 40
_PATIENCE = timedelta(milliseconds=100)
_TIME_IS_OVER = (LockedOut, StatementCancelled, StatementTimeout)
_LONGEST_MOMENT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How far a table came on its way to becoming partitioned."""

    has_key: bool
    has_broken_key: bool
    limited_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The month of the newest row."""

    month: date | None
    is_endless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A statement that the server wrote."""

    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a statement may wait, and work."""

    locks: str
    works: str


READ_PREPARATION = query(__package__ or "", "read_preparation", Preparation)
READ_NEWEST = query(__package__ or "", "read_newest", Newest)
READ_EXCHANGE = query(__package__ or "", "read_exchange", Definition)
BE_PATIENT = query(__package__ or "", "be_patient", Patience)
CREATE_WIDER_KEY = command(__package__ or "", "create_wider_key")
DROP_WIDER_KEY = command(__package__ or "", "drop_wider_key")
LIMIT_ROWS = command(__package__ or "", "limit_rows")
VALIDATE_LIMIT = command(__package__ or "", "validate_limit")
LIFT_LIMIT = command(__package__ or "", "lift_limit")
LOCK_TABLE = command(__package__ or "", "lock_table")
REPEAT_DEFINITION = command(__package__ or "", "repeat_definition")
ANALYZE_CONVERTED = command(__package__ or "", "analyze_converted")


@dataclass(slots=True, kw_only=True)
class Converter:
    """Makes one table partitioned."""

    session: Session
    reading: Reading
    progress: Progress
    closes_at: float
    now: datetime

    def convert(self) -> bool:
        """Prepare, and exchange; tell whether it is partitioned now. If not, the next run tries again."""
        bound = self._bound()
        if bound is None:
            self.progress(f"{self._names} stays as it is: rows dated at infinity belong to no month")
            return False
        took: timedelta | None = None
        try:
            if self._prepare(bound):
                took = self._undisturbed(lambda: self._exchange(bound))
        except _TIME_IS_OVER:
            self.progress(f"{self._names}: the time was over before it was prepared")
        finally:
            # Left alone it would refuse rows of later months some day, and it is cheap to make again.
            self._lift_limits()
        if took is None:
            self.progress(f"{self._names} stays as it is: somebody was always in the way; the next run tries again")
            return False
        self.progress(f"{self._names} is partitioned by month from now on; the exchange took {say_span(took)}")
        self.session.run(ANALYZE_CONVERTED, table=self._names.live)
        return True

    def forget(self) -> None:
        """Remove what an interrupted run prepared for a rule that says otherwise by now."""
        there = self._look()
        self._lift_limits()
        if there.has_key or there.has_broken_key:
            self._drop_key()

    def _prepare(self, bound: date) -> bool:
        """Make the key and the limit; tell whether both are there."""
        there = self._look()
        if there.has_broken_key:
            self._drop_key()
        if self._needs_key and not there.has_key:
            self.progress(f"{self._names}: building a key that knows the month, beside everybody's work")
            wider = columns([*self.reading.facts.key, self.reading.rule.by])
            with self._patient(self._left):
                self.session.run(
                    CREATE_WIDER_KEY, new=column(self._names.wider_key_name), table=self._names.live, columns=wider
                )
        self._lift_limits()
        before, limit = self.reading.layout.before(bound), column(_limit_name(bound))
        add = partial(self.session.run, LIMIT_ROWS, table=self._names.live, constraint=limit, condition=before)
        if self._undisturbed(add) is None:
            return False
        with self._patient(self._left):
            self.session.run(VALIDATE_LIMIT, table=self._names.live, constraint=limit)
        return True

    def _exchange(self, bound: date) -> None:
        """Put a partitioned table in its place; every statement of it is written by the server, inside the lock."""
        zone = "+00" if self.reading.layout.by.type == "timestamptz" else ""
        midnight = "" if self.reading.layout.by.type == "date" else f" 00:00:00{zone}"
        values = {
            "relation": self.reading.facts.oid,
            "time": self.reading.rule.by,
            "past": self._names.past_name(bound),
            "limit": _limit_name(bound),
            "key": self._names.wider_key_name if self._needs_key else "",
            "bound": f"{bound.isoformat()}{midnight}",
        }
        with self.session.transaction():
            self.session.run(LOCK_TABLE, table=self._names.live)
            self._require_no_obstacle()
            for one in self.session.rows(READ_EXCHANGE, values):
                self.session.run(REPEAT_DEFINITION, written=from_catalogue(one.definition))

    def _require_no_obstacle(self) -> None:
        """Look once more what is in the way: hours may lie between the plan and the exchange."""
        facts, rule = self.reading.facts, self.reading.rule
        if self.session.rows(READ_OBSTACLES, {"relation": facts.oid, "time": rule.by}):
            raise table_changed(self._names)

    def _bound(self) -> date | None:
        """Choose the first month after all rows there are, and far enough ahead of today."""
        by, layout = column(self.reading.rule.by), self.reading.layout
        with self._patient(self._left):
            newest = self.session.row(READ_NEWEST, table=self._names.live, time=by, month=layout.month)
        if newest.is_endless:
            return None
        bound = max(self.now.astimezone(ZoneInfo("UTC")).date().replace(day=1), newest.month or date.min)
        for _ in range(_MARGIN):
            bound = month_after(bound)
        return bound

    def _lift_limits(self) -> None:
        there = self._look()
        if not there.limited_by:
            return
        lift = partial(self.session.run, LIFT_LIMIT, table=self._names.live, constraint=column(there.limited_by))
        if self._undisturbed(lift) is None:
            raise TooBusy(
                f"{self._names} could not be relieved of a limit: somebody was always in the way",
                detail=f"Its constraint {there.limited_by} refuses rows that are dated later than that.",
                hint=f"Run it again, or: ALTER TABLE {self._names} DROP CONSTRAINT {there.limited_by};",
            )

    def _drop_key(self) -> None:
        index = relation(self._names.schema, self._names.wider_key_name)
        with self._patient(self._left):
            self.session.run(DROP_WIDER_KEY, index=index)

    def _undisturbed(self, work: Callable[[], object]) -> timedelta | None:
        """Do what keeps everybody out for a moment: who waits for us waits no longer than we wait for others."""
        for attempt in range(_TRIES):
            began = time.monotonic()
            try:
                with self._patient(_PATIENCE, _LONGEST_MOMENT):
                    work()
            except (LockedOut, TransactionLost):
                pause = min(0.1 * 1.5**attempt, 5.0) * random.uniform(0.5, 1.0)  # noqa: S311 - a pause, and no secret
                if time.monotonic() + pause >= self.closes_at:
                    return None
                time.sleep(pause)
            else:
                return timedelta(seconds=time.monotonic() - began)
        return None

    @contextmanager
    def _patient(self, locks: timedelta, works: timedelta | None = None) -> Generator[None]:
        limits = self.session.limits
        self.session.row(BE_PATIENT, {"locks": _milliseconds(locks), "works": _milliseconds(works or locks)})
        try:
            yield
        except PgtendError:
            if not self.session.connection.broken:
                self._be_usual(limits)
            raise
        self._be_usual(limits)

    def _be_usual(self, limits: Limits) -> None:
        usual = {"locks": _milliseconds(limits.lock_timeout), "works": _milliseconds(limits.statement_timeout)}
        self.session.row(BE_PATIENT, usual)

    def _look(self) -> Preparation:
        values = {"relation": self.reading.facts.oid, "key": self._names.wider_key_name}
        return self.session.row(READ_PREPARATION, values)

    @property
    def _left(self) -> timedelta:
        """How long is left, and long enough to find out that it is too short."""
        return timedelta(seconds=max(self.closes_at - time.monotonic(), 1.0))

    @property
    def _needs_key(self) -> bool:
        return bool(self.reading.facts.key) and self.reading.rule.by not in self.reading.facts.key

    @property
    def _names(self) -> Names:
        return self.reading.names


def make_months_ahead(shelf: Shelf, reading: Reading, now: datetime) -> int:
    """Make the partitions of the months to come; tell how many were missing."""
    wanted = now.astimezone(ZoneInfo("UTC")).date().replace(day=1)
    for _ in range(MONTHS_AHEAD):
        wanted = month_after(wanted)
    ends = [leaf.high[:10] for leaf in reading.leaves if leaf.is_first_level and leaf.high]
    month = date.fromisoformat(max(ends))
    made = 0
    while month <= wanted:
        low, high = shelf.bounds(month)
        partition = relation(shelf.names.schema, shelf.names.partition_name(month))
        with shelf.session.transaction():
            shelf.session.run(CREATE_LANDING, landing=partition, table=shelf.names.live)
            shelf.own(partition)
            shelf.session.run(ATTACH_LANDING, table=shelf.names.live, landing=partition, low=low, high=high)
        month = month_after(month)
        made += 1
    return made


def _limit_name(bound: date) -> str:
    return f"pgtend_before_{bound:%Y_%m}"


def _milliseconds(span: timedelta) -> str:
    return f"{max(round(span / timedelta(milliseconds=1)), 1)}ms"
