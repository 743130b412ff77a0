"""What a metric is: its unit, the side on which it is bad, its limits, and how a value is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span

_FEW: Final = 10


class Unit(StrEnum):
    """What a number counts."""

    PERCENT = "percent"
    SECONDS = "seconds"
    BYTES = "bytes"
    DAYS = "days"
    TIMES = "times"
    AMOUNT = "amount"
    PER_SECOND = "per second"

    def say(self, value: float) -> str:
        """Write a value the way people read it."""
        if self is Unit.SECONDS:
            return say_span(timedelta(seconds=value)).replace(".0 s", " s") if value else "0 s"
        if self is Unit.BYTES:
            return str(Bytes(value))
        if self is Unit.PERCENT:
            return f"{value:.0f} %" if value == round(value) or value >= _FEW else f"{value:.1f} %"
        return f"{value:{_WRITTEN[self]}}{_WORDS[self]}"


_WRITTEN: Final = {Unit.DAYS: ",.0f", Unit.TIMES: ".1f", Unit.PER_SECOND: ",.1f", Unit.AMOUNT: ",.0f"}
_WORDS: Final = {Unit.DAYS: " days", Unit.TIMES: " times", Unit.PER_SECOND: "/s", Unit.AMOUNT: ""}


class Side(StrEnum):
    """On which side of a limit it is bad."""

    ABOVE = "from"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing that is watched."""

    watched: Watched
    unit: Unit
    title: str
    meaning: str
    warning: float | None = None
    critical: float | None = None
    side: Side = Side.ABOVE
    lasting: timedelta = timedelta()
    advice: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether any value of it is bad; others are kept for their trend."""
        return self.warning is not None or self.critical is not None
