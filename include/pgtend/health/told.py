"""What applications tell about themselves, kept beside what the server says: a checkout that takes longer, a queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from pgtend.health.trend import Point
from pgtend.kernel.errors import Refusal
from pgtend.kernel.times import CLOCKS_DIFFER
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

OLDEST: Final = timedelta(days=7)
_POINTS: Final = 168


class NotOfNow(Refusal):
    """A number is said to be of a moment that is too long ago, or has not come yet."""

    code = "health.not_of_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One number, as an application tells it."""

    name: str
    value: float
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldNow:
    """What was told last under one name."""

    name: str
    unit: str
    at: datetime
    value: float
    told_by: str


RECORD_TOLD = command(__package__ or "", "record_told")
READ_TOLD = query(__package__ or "", "read_told", Point)
READ_TOLD_NAMES = query(__package__ or "", "read_told_names", ToldNow)


def keep_told(session: Session, database: str, numbers: Sequence[Told], told_by: str, now: datetime) -> None:
    """Keep numbers of an application, all or none of them."""
    for number in numbers:
        if not now - OLDEST <= number.at <= now + CLOCKS_DIFFER:
            raise NotOfNow(
                f"'{number.name}' is said to be of {number.at:%Y-%m-%d %H:%M} UTC",
                hint="Tell a number within a week, with the right clock; leave `at` out for the moment of telling.",
            )
    with session.transaction():
        rows = [{**asdict(number), "database": database, "told_by": told_by} for number in numbers]
        session.run_for_each(RECORD_TOLD, rows)


def told_trend(session: Session, database: str, name: str, now: datetime, back: timedelta) -> list[Point]:
    """Read how a number of an application went."""
    step = max(back / _POINTS, timedelta(minutes=5))
    return session.rows(READ_TOLD, {"database": database, "name": name, "since": now - back, "step": step})


def told_lately(session: Session, database: str, since: datetime) -> list[ToldNow]:
    """List what an application told, by name."""
    return session.rows(READ_TOLD_NAMES, {"database": database, "since": since})
