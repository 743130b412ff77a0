"""The numbers of the fleet as monitoring reads them: OpenMetrics text, made from the ledger alone.

Where postgres_exporter has a name for something, that name is used. Everything else begins with `pgtend_`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics import exposition
from prometheus_client.registry import Collector

from pgtend.fleet.health import Watched
from pgtend.health.metrics import METRICS
from pgtend.health.model import Level
from pgtend.health.units import Unit
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ROOM: Final = __package__ or ""
_DAY: Final = 86400.0
# As postgres_exporter calls them, so that dashboards made for it find them.
_KNOWN: Final = {
    Watched.REACHABLE: "pg_up",
    Watched.LONGEST_TRANSACTION: "pg_stat_activity_max_tx_duration",
    Watched.DATABASE_SIZE: "pg_database_size_bytes",
    Watched.REPLAY_DELAY: "pg_replication_lag_seconds",
}
# Base units, as OpenMetrics wants them: what a value is divided by, and how its name ends.
_BASE: Final = {
    Unit.PERCENT: (0.01, "_ratio"),
    Unit.SECONDS: (1.0, "_seconds"),
    Unit.BYTES: (1.0, "_bytes"),
    Unit.DAYS: (_DAY, "_seconds"),
    Unit.TIMES: (1.0, "_ratio"),
    Unit.PER_SECOND: (1.0, "_per_second"),
    Unit.AMOUNT: (1.0, ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One metric of one database."""

    database: str
    metric: str
    unit: str
    level: str
    value: float | None
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolGauge:
    """The sessions of one application and role."""

    database: str
    application: str
    role: str
    active: int
    idle: int
    idle_in_transaction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGauge:
    """How a pipeline stands."""

    database: str
    pipeline: str
    outcome: str
    started_at: datetime
    took: float | None
    good_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGauge:
    """The backups of a database in one state."""

    database: str
    state: str
    amount: int
    newest_at: datetime
    newest_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGauge:
    """The open alerts of a database."""

    database: str
    severity: str
    amount: int


READ_GAUGES = query(_ROOM, "read_gauges", Gauge)
READ_POOL_GAUGES = query(_ROOM, "read_pool_gauges", PoolGauge)
READ_RUN_GAUGES = query(_ROOM, "read_run_gauges", RunGauge)
READ_BACKUP_GAUGES = query(_ROOM, "read_backup_gauges", BackupGauge)
READ_ALERT_GAUGES = query(_ROOM, "read_alert_gauges", AlertGauge)


def open_metrics(ledger: DatabaseLedger) -> bytes:
    """Write every number that is known and still true, ended by `# EOF`."""
    return ledger.reach(metrics_of)


def metrics_of(session: Session) -> bytes:
    """Write the same through a session that is open in the ledger."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet(session))
    write = cast("Callable[[CollectorRegistry], bytes]", exposition.generate_latest)  # pyright: ignore[reportUnknownMemberType] - half typed
    return write(registry)


def name_of(watched: Watched) -> str:
    """Name a metric of health as monitoring does."""
    return _KNOWN.get(watched) or f"pgtend_{watched}{_BASE[METRICS[watched].unit][1]}"


def names() -> frozenset[str]:
    """Name everything that can stand in the text."""
    others = {metric.name for metric in (*_families().values(), _activity())}
    return frozenset({name_of(watched) for watched in Watched} | others)


class _Fleet(Collector):
    """Reads the ledger once for every text."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def collect(self) -> Iterator[Metric]:
        """Give every family of numbers."""
        gauges = self.session.rows(READ_GAUGES)
        yield from _values(gauges)
        families = _families()
        _fill_health(families, gauges)
        _fill_runs(families, self.session.rows(READ_RUN_GAUGES))
        for backup in self.session.rows(READ_BACKUP_GAUGES):
            labels = [backup.database, backup.state]
            families["backups"].add_metric(labels, backup.amount)
            families["backup_newest"].add_metric(labels, backup.newest_at.timestamp())
            families["backup_size"].add_metric(labels, backup.newest_bytes)
        for alert in self.session.rows(READ_ALERT_GAUGES):
            families["alerts"].add_metric([alert.database, alert.severity], alert.amount)
        yield from families.values()
        yield _filled_activity(self.session.rows(READ_POOL_GAUGES))


def _families() -> dict[str, GaugeMetricFamily]:
    def made(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"pgtend_{name}", meaning, labels=["database", *labels])

    levels = ", ".join(f"{level.rank} {level}" for level in Level)
    return {
        "level": made("health_level", f"How a metric stands: {levels}.", "metric"),
        "looked": made("health_looked_at_timestamp_seconds", "When the database was looked at last."),
        "started": made("run_last_start_timestamp_seconds", "When the newest run began.", "pipeline"),
        "good": made("run_last_success_timestamp_seconds", "When a run last ended well.", "pipeline"),
        "took": made("run_last_duration_seconds", "How long the newest run took.", "pipeline"),
        "failed": made("run_last_failed", "1 when the newest run did not end well.", "pipeline"),
        "backups": made("backups", "Backups by what is known of them.", "state"),
        "backup_newest": made("backup_newest_timestamp_seconds", "The moment the newest backup shows.", "state"),
        "backup_size": made("backup_newest_size_bytes", "What the newest backup takes in the vault.", "state"),
        "alerts": made("alerts_open", "Open alerts.", "severity"),
    }


def _values(gauges: list[Gauge]) -> Iterator[Metric]:
    known = [gauge for gauge in gauges if gauge.metric in METRICS and gauge.value is not None]
    for watched, metric in METRICS.items():
        found = [gauge for gauge in known if gauge.metric == watched]
        if found:
            family = GaugeMetricFamily(name_of(watched), metric.meaning, labels=["database"])
            for gauge in found:
                family.add_metric([gauge.database], (gauge.value or 0.0) * _BASE[metric.unit][0])
            yield family


def _fill_health(families: dict[str, GaugeMetricFamily], gauges: list[Gauge]) -> None:
    for gauge in gauges:
        families["level"].add_metric([gauge.database, gauge.metric], Level(gauge.level).rank)
    for database, looked_at in {gauge.database: gauge.looked_at for gauge in gauges}.items():
        families["looked"].add_metric([database], looked_at.timestamp())


def _fill_runs(families: dict[str, GaugeMetricFamily], runs: list[RunGauge]) -> None:
    for run in runs:
        labels = [run.database, run.pipeline]
        families["started"].add_metric(labels, run.started_at.timestamp())
        families["failed"].add_metric(labels, run.outcome in {"failed", "interrupted", "vanished"})
        if run.good_at is not None:
            families["good"].add_metric(labels, run.good_at.timestamp())
        if run.took is not None:
            families["took"].add_metric(labels, run.took)


def _activity() -> GaugeMetricFamily:
    labels = ["database", "usename", "application_name", "state"]
    return GaugeMetricFamily("pg_stat_activity_count", "Sessions by what they do.", labels=labels)


def _filled_activity(pools: list[PoolGauge]) -> GaugeMetricFamily:
    family = _activity()
    for pool in pools:
        states = {"active": pool.active, "idle": pool.idle, "idle in transaction": pool.idle_in_transaction}
        for state, amount in states.items():
            if amount:
                family.add_metric([pool.database, pool.role, pool.application, state], amount)
    return family
