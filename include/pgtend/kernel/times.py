"""Moments and spans. Every moment is aware and in UTC; every span is a timedelta, never a bare number."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from pgtend.kernel.errors import Misconfigured

Clock: TypeAlias = Callable[[], datetime]
CLOCKS_DIFFER = timedelta(minutes=5)
"""As far apart two clocks may be that both count as right; what is dated further ahead was dated by a wrong one."""

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "sec": timedelta(seconds=1),
    "second": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "d": timedelta(days=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "year": timedelta(days=365),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)


class UnreadableSpan(Misconfigured):
    """A span of time was written in a way we do not know."""

    code = "kernel.unreadable_span"


def utc_now() -> datetime:
    """Tell the time, aware and in UTC."""
    return datetime.now(UTC)


def parse_span(text: str) -> timedelta:
    """Read `90 s`, `15 min`, `1 h 30 min`, `365 days`."""
    parts = _PART.findall(text)
    rest = _PART.sub("", text).strip()
    if not parts or rest:
        raise _unreadable(text)
    return sum((float(number) * _unit(unit, text) for number, unit in parts), timedelta())


def say_span(span: timedelta) -> str:
    """Say a span the way people read it: two units at most."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    days, rest = divmod(round(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    named = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    return " ".join([f"{amount} {unit}" for amount, unit in named if amount][:2])


def _unit(name: str, text: str) -> timedelta:
    unit = _UNITS.get(name.lower()) or _UNITS.get(name.lower().removesuffix("s"))
    if unit is None:
        raise _unreadable(text)
    return unit


def _unreadable(text: str) -> UnreadableSpan:
    return UnreadableSpan(
        f"'{text}' is not a span of time", hint="Write numbers with units: 90 s, 15 min, 2 h, 365 days."
    )
