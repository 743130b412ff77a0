"""Where a number is going: its history, the slope of it, and the day on which it meets a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.health.metrics import METRICS
from pgtend.health.units import Unit
from pgtend.ledger.database import DatabaseLedger
from pgtend.sqlfiles import query

_DAYS_TO_JUDGE: Final = 7
_NEVER: Final = 3650.0
_FALL: Final = 0.8
_BY_LOOKS: Final = timedelta(days=7)
_POINTS: Final = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One metric during one step of time."""

    at: datetime
    low: float
    mean: float
    high: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The history of one metric of one database."""

    database: str
    watched: Watched
    unit: Unit
    points: tuple[Point, ...]


READ_DAYS = query(__package__ or "", "read_days", Point)
READ_LOOKS = query(__package__ or "", "read_looks", Point)


def trend(ledger: DatabaseLedger, database: str, watched: Watched, now: datetime, back: timedelta) -> Trend:
    """Read how a metric went: a week in steps made of single looks, longer by days."""
    asked: dict[str, object] = {"database": database, "metric": watched.value, "since": now - back}
    if back <= _BY_LOOKS:
        asked["step"] = max(back / _POINTS, timedelta(minutes=5))
        found = ledger.reach(lambda session: session.rows(READ_LOOKS, asked))
    else:
        found = ledger.reach(lambda session: session.rows(READ_DAYS, asked))
    return Trend(database=database, watched=watched, unit=METRICS[watched].unit, points=tuple(found))


def slope(points: Sequence[Point]) -> float:
    """Give the growth a day that most pairs of days agree on, so that one odd day bends nothing (Theil and Sen)."""
    rises = [(b.last - a.last) / _days(b.at - a.at) for a, b in combinations(points, 2) if b.at > a.at]
    return median(rises) if rises else 0.0


def since_last_fall(points: Sequence[Point]) -> Sequence[Point]:
    """Leave out what was before the number fell by a fifth at once: it was another disk, or another content.

    Back to what it was after one odd day is no fall.
    """
    start = 0
    for place in range(1, len(points)):
        week = [point.last for point in points[max(start, place - _DAYS_TO_JUDGE) : place]]
        if points[place].last < _FALL * median(week):
            start = place
    return points[start:]


def days_until(points: Sequence[Point], limit: float) -> float | None:
    """Tell in how many days a growing number meets its limit; None while there is too little history."""
    if len(points) < _DAYS_TO_JUDGE:
        return None
    growth, left = slope(points), limit - points[-1].last
    if left <= 0:
        return 0.0
    return min(left / growth, _NEVER) if growth > 0 else _NEVER


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)
