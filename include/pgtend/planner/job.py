"""Keeps the statistics of a database fresh: look, decide, analyze, prove, record."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pgtend.fleet.model import Database
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.model import Ledger, Run, Subject
from pgtend.ledger.narrow import note_narrow
from pgtend.planner.crew import Crew
from pgtend.planner.facts import READ_OWN_RIGHTS, RECORD_TABLE_ANALYSIS
from pgtend.planner.model import Decision, Reason
from pgtend.planner.plan import AnalyzePlan, plan_analyze
from pgtend.planner.report import AnalyzeReport, Outcome, TableResult, evidence
from pgtend.planner.tending import Tending, apply_targets
from pgtend.postgres.address import Address
from pgtend.postgres.errors import LockedOut
from pgtend.postgres.session import open_session

PIPELINE = "analyze"


def analyze_database(  # noqa: PLR0913 - who, where, on whose behalf; the rest are wishes with defaults
    database: Database,
    address: Address,
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    only: Sequence[str] = (),
    ignore_window: bool = False,
    clock: Clock = utc_now,
) -> AnalyzeReport:
    """Make statistics fresh where they are not, most urgent first, starting none after the window closed.

    `only` limits the work to some tables; `ignore_window` is for a person who asks for it now.
    """
    started = time.monotonic()
    with ledger.run(subject) as run:
        note_narrow(run, database.name, only)
        room = _room(database, clock, ignore_window=ignore_window)
        with (
            _crew(database, address) as crew,
            crew.sessions[0].hold(database.name, patience=database.limits.lock_timeout),
        ):
            lead = crew.sessions[0]
            plan = plan_analyze(lead, database.analyze, only=only)
            plan.raise_if_rights_are_missing()
            progress(say_plan(plan))
            tending = Tending(rights=lead.row(READ_OWN_RIGHTS), closes_at=started + room.total_seconds())
            night = _Night(database.name, run, progress, crew, tending)
            night.work(plan)
        took = timedelta(seconds=time.monotonic() - started)
        report = AnalyzeReport(plan=plan, results=tuple(night.results), took=took, run_id=run.run_id)
        progress(f"{database.name}: {report}")
        report.raise_if_incomplete()
        return report


def say_plan(plan: AnalyzePlan) -> str:
    """Say in one line what is going to happen."""
    if not plan.due:
        return f"{plan.database}: nothing to analyze in {counted(len(plan.decisions), 'table')}"
    reasons = ((plan.count(reason), reason) for reason in Reason if any(d.reason is reason for d in plan.due))
    said = "; ".join(f"{amount:,}: {reason}" for amount, reason in reasons)
    return f"{plan.database}: {len(plan.due):,} of {counted(len(plan.decisions), 'table')} to analyze ({said})"


@dataclass(slots=True)
class _Night:
    """One pass over one database, and what it left behind so far."""

    name: str
    run: Run
    progress: Progress
    crew: Crew
    tending: Tending
    results: list[TableResult] = field(default_factory=list[TableResult])
    again: list[Decision] = field(default_factory=list[Decision])

    def work(self, plan: AnalyzePlan) -> None:
        """Set targets, analyze, come back to what was locked, and confirm what went along with a whole."""
        left = [decision for decision in plan.left_alone if decision.reason is not Reason.COVERED]
        self._record([TableResult(decision=decision, outcome=Outcome.SKIPPED) for decision in left])
        late = self._set_targets(plan.decisions)
        self.crew.each(self.tending.tend, [d for d in plan.due if d.table.facts.oid not in late], self._keep_or_retry)
        again, self.again = [*late.values(), *self.again], []
        if again:
            self.progress(f"{self.name}: trying {counted(len(again), 'locked table')} again")
            self.crew.each(self.tending.tend, again, self._keep)
        covered = [d for d in plan.left_alone if d.reason is Reason.COVERED and d.table.facts.oid not in late]
        if covered:
            self._keep(self.tending.confirm(self.crew.sessions[0], covered))

    def _set_targets(self, decisions: Sequence[Decision]) -> dict[int, Decision]:
        """Set all statistics targets before the first ANALYZE, which may take partitions along; name those locked."""
        late: dict[int, Decision] = {}
        for decision in decisions:
            try:
                apply_targets(self.crew.sessions[0], decision)
            except LockedOut as error:
                self.progress(f"{decision.table.name} is locked, trying again later: {error.hint}")
                late[decision.table.facts.oid] = replace(decision, analyze=True)
        return late

    def _keep_or_retry(self, results: Sequence[TableResult]) -> None:
        for result in results:
            if result.outcome is Outcome.LOCKED:
                self.again.append(result.decision)
                hint = result.error.hint if result.error else ""
                self.progress(f"{result.name} is locked, trying again later: {hint}")
        self._keep([result for result in results if result.outcome is not Outcome.LOCKED])

    def _keep(self, results: Sequence[TableResult]) -> None:
        self._record(results)
        for result in results:
            self.progress(f"{self.name}: {result}")

    def _record(self, results: Sequence[TableResult]) -> None:
        self.results.extend(results)
        if results:
            self.run.add(RECORD_TABLE_ANALYSIS, [evidence(self.name, result) for result in results])


@contextmanager
def _crew(database: Database, address: Address) -> Generator[Crew]:
    application = f"pgtend:{PIPELINE}:{database.name}"
    with ExitStack() as stack:
        doors = (
            open_session(address, database.limits, application=application) for _ in range(database.limits.sessions)
        )
        yield Crew(tuple(stack.enter_context(door) for door in doors))


def _room(database: Database, clock: Clock, *, ignore_window: bool) -> timedelta:
    """Tell how long something may still be started: to the end of the window or of the time budget."""
    budget = database.analyze.time_budget
    if ignore_window:
        return budget
    now = clock()
    return min(budget, database.analyze.window.closes_at(now) - now)
