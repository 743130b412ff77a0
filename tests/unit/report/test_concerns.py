"""What needs somebody is said in words that fit: a pipeline fails, and a statement gets slower."""

from __future__ import annotations

from datetime import UTC, datetime

from pgtend.fleet.model import Database
from pgtend.health.model import Level
from pgtend.report.concerns import concerns_of
from pgtend.report.facts import OpenTrouble

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KGC = Database.model_validate({"name": "kgc", "connection": "kgc", "backup": {"enabled": False}})
SLOWER = "a statement of app takes 6.0 times as long as usual: SELECT 1"


def trouble(pipeline: str, code: str, message: str) -> OpenTrouble:
    """Describe an alert that is open."""
    return OpenTrouble(
        database="kgc",
        pipeline=pipeline,
        severity="ticket",
        code=code,
        message=message,
        hint="Look.",
        opened_at=NOON,
        times_failed=1,
    )


def test_a_slower_statement_is_no_failed_pipeline() -> None:
    """Its own sentence stands there, as a warning; what failed says that it fails; health speaks for itself."""
    troubles = [
        trouble("statements", "statements.slower", SLOWER),
        trouble("analyze", "postgres.unreachable", "it does not answer"),
        trouble("health", "health.sessions", "too many"),
    ]
    found = [concern for concern in concerns_of(KGC, [], troubles, [], NOON) if concern.level is Level.WARNING]
    assert [(concern.what, concern.advice) for concern in found] == [(SLOWER, "Look."), ("analyze fails", "Look.")]
