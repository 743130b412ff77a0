"""Health in a report: every metric with its limits and its history, the tables, the pools, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.fleet.model import Database
from pgtend.health.metrics import METRICS
from pgtend.health.model import HealthPolicy, Level, Limits
from pgtend.health.trend import Point, days_until
from pgtend.health.units import Metric, Side, Unit
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.report.concerns import metric_of
from pgtend.report.document import Cell, Chart, Column, Mark, Section, Step, Table, leveled, moment, number, text
from pgtend.report.facts import Daily, LevelChange, PoolNow, Standing, TableGrowth

_FULL: Final = 100.0
_FAR: Final = 365.0
_SHOWN: Final = 90
_ENOUGH_FOR_A_LINE: Final = 3
_NO_HISTORY: Final = "No day has been recorded yet: days are made of looks when the next one begins."
# What approaches an end, so that a day can be named on which it gets there.
_ENDING: Final = frozenset({Watched.DISK_USED, Watched.SEQUENCE_USED, Watched.TRANSACTION_AGE, Watched.MULTIXACT_AGE})
_CHARTED: Final = (
    Watched.CONNECTIONS_USED,
    Watched.TRANSACTIONS,
    Watched.CACHE_HIT,
    Watched.DATABASE_SIZE,
    Watched.DISK_USED,
    Watched.TRANSACTION_AGE,
)


def health_section(
    database: Database, standing: Sequence[Standing], daily: Mapping[str, Sequence[Daily]], marks: Sequence[Mark]
) -> Section:
    """Show every metric, worst first, with its limits, its last quarter and the day on which it ends."""
    policy = HealthPolicy(database.health)
    known = {row.metric: row for row in standing}
    order = sorted(known.values(), key=lambda row: -Level(row.level).rank)
    rows = tuple(
        _row(row, metric, policy.limits(metric.watched), daily.get(row.metric, ()))
        for row in order
        if (metric := metric_of(row.metric)) is not None and row.level != Level.NOT_WATCHED
    )
    return Section(
        key="health",
        title="Health",
        lead="The bar is the number now, the marks on it are its limits. The line is the last quarter.",
        charts=tuple(_charts(policy, daily, marks)),
        tables=(
            Table(
                key="health",
                title="Metrics",
                columns=(
                    Column("level", "Level"),
                    Column("metric", "Metric"),
                    Column("value", "Now", is_number=True),
                    Column("bar", "Against its limits"),
                    Column("history", "90 days"),
                    Column("end", "Ends in", is_number=True),
                ),
                rows=rows,
                empty="Nobody has looked at its health yet, so nobody knows how it stands.",
            ),
            _not_watched(standing),
        ),
    )


def changes_table(changes: Sequence[LevelChange]) -> Table:
    """List what got better or worse in the last week."""
    rows = tuple(
        (
            moment(change.at),
            text(metric.title, change.about),
            leveled(Level(change.was)),
            leveled(Level(change.level)),
            text("" if change.value is None else metric.unit.say(change.value), change.reason),
        )
        for change in changes
        if (metric := metric_of(change.metric)) is not None
    )
    columns = (
        Column("at", "When (UTC)"),
        Column("metric", "Metric"),
        Column("was", "Was"),
        Column("level", "Is"),
        Column("why", "Why"),
    )
    empty = "No metric changed its level in the last seven days."
    return Table(key="changes", title="Health", columns=columns, rows=rows, empty=empty)


def objects_section(
    tables: Sequence[TableGrowth], pools: Sequence[PoolNow], daily: Mapping[str, Sequence[Daily]]
) -> Section:
    """Show the largest tables and how they grow, and who holds the connections."""
    largest = max((table.size for table in tables), default=0) or 1
    return Section(
        key="objects",
        title="Tables and connections",
        lead=pool_advice(pools, daily),
        tables=(
            Table(
                key="tables",
                title="Largest tables",
                columns=(
                    Column("name", "Table"),
                    Column("size", "Size", is_number=True),
                    Column("share", "Beside the largest"),
                    Column("growth", "Growth", is_number=True),
                    Column("rows", "Rows", is_number=True),
                    Column("dead", "Dead rows", is_number=True),
                    Column("vacuumed", "Vacuumed"),
                ),
                rows=tuple(_table_row(table, largest) for table in tables),
                empty="No table has been recorded yet: they are read once a day.",
                note="Sizes hold indexes and TOAST, and are those of the last VACUUM or ANALYZE.",
            ),
            Table(
                key="pools",
                title="Connections",
                columns=(
                    Column("application", "Application"),
                    Column("role", "Role"),
                    Column("sessions", "Sessions", is_number=True),
                    Column("active", "At work", is_number=True),
                    Column("idle", "Idle", is_number=True),
                    Column("waiting", "Idle in transaction", is_number=True),
                    Column("unused", "Unused for long", is_number=True),
                ),
                rows=tuple(_pool_row(pool) for pool in pools),
                empty="At the last look no client was connected, or nobody may see who is.",
            ),
        ),
    )


def pool_advice(pools: Sequence[PoolNow], daily: Mapping[str, Sequence[Daily]]) -> str:
    """Say how large pools need to be, by the busiest moment of a week; nothing when too little is known."""
    busiest = max((day.high for day in daily.get(Watched.SESSIONS_ACTIVE, ())[-7:]), default=None)
    held = max((day.high for day in daily.get(Watched.SESSIONS, ())[-7:]), default=None)
    if busiest is None or held is None or held < 1:
        return ""
    enough = max(5, round(busiest * 1.5))
    said = f"In the last seven days at most {busiest:.0f} of {held:.0f} sessions worked at the same moment"
    leaking = [pool for pool in pools if pool.idle_long >= 5]  # noqa: PLR2004 - fewer are somebody's open window
    if leaking:
        said += f"; {leaking[0].application} holds {leaking[0].idle_long} that it has not used for long"
    return f"{said}. Pools of {enough} in all would do." if held > enough * 2 else f"{said}."


def step_chart(watched: Watched, days: Sequence[Daily], limits: Limits, marks: Sequence[Mark]) -> Chart:
    """Draw a quarter of one metric."""
    metric = METRICS[watched]
    return Chart(
        key=watched.value,
        title=metric.title,
        unit=metric.unit,
        steps=tuple(Step(day=day.day.date(), value=day.mean, low=day.low, high=day.high) for day in days),
        empty=_NO_HISTORY,
        warning=limits.warning,
        critical=limits.critical,
        marks=tuple(marks),
        ceiling=_FULL if watched is Watched.CACHE_HIT else None,
    )


def _charts(policy: HealthPolicy, daily: Mapping[str, Sequence[Daily]], marks: Sequence[Mark]) -> Iterator[Chart]:
    for watched in _CHARTED:
        days = daily.get(watched, ())
        if days or watched is not Watched.DISK_USED:
            yield step_chart(watched, days, policy.limits(watched), marks)


def _row(row: Standing, metric: Metric, limits: Limits, days: Sequence[Daily]) -> tuple[Cell, ...]:
    history = tuple(day.mean for day in days)
    return (
        leveled(Level(row.level)),
        text(metric.title, row.about or ("" if row.level == Level.OK else metric.meaning)),
        number(row.value, metric.unit, row.reason if row.level == Level.UNKNOWN else ""),
        _bar(row.value, limits, metric),
        Cell(shown="", raw=None, spark=_by_day(days) if len(history) >= _ENOUGH_FOR_A_LINE else ()),
        _end(metric.watched, days),
    )


def _by_day(days: Sequence[Daily]) -> tuple[float | None, ...]:
    """Lay values out by day, with a gap for each day that nobody saw."""
    values: list[float | None] = [days[0].mean]
    for earlier, later in pairwise(days):
        values += [None] * ((later.day - earlier.day).days - 1)
        values.append(later.mean)
    return tuple(values[-_SHOWN:])


def _bar(value: float | None, limits: Limits, metric: Metric) -> Cell:
    bounds = [limit for limit in (limits.warning, limits.critical) if limit is not None]
    if value is None or not bounds:
        return Cell(shown="")
    low_is_bad = metric.side is Side.BELOW
    end = _FULL if metric.unit is Unit.PERCENT and max(bounds) <= _FULL else max(bounds) * (2 if low_is_bad else 1.25)
    marks = tuple(min(bound / end, 1.0) for bound in bounds)
    return Cell(shown=str(limits), raw=str(limits), share=min(value / end, 1.0), marks=marks)


def _end(watched: Watched, days: Sequence[Daily]) -> Cell:
    if watched not in _ENDING or not days:
        return Cell(shown="")
    points = [Point(at=day.day, low=day.low, mean=day.mean, high=day.high, last=day.last) for day in days[-30:]]
    left = days_until(points, _FULL)
    if left is None:
        return Cell(shown="", small="a week of history is needed")
    return Cell(shown="over a year" if left > _FAR else Unit.DAYS.say(left), raw=round(left, 1))


def _not_watched(standing: Sequence[Standing]) -> Table:
    rows = tuple(
        (text(metric.title), text(row.reason))
        for row in standing
        if row.level == Level.NOT_WATCHED and (metric := metric_of(row.metric)) is not None
    )
    columns = (Column("metric", "Metric"), Column("why", "Why"))
    return Table(key="not_watched", title="Not watched", columns=columns, rows=rows, empty="Everything is watched.")


def _table_row(table: TableGrowth, largest: int) -> tuple[Cell, ...]:
    grown = table.size - table.earlier_size if table.earlier_size is not None else None
    days = (table.at - table.earlier_at).days if table.earlier_at else 0
    growth = Cell(shown="\N{EN DASH}", small="no earlier day")
    if grown is not None and days:
        sign = "+" if grown >= 0 else "\N{MINUS SIGN}"
        growth = Cell(shown=f"{sign}{Bytes(abs(grown))}", raw=grown, small=f"in {counted(days, 'day')}")
    return (
        text(table.name),
        number(table.size, Unit.BYTES),
        Cell(shown="", share=table.size / largest),
        growth,
        number(table.rows, Unit.AMOUNT),
        number(
            table.dead, Unit.AMOUNT, f"{table.dead_ratio:.1f} times autovacuum's limit" if table.dead_ratio >= 1 else ""
        ),
        moment(table.vacuumed_at),
    )


def _pool_row(pool: PoolNow) -> tuple[Cell, ...]:
    amounts = (pool.sessions, pool.active, pool.idle, pool.idle_in_transaction, pool.idle_long)
    return (text(pool.application), text(pool.role), *(number(amount, Unit.AMOUNT) for amount in amounts))


def looked_at(standing: Sequence[Standing]) -> datetime | None:
    """Tell when a database was looked at last."""
    return max((row.looked_at for row in standing), default=None)
