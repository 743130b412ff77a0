"""What was done, newest first: runs, alerts and the audit, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

_MARKS_IN_LANE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of one pipeline."""

    run_id: str
    database: str
    pipeline: str
    actor: str
    run_url: str
    started_at: datetime
    ended_at: datetime | None
    took: timedelta | None
    outcome: str
    error_code: str
    error_message: str
    hint: str
    evidence_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One mark in the picture of a database's days: a run, or several that would lie on each other."""

    pipeline: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    runs: int
    run_id: str
    run_url: str
    error_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One condition from breaking to recovering."""

    alert_id: int
    key: str
    database: str
    pipeline: str
    severity: str
    code: str
    message: str
    hint: str
    run_url: str
    opened_at: datetime
    last_failed_at: datetime
    times_failed: int
    last_sent_at: datetime | None
    times_sent: int
    recovered_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    acknowledged_until: datetime | None
    note: str
    concerns: list[str] = field(default_factory=list[str])

    @property
    def is_of_run(self) -> bool:
        """Whether a run failed, and not something that a run which went well has found."""
        return self.key.endswith(f"/{self.database}/{self.pipeline}")

    @property
    def is_late(self) -> bool:
        """Whether a run goes on beyond its deadline."""
        return self.key.endswith(f"/{self.database}/{self.pipeline}-late")

    @property
    def is_of_server(self) -> bool:
        """Whether a whole server is away, with all the databases that it concerns."""
        return self.pipeline.startswith("server ")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One action as it was written down."""

    seq: int
    at: datetime
    login: str
    actor: str
    action: str
    target: str
    detail: str
    hash: str


READ_RUNS = query(__package__ or "", "read_runs", RunRow)
READ_TIMELINE = query(__package__ or "", "read_timeline", Stretch)
READ_ALERTS = query(__package__ or "", "read_alerts", AlertRow)
READ_AUDIT = query(__package__ or "", "read_audit", AuditRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are asked for; empty means all."""

    databases: Sequence[str]
    pipeline: str = ""
    outcome: str = ""


def runs(session: Session, wanted: RunFilter, *, before: str, most: int) -> list[RunRow]:
    """Read runs that began before one that was seen already."""
    asked = {"pipeline": wanted.pipeline, "outcome": wanted.outcome, "before": before, "most": most}
    return session.rows(READ_RUNS, {**asked, "databases": list(wanted.databases)})


def timeline(session: Session, database: str, since: datetime, until: datetime) -> list[Stretch]:
    """Read everything that was done to one database between two moments."""
    asked = {"database": database, "since": since, "until": until, "grain": (until - since) / _MARKS_IN_LANE}
    return session.rows(READ_TIMELINE, asked)


def alerts(
    session: Session, databases: Sequence[str], *, only_open: bool, before: int = 0, most: int = 100
) -> list[AlertRow]:
    """Read alerts of these databases; those of the whole fleet go by the name `fleet`."""
    asked = {"databases": list(databases), "only_open": only_open, "before": before, "most": most}
    return session.rows(READ_ALERTS, asked)


def audit(session: Session, *, target: str = "", before: int = 0, most: int = 100) -> list[AuditRow]:
    """Read the audit of everything, or of one database."""
    return session.rows(READ_AUDIT, {"target": target, "before": before, "most": most})
