"""How each database felt at the last look: what is close to a limit, who holds connections, which tables grow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.fleet.health import Watched
from pgtend.health.metrics import METRICS
from pgtend.kernel.times import CLOCKS_DIFFER
from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

HEALTH = Column(
    key="health",
    title="Health",
    meaning="The worst of some forty things that are looked at every few minutes. Not looked at is not known.",
)
_LIGHTS: Mapping[str, Light] = {"ok": Light.GOOD, "warning": Light.WATCH, "critical": Light.BAD}
_ROOM_TO_GROW = 1.5
_SPARE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstHealth:
    """How one database stood at the last look."""

    database: str
    level: str
    looked_at: datetime
    is_stale: bool
    troubles: int
    metric: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """One thing that is watched."""

    metric: str
    unit: str
    level: str
    value: float | None
    about: str
    reason: str
    since: datetime | None
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """Something got better or worse."""

    at: datetime
    metric: str
    was: str
    level: str
    value: float | None
    about: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """The connections of one application under one role."""

    application: str
    role: str
    sessions: int
    active: int
    idle: int
    idle_in_transaction: int
    idle_long: int
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """How high a number of sessions went."""

    metric: str
    looks: int
    highest: float
    usual_peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One of the largest tables."""

    name: str
    at: datetime
    size: int
    rows: int
    dead: int
    dead_ratio: float
    stale_ratio: float
    vacuumed_at: datetime | None
    size_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What the analyze pipeline decided for a table."""

    at: datetime
    decision: str
    reason: str
    outcome: str
    took: timedelta | None
    rows_before: int | None
    rows_after: int | None
    changed_rows: int | None
    proved_at: datetime | None
    error_code: str
    run_id: str


READ_HEALTH_WORST = query(__package__ or "", "read_health_worst", WorstHealth)
READ_HEALTH = query(__package__ or "", "read_health", HealthRow)
READ_HEALTH_CHANGES = query(__package__ or "", "read_health_changes", HealthChange)
READ_POOLS = query(__package__ or "", "read_pools", PoolRow)
READ_SESSION_PEAKS = query(__package__ or "", "read_session_peaks", Peak)
READ_TABLES = query(__package__ or "", "read_tables", TableRow)
READ_ANALYSES = query(__package__ or "", "read_analyses", Analysis)


def worst_health(session: Session, databases: Sequence[str]) -> Mapping[str, WorstHealth]:
    """Read what the first page says of health, by database."""
    return {row.database: row for row in session.rows(READ_HEALTH_WORST, {"databases": list(databases)})}


def health(session: Session, database: str) -> list[HealthRow]:
    """Read everything that is watched in one database, worst first."""
    return session.rows(READ_HEALTH, {"database": database})


def health_changes(session: Session, database: str, since: datetime, *, most: int = 50) -> list[HealthChange]:
    """Read when something got better or worse."""
    return session.rows(READ_HEALTH_CHANGES, {"database": database, "since": since, "most": most})


def pools(session: Session, database: str) -> list[PoolRow]:
    """Read who holds connections."""
    return session.rows(READ_POOLS, {"database": database})


def session_peaks(session: Session, database: str, since: datetime) -> Mapping[str, Peak]:
    """Read how many sessions there were at the same time."""
    return {row.metric: row for row in session.rows(READ_SESSION_PEAKS, {"database": database, "since": since})}


def tables(session: Session, database: str, now: datetime, *, name: str = "", most: int = 50) -> list[TableRow]:
    """Read the largest tables, or one of them."""
    return session.rows(READ_TABLES, {"database": database, "now": now, "name": name, "most": most})


def analyses(session: Session, database: str, table: tuple[str, str], since: datetime) -> list[Analysis]:
    """Read what was decided about the statistics of one table."""
    asked = {"database": database, "schema": table[0], "table": table[1], "since": since, "most": 50}
    return session.rows(READ_ANALYSES, asked)


def health_cell(database: str, known: WorstHealth | None, now: datetime) -> Cell:
    """Judge the last look."""
    page = f"page:{database}/health"
    if known is None:
        return Cell(light=Light.UNKNOWN, says="not looked at", why="Nobody has looked at it yet.", link=page)
    if known.looked_at > now + CLOCKS_DIFFER:
        when = f"{known.looked_at:%Y-%m-%d %H:%M} UTC"
        why = f"Its last look was dated {when} by a clock that was wrong; the next one replaces it."
        return Cell(light=Light.UNKNOWN, says="not looked at", why=why, link=page)
    ago = say_age(max(now - known.looked_at, timedelta()))
    if known.is_stale:
        return Cell(light=Light.UNKNOWN, says="not looked at", why=f"The last look was {ago} ago.", link=page)
    light = _LIGHTS.get(known.level, Light.UNKNOWN)
    if light is Light.GOOD:
        return Cell(light=light, says="well", why=f"Nothing is near a limit, as of {ago} ago.", link=page)
    title = METRICS[Watched(known.metric)].title if known.metric in set(Watched) else str(known.metric)
    more = f", and {known.troubles - 1} more" if known.troubles > 1 else ""
    return Cell(light=light, says=f"{title.lower()}{more}", why=f"{title}: {known.reason}.", link=page)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAdvice:
    """How large the pools of a database should be together, and why."""

    suggested: int | None
    why: str
    leaks: Sequence[str]


def pool_advice(held: Sequence[PoolRow], peaks: Mapping[str, Peak]) -> PoolAdvice:
    """Size pools by the work that was really done at the same time, with half as much again to spare."""
    leaks = [
        f"The application {pool.application or 'without a name'} ({pool.role}) has not used {pool.idle_long} of its "
        f"{pool.sessions} connections for long: it keeps too many, or gives them not back"
        for pool in held
        if pool.idle_long > max(_SPARE, pool.sessions // 2)
    ]
    working, open_at_once = peaks.get("sessions_active"), peaks.get("sessions")
    if working is None or open_at_once is None:
        return PoolAdvice(suggested=None, why="There are no looks yet to judge by.", leaks=leaks)
    suggested = math.ceil(working.usual_peak * _ROOM_TO_GROW) + _SPARE
    why = (
        f"In {working.looks} looks {working.usual_peak:.0f} sessions worked at the same time in all but the busiest "
        f"hundredth ({working.highest:.0f} at most), and up to {open_at_once.highest:.0f} were open."
    )
    return PoolAdvice(suggested=suggested, why=why, leaks=leaks)
