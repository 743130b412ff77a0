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


@dataclass(frozen=True, slots=True)
class Proof:
    """What the ledger knows of a run: whether its own work is there, and how much of it did not end well."""

    proofs: int
    doubts: int


READ_LAST_GOOD_RUN = query(__package__ or "", "read_last_good_run", GoodRun)
READ_LAST_FAILURE = query(__package__ or "", "read_last_failure", FailedRun)
READ_RUN_PROOF = query(__package__ or "", "read_run_proof", Proof)


def last_good_run(session: Session, database: str, pipeline: str) -> tuple[GoodRun, ...]:
    """Find the newest run of a pipeline that ended well; none when there never was one."""
    return tuple(session.rows(READ_LAST_GOOD_RUN, {"database": database, "pipeline": pipeline}))


def last_failure(session: Session, subject: Subject) -> tuple[FailedRun, ...]:
    """Find what the ledger knows of a failed run; none when the run died before it began."""
    return tuple(session.rows(READ_LAST_FAILURE, _values(subject)))


def ended_well(session: Session, subject: Subject) -> bool:
    """Tell whether a run did its own work, and nothing of it ended badly when it was tried last."""
    found = session.row(READ_RUN_PROOF, _values(subject))
    return found.proofs > 0 and found.doubts == 0


def _values(subject: Subject) -> dict[str, str]:
    return {"database": subject.database, "pipeline": subject.pipeline, "run_url": subject.run_url}
