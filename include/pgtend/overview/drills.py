"""What drills proved: when a restore was last known to work, how long it took, and what is overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.fleet.drill import DrillRules
from pgtend.kernel.times import say_span
from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

PROOF = Column(
    key="proof",
    title="Proof",
    meaning="When a drill last restored a backup and found it identical, and how long bringing it back takes.",
)
# A drill is due once a week at some hour, so it is not late on the hour.
_SLACK = timedelta(days=1)
_LONG_OVERDUE = 4
_BEFORE_ITS_END = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestDrill:
    """What is known of the drills of one database."""

    database: str
    verdict: str
    failure_class: str
    ended_at: datetime
    rto_target: timedelta | None
    rto_measured: timedelta | None
    rto_predicted: timedelta | None
    run_id: str
    proven_at: datetime | None
    rules: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRow:
    """One drill."""

    run_id: str
    backup_id: str
    vault: str
    rule: str
    verdict: str
    failure_class: str
    taken_at: datetime
    started_at: datetime
    ended_at: datetime
    isolation_level: int
    isolation_means: str
    server_version: str
    rto_target: timedelta | None
    rto_measured: timedelta | None
    rto_predicted: timedelta | None
    rto_crosses_at: datetime | None
    rpo_target: timedelta | None
    rpo_measured: timedelta | None
    source_size: int
    not_checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillStage:
    """One step of a drill."""

    stage: str
    started_at: datetime
    took: timedelta
    bytes: int | None
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillCheck:
    """One check of a drill."""

    check_name: str
    subject: str
    outcome: str
    failure_class: str
    expected: str
    found: str
    detail: str


READ_NEWEST_DRILLS = query(__package__ or "", "read_newest_drills", NewestDrill)
READ_DRILLS = query(__package__ or "", "read_drills", DrillRow)
READ_DRILL_STAGES = query(__package__ or "", "read_drill_stages", DrillStage)
READ_DRILL_CHECKS = query(__package__ or "", "read_drill_checks", DrillCheck)


def newest_drills(session: Session, databases: Sequence[str]) -> Mapping[str, NewestDrill]:
    """Read what the first page says of drills, by database."""
    return {row.database: row for row in session.rows(READ_NEWEST_DRILLS, {"databases": list(databases)})}


def drills(session: Session, database: str, *, before: str = "", most: int = 50) -> list[DrillRow]:
    """Read the drills of one database, newest first."""
    return session.rows(READ_DRILLS, {"database": database, "before": before, "most": most})


def stages(session: Session, database: str, run_id: str) -> list[DrillStage]:
    """Read the steps of one drill."""
    return session.rows(READ_DRILL_STAGES, _one(database, run_id))


def checks(session: Session, database: str, run_id: str) -> list[DrillCheck]:
    """Read the checks of one drill, failed ones first."""
    return session.rows(READ_DRILL_CHECKS, _one(database, run_id))


def proof_cell(database: str, known: NewestDrill | None, rules: DrillRules, now: datetime) -> Cell:
    """Judge how long ago a restore was known to work, and whether it works fast enough."""
    page = f"page:{database}/drills"
    if known is None or known.proven_at is None:
        why = "No drill has restored a backup of it and found it identical, so nobody knows whether one can be."
        light = Light.BAD if known else Light.UNKNOWN
        return Cell(light=light, says="never", why=why, link=page)
    age = now - known.proven_at
    says = f"{say_age(age)} ago"
    if known.verdict == "FAIL":
        why = f"The newest drill failed with {known.failure_class}; the last good one was {says}."
        return Cell(light=Light.BAD, says=f"failed, {says}", why=why, link=page)
    late = age - rules.every.newest - _SLACK
    if late > timedelta():
        why = f"A drill is due every {say_span(rules.every.newest)}, and the last good one was {says}."
        light = Light.BAD if age > _LONG_OVERDUE * rules.every.newest else Light.WATCH
        return Cell(light=light, says=says, why=why, link=page)
    if known.verdict != "PASS":
        why = "It was restored and what was compared was identical, but something could not be checked."
        return Cell(light=Light.WATCH, says=f"partly, {says}", why=why, link=page)
    return Cell(light=Light.GOOD, says=says, why=_how_fast(known), link=page)


def _how_fast(known: NewestDrill) -> str:
    if known.rto_measured is None or known.rto_target is None:
        return "A backup was restored, and everything was identical."
    took, allowed = say_span(known.rto_measured), say_span(known.rto_target)
    return f"A backup was restored in {took} of the {allowed} it may take, and everything was identical."


def _one(database: str, run_id: str) -> Mapping[str, object]:
    # The name of a run begins with the moment it began, which finds the month that its rows lie in.
    began = datetime.strptime(run_id[:16] + "+0000", "%Y%m%dT%H%M%SZ%z")
    return {"database": database, "run_id": run_id, "since": began - _BEFORE_ITS_END}
