"""Health as tasks see it: look, tell, keep, and give the numbers to whatever collects Airflow's own metrics."""

from __future__ import annotations

from typing import Final

from airflow.sdk.observability import stats

from pgtend.fleet.health import Watched
from pgtend.health.job import PIPELINE, examine, stale_after
from pgtend.health.model import Level
from pgtend.health.report import Examination
from pgtend.health.store import HealthStore
from pgtend.ledger.database import DatabaseLedger
from pgtend_airflow.alerts.telling import Origin
from pgtend_airflow.alerts.watching import tell_health
from pgtend_airflow.desk import Desk, usable_fleet

# A dozen that dashboards of Airflow want; all the others are in the ledger and in OpenMetrics.
GAUGES: Final = (
    Watched.REACHABLE,
    Watched.CONNECTIONS_USED,
    Watched.SESSIONS_ACTIVE,
    Watched.IDLE_IN_TRANSACTION,
    Watched.LONGEST_TRANSACTION,
    Watched.LOCK_WAIT,
    Watched.CACHE_HIT,
    Watched.TRANSACTIONS,
    Watched.TRANSACTION_AGE,
    Watched.REPLICATION_LAG,
    Watched.DATABASE_SIZE,
    Watched.DISK_USED,
)


def look_after(desk: Desk) -> None:
    """Look at the database, tell people what changed, keep the numbers; fail when it does not answer."""
    store = HealthStore(desk.ledger) if isinstance(desk.ledger, DatabaseLedger) else None
    exam = examine(desk.database, desk.address, store)
    desk.progress(str(exam))
    for finding in (*exam.bad, *exam.unknown):
        desk.progress(f"{finding.level}: {finding}")
    # First the people, then the ledger: a look that was kept and not told would never be told.
    tell_health(usable_fleet(), Origin(desk.database.name, PIPELINE, desk.subject.run_url), exam)
    if store is not None:
        store.keep(exam, stale_after(desk.database))
    give_gauges(exam)
    if exam.failure is not None:
        raise exam.failure


def give_gauges(exam: Examination) -> None:
    """Give a dozen numbers to StatsD or OpenTelemetry, where Airflow is set up for it."""
    tags = {"database": exam.database}
    values = {finding.watched: finding.value for finding in exam.findings}
    for watched in GAUGES:
        value = values.get(watched)
        if value is not None:
            stats.gauge(f"pgtend.{watched}", value, tags=tags)
    stats.gauge("pgtend.health_level", Level(exam.level).rank, tags=tags)
