"""Rebuilds the bloated indexes of a database: clear what is left over, decide, rebuild worst first, prove, record."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pgtend.fleet.model import Database
from pgtend.indexes.advice_sources import noted_statements
from pgtend.indexes.errors import GaveWay
from pgtend.indexes.leftovers import indexes_of, invalid_tables, twins
from pgtend.indexes.memory import recall
from pgtend.indexes.model import Decision, Reason
from pgtend.indexes.occupancy import note_occupancies
from pgtend.indexes.plan import RebuildPlan, plan_rebuilds, say_plan
from pgtend.indexes.plan_costs import TopStatements
from pgtend.indexes.rebuild import Workshop
from pgtend.indexes.report import Outcome, RebuildReport, Rebuilt, record
from pgtend.indexes.usage import standbys_of
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.model import Ledger, Run, Subject
from pgtend.ledger.narrow import note_narrow
from pgtend.postgres.address import Address
from pgtend.postgres.session import open_session

PIPELINE = "reindex"
_PAUSES = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5))
_WORTH_KEEPING = frozenset({Reason.SMALL, Reason.NOT_ASKED, Reason.TEMPORARY, Reason.PARTITIONED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be rebuilt, and how much a person insists."""

    only: tuple[str, ...] = ()
    ignore_window: bool = False
    insists: bool = False
    """Rebuild what `only` names, whatever its size."""
    pauses: tuple[timedelta, ...] = _PAUSES
    """How long to wait before an index that gave way is tried again."""


def rebuild_bloated_indexes(  # noqa: PLR0913 - the parties of a job
    database: Database,
    addresses: Mapping[str, Address],
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    order: Order | None = None,
    clock: Clock = utc_now,
) -> RebuildReport:
    """Rebuild bloated indexes, most worthwhile first, starting none that would not end inside the window.

    `addresses` are by connection: the database's own, and one for each standby.
    """
    asked = order or Order()
    began = time.monotonic()
    with ledger.run(subject) as run:
        note_narrow(run, database.name, asked.only)
        room, ends_at = _room(database, clock, asked)
        with (
            _workshop(database, addresses, ledger, progress, ends_at, asked) as workshop,
            workshop.watcher.hold(database.name, patience=database.limits.lock_timeout),
        ):
            cleared = _clear_leftovers(workshop)
            memory = recall(ledger, database.name)
            plan = plan_rebuilds(
                workshop.watcher,
                database.indexes,
                memory,
                only=asked.only,
                insists=asked.insists,
                room=room - timedelta(seconds=time.monotonic() - began),
                progress=progress,
            )
            plan.raise_if_rights_are_missing()
            progress(say_plan(plan))
            note_occupancies(workshop.watcher, database, plan, run, progress)
            night = _Night(database.name, run, progress, workshop, began + room.total_seconds(), asked.pauses)
            night.work(plan)
            stays = _clear_again(workshop) if any(result.leftover for result in night.results) else ()
        took = timedelta(seconds=time.monotonic() - began)
        report = RebuildReport(
            plan=plan, results=tuple(night.results), cleared=cleared, stays=stays, took=took, run_id=run.run_id
        )
        progress(f"{database.name}: {report}")
        report.raise_if_incomplete()
        return report


@dataclass(slots=True)
class _Night:
    """One pass over one database, and what it left behind so far."""

    name: str
    run: Run
    progress: Progress
    workshop: Workshop
    closes_at: float
    pauses: tuple[timedelta, ...]
    results: list[Rebuilt] = field(default_factory=list[Rebuilt])

    def work(self, plan: RebuildPlan) -> None:
        """Rebuild one after the other, and come back to those whose moment was wrong."""
        self._keep(*(_left(decision) for decision in plan.left_alone if decision.reason not in _WORTH_KEEPING))
        self._keep(*(Rebuilt(decision=d, outcome=Outcome.POSTPONED) for d in plan.late))
        again = self._each(plan.due, {})
        for pause in self.pauses:
            if not again or not self._wait(pause):
                break
            again = self._each([result.decision for result in again], {r.name: r.yielded for r in again})
        self._keep(*again)

    def _each(self, decisions: Sequence[Decision], yielded: Mapping[str, int]) -> list[Rebuilt]:
        """Rebuild these; give those to try again."""
        again: list[Rebuilt] = []
        for decision in decisions:
            if not self._fits(decision):
                self._keep(Rebuilt(decision=decision, outcome=Outcome.POSTPONED))
                continue
            result = self.workshop.rebuild(decision)
            result = replace(result, yielded=yielded.get(result.name, 0) + int(isinstance(result.error, GaveWay)))
            self.progress(f"{self.name}: {result}")
            if result.may_succeed_later:
                again.append(result)
            else:
                self._keep(result)
        return again

    def _fits(self, decision: Decision) -> bool:
        needed = 1.5 * decision.price.took.total_seconds() if decision.price else 0.0
        return time.monotonic() + needed <= self.closes_at

    def _wait(self, pause: timedelta) -> bool:
        if time.monotonic() + pause.total_seconds() >= self.closes_at:
            return False
        time.sleep(pause.total_seconds())
        return True

    def _keep(self, *results: Rebuilt) -> None:
        self.results.extend(results)
        record(self.run, self.name, results)


def _left(decision: Decision) -> Rebuilt:
    return Rebuilt(decision=decision, outcome=Outcome.SKIPPED)


def _clear_again(workshop: Workshop) -> tuple[tuple[str, PgtendError], ...]:
    """Try once more at the end of the run, when whoever was in the way may be gone."""
    try:
        _clear_leftovers(workshop)
    except PgtendError as error:
        return (("a leftover", error),)
    return ()


def _clear_leftovers(workshop: Workshop) -> tuple[str, ...]:
    """Remove what earlier rebuilds left, ours or anybody's: an invalid twin of an index that is valid."""
    cleared: list[str] = []
    for table in invalid_tables(workshop.watcher):
        found = [index for index in twins(indexes_of(workshop.watcher, table)) if index.may_drop]
        cleared += workshop.clear(found) if found else ()
    for name in cleared:
        workshop.progress(f"{name} removed: an earlier rebuild had left it")
    return tuple(cleared)


@contextmanager
def _workshop(  # noqa: PLR0913, PLR0917 - what one room of work is furnished from
    database: Database,
    addresses: Mapping[str, Address],
    ledger: Ledger,
    progress: Progress,
    ends_at: float | None,
    order: Order,
) -> Generator[Workshop]:
    application = f"pgtend:{PIPELINE}:{database.name}"
    own = addresses[database.connection]
    with ExitStack() as stack:
        worker, watcher, *standbys = (
            stack.enter_context(open_session(address, database.limits, application=application))
            for address in (own, own, *(addresses[name] for name in standbys_of(database)))
        )
        yield Workshop(
            worker=worker,
            watcher=watcher,
            standbys=standbys,
            rules=database.indexes,
            progress=progress,
            ends_at=ends_at,
            workers=0 if order.ignore_window else database.indexes.workers,
            cost_of=TopStatements(noted_statements(ledger, database)).cost,
        )


def _room(database: Database, clock: Clock, order: Order) -> tuple[timedelta, float | None]:
    """Tell how long something may still be started, and by the monotonic clock when everything must have ended."""
    budget = database.indexes.time_budget
    if order.ignore_window:
        return budget, None
    now = clock()
    left = database.indexes.window.closes_at(now) - now
    ends_at = None if database.indexes.window.is_always_open else time.monotonic() + left.total_seconds()
    return min(budget, left), ends_at
