"""The night of a database's statements: read what they cost, ask for the plans of the worst, judge what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pgtend.fleet.model import Database, Fleet
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Ledger, Run, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session, open_session
from pgtend.sqlfiles import command, query
from pgtend.statements.judging import Verdict, judge_night
from pgtend.statements.plans import Plan, ask_plan
from pgtend.statements.quality import Night
from pgtend.statements.readiness import require_counting
from pgtend.statements.slow_log import tend_slow_log
from pgtend.statements.snapshot import Reading, Target, require_database

PIPELINE = "statements"
_HALF_A_DAY = timedelta(hours=12)
_KEEP = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Worst:
    """A statement whose plan is worth keeping."""

    fingerprint: str
    role: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan on its way into the ledger."""

    database: str
    replica: str
    day: date
    fingerprint: str
    plan: str | None
    shape: str
    cost: float | None
    remark: str


READ_WORST = query(__package__ or "", "read_worst", Worst)
RECORD_PLAN = command(__package__ or "", "record_plan")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementsReport:
    """What one run read and concluded."""

    nights: Mapping[Target, Night]
    verdicts: tuple[Verdict, ...]
    run_id: str

    def __str__(self) -> str:
        lines = [f"{target}: {say_night(night)}" for target, night in self.nights.items()]
        return "\n".join([*lines, *(say_verdict(verdict) for verdict in self.verdicts)])


def tend_statements(  # noqa: PLR0913 - who, where, on whose behalf; the moment is for the scheduler
    database: Database,
    address: Address,
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    replicas: Mapping[str, Address] | None = None,
    moment: datetime,
    keep: timedelta = _KEEP,
) -> StatementsReport:
    """Read the night that ends about now, of the database and of each replica; then plans, then the judgement.

    A second run of the same night adds what came since, and judges again.
    """
    memory = require_database(ledger)
    with ledger.run(subject) as run:
        work = _Round(database=database, day=night_of(moment, database), memory=memory, run=run, keep=keep)
        nights: dict[Target, Night] = {}
        for name, place in {"": address, **(replicas or {})}.items():
            target = Target(database=database.name, replica=name)
            with open_session(place, database.limits, application=f"pgtend:{PIPELINE}:{database.name}") as session:
                nights[target] = work.read(target, session)
                progress(f"{target}: {say_night(nights[target])}")
                work.keep_plans(target, session)
                if not session.facts.is_standby:
                    tend_slow_log(session, database.statements.slow_log, progress)
        verdicts = tuple(v for target in nights if (v := judge_night(database, target, memory, run)) is not None)
        for verdict in verdicts:
            progress(say_verdict(verdict))
        return StatementsReport(nights=nights, verdicts=verdicts, run_id=run.run_id)


def night_of(moment: datetime, database: Database) -> date:
    """Name the night that ends about now after the day most of it lies in, in the zone of the database's window."""
    return (moment.astimezone(ZoneInfo(database.statements.window.timezone)) - _HALF_A_DAY).date()


def keep_of(fleet: Fleet) -> timedelta:
    """Tell how long texts are kept that nobody uses: as long as everything else in the ledger."""
    return fleet.ledger.keep if fleet.ledger else _KEEP


def say_night(night: Night) -> str:
    """Say in one line what a night cost, and how far that can be trusted."""
    return f"night {night.day}: {night.calls:,} calls, {night.exec_ms / 1000:,.1f} s ({night.quality()})"


def say_verdict(verdict: Verdict) -> str:
    """Say in a few lines what was concluded, the largest first."""
    judged = verdict.judgement
    head = f"{verdict.target}: {counted(judged.judged, 'statement')} judged against {counted(judged.nights, 'night')}"
    if judged.remark:
        return f"{head}: {judged.remark}"
    lines = [f"  {'ALERT ' if told.finding.is_alert else ''}{told}" for told in verdict.told]
    return "\n".join([f"{head}, {len(lines) or 'nothing'} to tell", *lines])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One night of one database and its replicas."""

    database: Database
    day: date
    memory: DatabaseLedger
    run: Run
    keep: timedelta

    def read(self, target: Target, session: Session) -> Night:
        """Read what every statement cost."""
        reading = Reading(
            target=target,
            day=self.day,
            slow_ms=self._slow_ms,
            source=session,
            counting=require_counting(session),
            run_id=self.run.run_id,
        )
        return reading.into(self.memory, keep=self.keep)

    def keep_plans(self, target: Target, session: Session) -> None:
        """Ask for the generic plans of the worst statements of the night, on the server that ran them."""
        wanted = self.database.statements.plans
        named = {"database": target.database, "replica": target.replica, "day": self.day, "wanted": wanted}
        asked = {**named, "slow_ms": self._slow_ms}
        worst = self.memory.reach(lambda ledger: ledger.rows(READ_WORST, asked)) if wanted else []
        plans = [_plan_row(target, self.day, one, ask_plan(session, one.query, one.role)) for one in worst]
        self.run.add(RECORD_PLAN, plans)

    @property
    def _slow_ms(self) -> float:
        return self.database.statements.slow_from / timedelta(milliseconds=1)


def _plan_row(target: Target, day: date, worst: Worst, plan: Plan) -> PlanRow:
    return PlanRow(
        database=target.database,
        replica=target.replica,
        day=day,
        fingerprint=worst.fingerprint,
        plan=json.dumps(plan.tree) if plan.tree is not None else None,
        shape=plan.shape,
        cost=plan.cost,
        remark=plan.remark,
    )


__all__ = ["PIPELINE", "StatementsReport", "night_of", "say_night", "say_verdict", "tend_statements"]
