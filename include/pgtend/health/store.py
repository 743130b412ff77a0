"""Where looks are kept: in the ledger, as numbers and not as runs: a look changes nothing, and there are many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter

from pgtend.fleet.health import Watched
from pgtend.health.facts import Pool, TableState
from pgtend.health.memory import FINDINGS, MEMORY, Known
from pgtend.health.metrics import METRICS
from pgtend.health.model import Change, Finding
from pgtend.health.report import Examination
from pgtend.health.trend import READ_DAYS, Point
from pgtend.ledger.database import DatabaseLedger, Forgotten
from pgtend.ledger.evidence import values_of
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

_ROOM: Final = __package__ or ""
_POOLS: Final = TypeAdapter(tuple[Pool, ...])
_HISTORY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A database as the ledger remembers it."""

    at: datetime
    findings: str
    memory: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether a look was news."""

    is_kept: bool


READ_KNOWN = query(_ROOM, "read_known", KnownRow)
RECORD_HEALTH = query(_ROOM, "record_health", Kept)
RECORD_CHANGE = command(_ROOM, "record_change")
RECORD_TABLE = command(_ROOM, "record_table")
FORGET_READINGS = query(_ROOM, "forget_readings", Forgotten)


@dataclass(frozen=True, slots=True)
class HealthStore:
    """The looks of a fleet in its ledger."""

    ledger: DatabaseLedger

    def known(self, database: str) -> Known | None:
        """Tell how a database stood at the last look; None before the first."""
        rows = self.ledger.reach(lambda session: session.rows(READ_KNOWN, {"database": database}))
        if not rows:
            return None
        row = rows[0]
        findings = tuple(found for found in FINDINGS.validate_json(row.findings) if found.watched in METRICS)
        return Known(at=row.at, findings=findings, memory=MEMORY.validate_json(row.memory))

    def history(self, database: str, watched: Watched, now: datetime) -> tuple[Point, ...]:
        """Read the last month of one metric, by days."""
        asked = {"database": database, "metric": watched.value, "since": now - _HISTORY}
        return tuple(self.ledger.reach(lambda session: session.rows(READ_DAYS, asked)))

    def keep(self, exam: Examination, stale_after: timedelta) -> bool:
        """Keep a look, all or nothing; one that was overtaken by a later look is not kept."""
        return self.ledger.reach(lambda session: _keep(session, exam, stale_after))

    def forget(self, *, keep: timedelta, actor: str) -> tuple[str, ...]:
        """Drop single looks of months that ended longer ago than `keep`."""
        asked = {"keep": keep, "actor": actor}
        return tuple(self.ledger.reach(lambda session: session.row(FORGET_READINGS, asked)).partitions)


def _keep(session: Session, exam: Examination, stale_after: timedelta) -> bool:
    with session.transaction():
        if not session.row(RECORD_HEALTH, _values(exam, stale_after)).is_kept:
            return False
        session.run_for_each(RECORD_CHANGE, [_change(exam, change) for change in exam.changes])
        tables = exam.look.tables if exam.is_first_of_day else ()
        session.run_for_each(RECORD_TABLE, [_table(exam, table) for table in tables])
    return True


def _values(exam: Examination, stale_after: timedelta) -> dict[str, object]:
    return {
        "database": exam.database,
        "at": exam.look.at,
        "took": exam.took.total_seconds(),
        "stale_after": stale_after,
        "server": exam.look.server,
        "level": exam.level.value,
        "names": [finding.watched.value for finding in exam.findings],
        "units": [finding.metric.unit.value for finding in exam.findings],
        "numbers": [None if found.value is None else float(found.value) for found in exam.findings],
        "findings": FINDINGS.dump_json(exam.findings).decode(),
        "pools": _POOLS.dump_json(exam.look.pools).decode(),
        "memory": MEMORY.dump_json(exam.look.memory).decode(),
    }


def _change(exam: Examination, change: Change) -> dict[str, object]:
    found: Finding = change.finding
    return {
        "database": exam.database,
        "at": exam.look.at,
        "metric": found.watched.value,
        "was": change.was.value,
        "level": found.level.value,
        "value": found.value,
        "about": found.about,
        "reason": found.explanation or found.reason.value,
    }


def _table(exam: Examination, table: TableState) -> dict[str, object]:
    return {**values_of(table), "database": exam.database, "at": exam.look.at}
