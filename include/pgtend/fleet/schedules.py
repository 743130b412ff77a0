"""Cron lines: what is wrong with one, and at which times of day it fires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise, product
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from croniter import CroniterBadCronError, CroniterBadDateError, croniter
from pydantic import BeforeValidator, Strict, WithJsonSchema

from pgtend.fleet.settings import Kind, refusal
from pgtend.fleet.window import Window

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_LIMITS = ("from 0 to 59", "from 0 to 23", "from 1 to 31", "from 1 to 12 or jan to dec", "from 0 to 7 or sun to sat")
_ALPHABET = re.compile(r"[0-9a-zA-Z*/,#-]+")
AUDIT = "0 6 * * *"
"""When the audit is verified and anchored, in the time zone of the fleet."""
_SHORTHANDS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_HINT = "five fields: minute, hour, day of the month, month, day of the week; for example 30 1 * * * is 01:30 every day"


def default_schedule(window: Window) -> str:
    """Choose a time inside a window: half an hour after it opens, or half-way when it is shorter than an hour."""
    if window.is_always_open:
        return "30 1 * * *"
    length = timedelta(minutes=(_minutes(window.end) - _minutes(window.start)) % 1440)
    fires = _minutes(window.start) + int(min(timedelta(minutes=30), length / 2) / timedelta(minutes=1))
    return f"{fires % 60} {fires // 60 % 24} * * *"


@lru_cache(maxsize=1024)
def times_outside(schedule: str, window: Window) -> tuple[time, ...]:
    """List the times of day at which a schedule fires while the window is closed."""
    return tuple(clock for clock in fire_times(schedule) if not window.covers(clock))


def fire_times(schedule: str) -> Iterator[time]:
    """List every time of day at which a schedule can fire, earliest first: they do not depend on the day."""
    minutes, hours = croniter.expand(schedule)[0][:2]
    for hour, minute in product(_numbers(hours, 24), _numbers(minutes, 60)):
        yield time(hour, minute)


def last_fired(schedule: str, zone: str, moment: datetime) -> datetime:
    """Tell when a schedule fired last: at this moment or before."""
    local = moment.astimezone(ZoneInfo(zone)) + timedelta(microseconds=1)
    return croniter(schedule, local).get_prev(datetime).astimezone(UTC)


def gap_of(schedule: str) -> timedelta:
    """Tell the longest time between two starts of a schedule, among its next ones."""
    ticks = croniter(schedule, datetime(2025, 1, 1, tzinfo=UTC))
    fires: list[datetime] = [ticks.get_next(datetime) for _ in range(50)]
    return max(later - earlier for earlier, later in pairwise(fires))


def _numbers(values: Sequence[int | str], size: int) -> list[int]:
    return list(range(size)) if "*" in values else sorted(int(value) for value in values)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _read_cron(value: object) -> object:
    if not isinstance(value, str):
        return value
    schedule = " ".join(value.split())
    complaint = _complaint(schedule)
    if complaint:
        raise refusal(f"'{schedule[:60]}' is not a schedule: {complaint}", _HINT)
    return schedule


@lru_cache(maxsize=1024)
def _complaint(schedule: str) -> str:
    """Say what is wrong with a cron line; an empty string means nothing is."""
    if schedule.startswith("@"):
        return "" if schedule in _SHORTHANDS else f"of the words with '@' only {', '.join(_SHORTHANDS)} are known"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} fields instead of 5"
    wrong = [_complaint_about(index, field) for index, field in enumerate(fields) if not _is_readable(index, field)]
    return wrong[0] if wrong else _complaint_about_dates(schedule)


def _is_readable(index: int, field: str) -> bool:
    if not _ALPHABET.fullmatch(field) or re.search(r"(?i)\b[hr]\b", field):
        return False
    try:
        croniter.expand(" ".join([*["*"] * index, field, *["*"] * (4 - index)]))
    except (CroniterBadCronError, ValueError, KeyError):
        return False
    return True


def _complaint_about(index: int, field: str) -> str:
    return f"'{field}' is no {_FIELDS[index]} ({_LIMITS[index]})"


def _complaint_about_dates(schedule: str) -> str:
    try:
        croniter(schedule, datetime(2025, 1, 1, tzinfo=UTC)).get_next(datetime)
    except CroniterBadDateError:
        return "there is no such date, so it would never fire"
    except CroniterBadCronError:
        return "the fields do not fit together"
    return ""


Cron: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("cron line"),
    BeforeValidator(_read_cron),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(@[a-z]+|\S+(\s+\S+){4})\s*$", "examples": ["30 1 * * *"]}),
]
