"""What happened before, for people who are told that something broke: what is still safe, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgtend.ledger.model import Subject
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodRun:
    """A run that ended well."""

    run_id: str
    ended_at: datetime
    evidence_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """How a run ended that did not end well."""

    outcome: str
    error_code: str
    error_message: str
    hint: str


READ_LAST_GOOD_RUN = query(__package__ or "", "read_last_good_run", GoodRun)
READ_LAST_FAILURE = query(__package__ or "", "read_last_failure", FailedRun)


def last_good_run(session: Session, database: str, pipeline: str) -> tuple[GoodRun, ...]:
    """Find the newest run of a pipeline that ended well; none when there never was one."""
    return tuple(session.rows(READ_LAST_GOOD_RUN, {"database": database, "pipeline": pipeline}))


def last_failure(session: Session, subject: Subject) -> tuple[FailedRun, ...]:
    """Find what the ledger knows of a failed run; none when the run died before it began."""
    values = {"database": subject.database, "pipeline": subject.pipeline, "run_url": subject.run_url}
    return tuple(session.rows(READ_LAST_FAILURE, values))
