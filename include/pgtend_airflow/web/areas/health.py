"""Health and analysis: how a database feels, where its numbers are going, who holds connections, how its tables are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

from fastapi import Path, Query
from pydantic import BaseModel, Field, StringConstraints

from pgtend.fleet.health import HealthRules, Watched
from pgtend.health.metrics import METRICS
from pgtend.health.told import told_lately, told_trend
from pgtend.health.trend import Point, days_until, trend
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.overview import health, statements
from pgtend.overview.fleet import Asked, overview
from pgtend.overview.health import Analysis, HealthChange, PoolAdvice, PoolRow, TableRow
from pgtend.overview.model import Cell
from pgtend.overview.statements import Days, Regression, Spent
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import Chosen, Door
from pgtend_airflow.web.problems import NotFound
from pgtend_airflow.web.standing import Role

DOOR = Door("health and analysis")
_CHANGES_BACK: Final = timedelta(days=14)
_PEAKS_BACK: Final = timedelta(days=7)

OF_APPLICATION: Final = "app."

Metric: TypeAlias = Watched | Annotated[str, StringConstraints(pattern=r"^app\.[a-z][a-z0-9_]{0,62}$")]
Table: TypeAlias = Annotated[
    str, Path(pattern=r"^[^\x00/]{1,130}$", description="A table: schema and name, or the name alone for public.")
]


class Finding(BaseModel):
    """One thing that is watched, with what it means and what to do."""

    metric: str
    title: str
    meaning: str
    unit: str
    level: str
    value: float | None
    says: str = Field(description="The value as people read it.")
    about: str = Field(description="What exactly: a table, a slot, an application.")
    reason: str
    advice: str
    since: datetime | None
    warning: float | None
    critical: float | None


class HealthView(BaseModel):
    """How a database stood at the last look."""

    database: str
    level: str
    looked_at: datetime | None
    findings: list[Finding]
    changes: list[HealthChange]


class TrendView(BaseModel):
    """Where a number is going."""

    database: str
    metric: str
    title: str
    meaning: str
    unit: str
    warning: float | None
    critical: float | None
    days_until_critical: float | None = Field(description="By the growth that most pairs of days agree on.")
    points: Sequence[Point]


class Pooling(BaseModel):
    """Who holds connections, and how large the pools should be."""

    database: str
    pools: list[PoolRow]
    advice: PoolAdvice


class Analyzed(BaseModel):
    """What is known of a database, gathered on one page."""

    database: str
    cells: dict[str, Cell]
    health: list[Finding]
    top_statements: list[Spent]
    regressions: list[Regression]
    largest_tables: list[TableRow]


class TableView(BaseModel):
    """What is known of one table."""

    database: str
    table: str
    now: TableRow | None = Field(description="As it was last seen; nothing for a table that is not among the largest.")
    analyses: list[Analysis]


@DOOR.get("/database/health", Role.VIEWER, "How a database feels")
def database_health(database: Chosen, session: Reading) -> HealthView:
    """Tell everything that is watched, worst first, and what got better or worse in two weeks."""
    known = health.worst_health(session, [database]).get(database)
    return HealthView(
        database=database,
        level=known.level if known else "unknown",
        looked_at=known.looked_at if known else None,
        findings=_findings(session, database),
        changes=health.health_changes(session, database, utc_now() - _CHANGES_BACK),
    )


@DOOR.get("/database/performance/trends/{metric}", Role.VIEWER, "Where a number is going")
def trends(
    database: Chosen,
    session: Reading,
    metric: Annotated[
        Metric, Path(description="What is watched, or `app.` and the name of a number that an application tells.")
    ],
    days: Annotated[int, Query(ge=1, le=730, description="How many days to look back.")] = 30,
) -> TrendView:
    """Read a metric over time: a week in steps of looks, longer by days; with its limits and the day it meets one."""
    if not isinstance(metric, Watched):
        return _of_application(session, database, metric, timedelta(days=days))
    found = trend(DatabaseLedger(session), database, metric, utc_now(), timedelta(days=days))
    of, (warning, critical) = METRICS[metric], _limits(database, metric)
    return TrendView(
        database=database,
        metric=metric.value,
        title=of.title,
        meaning=of.meaning,
        unit=of.unit.value,
        warning=warning,
        critical=critical,
        days_until_critical=days_until(found.points, critical) if critical is not None else None,
        points=found.points,
    )


@DOOR.get("/database/analysis/connection-pooling", Role.RESEARCHER, "Who holds connections")
def connection_pooling(database: Chosen, session: Reading) -> Pooling:
    """Tell who holds connections and leaks them, and how large the pools should be by the work that was really done."""
    held = health.pools(session, database)
    peaks = health.session_peaks(session, database, utc_now() - _PEAKS_BACK)
    return Pooling(database=database, pools=held, advice=health.pool_advice(held, peaks))


@DOOR.get("/database/analysis/overview", Role.RESEARCHER, "Everything worth knowing of a database")
def analysis_overview(database: Chosen, session: Reading) -> Analyzed:
    """Gather how it stands, what is near a limit, what it spends most on, what became slower, what is largest."""
    file, now = usable_fleet(), utc_now()
    row = overview(session, Asked(fleet=file, databases=[file.databases[database]], now=now)).rows[0]
    week = Days(now.date() - timedelta(days=7), now.date())
    return Analyzed(
        database=database,
        cells=dict(row.cells),
        health=[found for found in _findings(session, database) if found.level not in {"ok", "not watched"}],
        top_statements=statements.top(session, database, week, most=10),
        regressions=statements.regressions(session, database, week.first),
        largest_tables=health.tables(session, database, now, most=10),
    )


@DOOR.get("/database/analysis/tables", Role.RESEARCHER, "The largest tables")
def largest_tables(database: Chosen, session: Reading) -> list[TableRow]:
    """Read the largest tables as they were last seen, with their size four weeks before."""
    return health.tables(session, database, utc_now())


@DOOR.get("/database/analysis/tables/{table}", Role.RESEARCHER, "One table")
def one_table(database: Chosen, session: Reading, table: Table) -> TableView:
    """Read what is known of one table: its size, its dead rows, and what was decided about its statistics."""
    now, (schema, name) = utc_now(), _split(table)
    seen = health.tables(session, database, now, name=f"{schema}.{name}")
    decided = health.analyses(session, database, (schema, name), now - timedelta(days=92))
    if not seen and not decided:
        raise NotFound("nothing is known of such a table", hint="Write schema.name, as PostgreSQL does.")
    return TableView(database=database, table=f"{schema}.{name}", now=seen[0] if seen else None, analyses=decided)


def _of_application(session: Reading, database: str, metric: str, back: timedelta) -> TrendView:
    name = metric.removeprefix(OF_APPLICATION)
    points = told_trend(session, database, name, utc_now(), back)
    if not points:
        raise NotFound(
            f"no application told '{name}' in that time", hint="GET /database/performance/metrics lists all."
        )
    units = {one.name: one.unit for one in told_lately(session, database, utc_now() - back)}
    return TrendView(
        database=database,
        metric=metric,
        title=name.replace("_", " "),
        meaning="Told by the application; pgtend did not measure it.",
        unit=units.get(name, ""),
        warning=None,
        critical=None,
        days_until_critical=None,
        points=points,
    )


def _findings(session: Reading, database: str) -> list[Finding]:
    return [_finding(database, row) for row in health.health(session, database)]


def _finding(database: str, row: health.HealthRow) -> Finding:
    known = METRICS.get(Watched(row.metric)) if row.metric in set(Watched) else None
    warning, critical = _limits(database, Watched(row.metric)) if known else (None, None)
    return Finding(
        metric=row.metric,
        title=known.title if known else row.metric,
        meaning=known.meaning if known else "",
        unit=row.unit,
        level=row.level,
        value=row.value,
        says=known.unit.say(row.value) if known and row.value is not None else "",
        about=row.about,
        reason=row.reason,
        advice=known.advice if known else "",
        since=row.since,
        warning=warning,
        critical=critical,
    )


def _limits(database: str, metric: Watched) -> tuple[float | None, float | None]:
    """Give the limits of a metric: the fleet file's where it names one."""
    rules: HealthRules = usable_fleet().databases[database].health
    own, usual = rules.limits.get(metric), METRICS[metric]
    warning = own.warning if own and own.warning is not None else usual.warning
    critical = own.critical if own and own.critical is not None else usual.critical
    return warning, critical


def _split(table: str) -> tuple[str, str]:
    schema, dot, name = table.partition(".")
    return (schema, name) if dot else ("public", schema)
