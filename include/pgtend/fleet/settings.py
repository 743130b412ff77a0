"""What a setting may hold: names, spans of time, clock times, time zones. Each refuses in a plain sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    Strict,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from pgtend.kernel.names import nearest
from pgtend.kernel.sizes import Bytes, UnreadableSize
from pgtend.kernel.times import UnreadableSpan, parse_span, say_span

REFUSED = "fleet"
_SLUG = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPAN_PATTERN = r"^\s*(\d+(\.\d+)?\s*(ms|s|sec|seconds?|min|minutes?|h|hours?|d|days?|weeks?|years?)\s*)+$"
_SIZE_PATTERN = r"^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI]?[bB]|[bB]|bytes)?\s*$"


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
            "a lower-case letter first, then lower-case letters, digits, '_' and '-', 40 at most: names become part of "
            "DAG ids and object keys",
        )
    return value


def _read_span(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise _spanless(value)
    try:
        span = parse_span(value)
    except UnreadableSpan as error:
        raise refusal(error.message, "write numbers with units: 90 s, 15 min, 2 h, 7 days") from error
    if span <= timedelta():
        raise refusal(f"'{value}' is no time at all", "write a span longer than zero")
    return span


def _read_size(value: object) -> object:
    if isinstance(value, Bytes):
        return value
    if not isinstance(value, str):
        raise refusal("expected a size", "write a number with a unit: 512 kB, 64 MB, 1.5 GB")
    try:
        size = Bytes.parse(value)
    except UnreadableSize as error:
        raise refusal(error.message, "write a number with a unit: 512 kB, 64 MB, 1.5 GB") from error
    if size <= 0:
        raise refusal(f"'{value}' is nothing at all", "write a size larger than zero")
    return size


def _spanless(value: object) -> PydanticCustomError:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return refusal(f"{value} has no unit of time", f"write {value} s, {value} min or {value} h")
    return refusal("expected a span of time", "write a number with a unit: 90 s, 15 min, 2 h, 7 days")


def _read_clock(value: object) -> object:
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        found = f"'{value[:40]}'" if isinstance(value, str) else "this"
        raise refusal(f"{found} is not a time of day", "write hours and minutes, from 00:00 to 23:59")
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


def say_timespan(span: timedelta) -> str:
    """Write a span as people write it into the file: 5 s, and not 5.0 s."""
    return say_span(span).replace(".0 s", " s")


def say_clock(moment: time) -> str:
    """Write a time of day as people write it into the file."""
    return f"{moment:%H:%M}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting holds, in the words of the settings page."""

    words: str


Slug: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("name"),
    BeforeValidator(_read_slug),
    WithJsonSchema({"type": "string", "pattern": f"^{_SLUG.pattern}$"}),
]
Span: TypeAlias = Annotated[
    timedelta,
    Kind("span of time"),
    BeforeValidator(_read_span),
    PlainSerializer(say_timespan, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SPAN_PATTERN}),
]
Size: TypeAlias = Annotated[
    Bytes,
    Kind("size"),
    PlainValidator(_read_size),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SIZE_PATTERN}),
]
ClockTime: TypeAlias = Annotated[
    time,
    Kind("time of day"),
    BeforeValidator(_read_clock),
    PlainSerializer(say_clock, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK.pattern})$"}),
]
Zone: TypeAlias = Annotated[
    str, Strict(), Kind("time zone"), BeforeValidator(_read_zone), WithJsonSchema({"type": "string"})
]
Text: TypeAlias = Annotated[str, Strict(), Kind("text"), Field(min_length=1, max_length=500)]
Switch: TypeAlias = Annotated[bool, Strict(), Kind("`true` or `false`")]
Count: TypeAlias = Annotated[int, Strict(), Kind("whole number from 1 to 1000"), Field(ge=1, le=1_000)]
Rows: TypeAlias = Annotated[int, Strict(), Kind("number of rows"), Field(ge=0)]
Fraction: TypeAlias = Annotated[float, Strict(), Kind("number above 0, at most 1"), Field(gt=0, le=1)]
