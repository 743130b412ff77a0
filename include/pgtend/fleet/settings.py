"""What a setting may hold: names, spans of time, clock times, time zones. Each refuses in a plain sentence."""

from __future__ import annotations

import re
from datetime import time, timedelta
from functools import lru_cache
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from pgtend.kernel.names import nearest
from pgtend.kernel.times import UnreadableSpan, parse_span, say_span

REFUSED = "fleet"
_SLUG = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPAN_PATTERN = r"^\s*(\d+(\.\d+)?\s*(ms|s|sec|seconds?|min|minutes?|h|hours?|d|days?|weeks?|years?)\s*)+$"


class Settings(BaseModel):
    """A block of the fleet file: frozen, and strict about names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)


def refusal(what: str, hint: str = "") -> PydanticCustomError:
    """Say why a setting is refused; the sentence reaches people exactly as written here."""
    return PydanticCustomError(REFUSED, "{what}", {"what": what, "hint": hint})


def _read_slug(value: object) -> object:
    if isinstance(value, str) and not _SLUG.fullmatch(value):
        raise refusal(
            f"'{value[:60]}' cannot be used as a name",
            "a name starts with a lower-case letter and goes on with lower-case letters, digits, '_' and '-', "
            "40 characters at most: it becomes part of DAG ids and object keys",
        )
    return value


def _read_span(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise refusal("this is a span of time and needs a unit", "for example 90 s, 15 min or 2 h")
    try:
        span = parse_span(value)
    except UnreadableSpan as error:
        raise refusal(error.message, "write numbers with units: 90 s, 15 min, 2 h, 7 days") from error
    if span <= timedelta():
        raise refusal(f"'{value}' is no time at all", "write a span longer than zero")
    return span


def _read_clock(value: object) -> object:
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise refusal("this is not a time of day", "write hours and minutes, from 00:00 to 23:59")
    return time(int(match.group(1)), int(match.group(2)))


def _read_zone(value: object) -> object:
    if isinstance(value, str) and not _is_zone(value):
        near = nearest(value, available_timezones())
        raise refusal(
            f"'{value[:60]}' is not a time zone",
            f"did you mean '{near}'?" if near else "write a name such as UTC, Africa/Lagos or Europe/Berlin",
        )
    return value


@lru_cache(maxsize=256)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _say_clock(moment: time) -> str:
    return f"{moment:%H:%M}"


Slug: TypeAlias = Annotated[
    str, Strict(), BeforeValidator(_read_slug), WithJsonSchema({"type": "string", "pattern": f"^{_SLUG.pattern}$"})
]
Span: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_read_span),
    PlainSerializer(say_span, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SPAN_PATTERN}),
]
ClockTime: TypeAlias = Annotated[
    time,
    BeforeValidator(_read_clock),
    PlainSerializer(_say_clock, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK.pattern})$"}),
]
Zone: TypeAlias = Annotated[str, Strict(), BeforeValidator(_read_zone), WithJsonSchema({"type": "string"})]
Text: TypeAlias = Annotated[str, Strict(), Field(min_length=1, max_length=500)]
Switch: TypeAlias = Annotated[bool, Strict()]
Count: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=1_000)]
Rows: TypeAlias = Annotated[int, Strict(), Field(ge=0)]
Fraction: TypeAlias = Annotated[float, Strict(), Field(gt=0, le=1)]
