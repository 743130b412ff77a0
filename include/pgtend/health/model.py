"""Judges what was read: a level for each metric, with its reason. Pure: no clock, no connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pgtend.fleet.health import HealthRules, Watched
from pgtend.health.metrics import METRICS
from pgtend.health.units import Metric, Side, Unit
from pgtend.kernel.times import say_span

_WHOLE: Final = 100.0
_EASE: Final = 0.1


class Level(StrEnum):
    """How it stands. Shown to people as written."""

    NOT_WATCHED = "not watched"
    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """How bad it is; doubt is worse than fine."""
        return list(Level).index(self)

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look."""
        return self in {Level.WARNING, Level.CRITICAL}


class Reason(StrEnum):
    """Why a metric has its level. Shown to people as written."""

    WITHIN = "within its limits"
    TREND = "kept for its trend, no value of it is bad"
    BEYOND_WARNING = "beyond the limit for a warning"
    BEYOND_CRITICAL = "beyond the critical limit"
    EASING = "back within the limit, but not yet clearly"
    BRIEF = "beyond a limit, but not for long enough to tell anybody"
    UNREADABLE = "it could not be read"
    FIRST_LOOK = "the first look has nothing to compare with"
    QUIET = "too little happened since the last look to judge"
    GONE = "something that was counted is gone since the last look"
    ABSENT = "there is nothing to watch"
    IGNORED = "the fleet file says to ignore it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value as it was read, or why there is none."""

    watched: Watched
    value: float | None = None
    about: str = ""
    """Which table, session or slot it is about, where one is the worst."""
    gap: Reason | None = None
    """Why there is no value."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was decided about one metric, and why."""

    watched: Watched
    level: Level
    reason: Reason
    value: float | None = None
    about: str = ""
    explanation: str = ""
    since: datetime
    """Since when it has this level."""
    rising: Level | None = None
    """The level it would have if it had lasted long enough."""
    rising_since: datetime | None = None
    known: Level | None = None
    """The level it had when it could be read last, where it cannot be read now."""

    @property
    def metric(self) -> Metric:
        """What is known about the metric in general."""
        return METRICS[self.watched]

    @property
    def said_value(self) -> str:
        """The value as people read it."""
        return "" if self.value is None else self.metric.unit.say(self.value)

    def __str__(self) -> str:
        value = f"{self.metric.title}: {self.said_value or self.level}"
        about = f" ({self.about})" if self.about else ""
        return f"{value}{about}, {self.explanation or self.reason}"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on one metric of one database is bad, and for how long it has to be."""

    warning: float | None
    critical: float | None
    lasting: timedelta
    side: Side
    unit: Unit

    def level(self, value: float) -> Level:
        """Say how bad a value is in itself."""
        if self.critical is not None and self._is_beyond(value, self.critical):
            return Level.CRITICAL
        if self.warning is not None and self._is_beyond(value, self.warning):
            return Level.WARNING
        return Level.OK

    def eased(self, value: float) -> Level:
        """Say how bad a value is when a level that was reached is left only a tenth further."""
        if self.critical is not None and self._is_beyond(value, self._ease(self.critical)):
            return Level.CRITICAL
        if self.warning is not None and self._is_beyond(value, self._ease(self.warning)):
            return Level.WARNING
        return Level.OK

    def __str__(self) -> str:
        named = (("warning", self.warning), ("critical", self.critical))
        said = [f"{name} {self.side} {self.unit.say(limit)}" for name, limit in named if limit is not None]
        return ", ".join(said)

    def _is_beyond(self, value: float, limit: float) -> bool:
        return value >= limit if self.side is Side.ABOVE else value < limit

    def _ease(self, limit: float) -> float:
        if self.side is Side.ABOVE:
            return limit * (1 - _EASE)
        # Ninety-five of a hundred is five away from the whole, so a tenth further is half a percent and not ten.
        room = _WHOLE - limit if self.unit is Unit.PERCENT else limit
        return limit + room * _EASE if self.unit is not Unit.AMOUNT else limit


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """When something is worth a message."""

    rules: HealthRules

    def limits(self, watched: Watched) -> Limits:
        """Take the metric's own limits, with what the fleet file says instead."""
        metric, told = METRICS[watched], self.rules.limit(watched)
        return Limits(
            warning=told.warning if told and told.warning is not None else metric.warning,
            critical=told.critical if told and told.critical is not None else metric.critical,
            lasting=told.lasting if told and told.lasting is not None else metric.lasting,
            side=metric.side,
            unit=metric.unit,
        )

    def judge(self, reading: Reading, before: Finding | None, now: datetime) -> Finding:
        """Judge one reading. The first rule that applies wins."""
        if reading.watched in self.rules.ignore:
            return _plain(reading, before, now, Level.NOT_WATCHED, Reason.IGNORED)
        if reading.value is None:
            return _in_doubt(_without_value(reading, before, now), before)
        limits = self.limits(reading.watched)
        if limits.warning is None and limits.critical is None:
            return _plain(reading, before, now, Level.OK, Reason.TREND)
        return _weigh(reading, reading.value, limits, before, now)

    def judge_all(
        self, readings: Iterable[Reading], before: Mapping[Watched, Finding], now: datetime
    ) -> tuple[Finding, ...]:
        """Judge everything that was read, in the order of the catalogue; what nobody read is unknown."""
        read = {reading.watched: reading for reading in readings}
        silent = "nothing was read of it"
        return tuple(
            self.judge(
                read.get(watched, Reading(watched=watched, gap=Reason.UNREADABLE, why=silent)),
                before.get(watched),
                now,
            )
            for watched in METRICS
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A metric that has another level than at the look before."""

    watched: Watched
    was: Level
    finding: Finding


def changes(findings: Sequence[Finding], before: Mapping[Watched, Finding]) -> tuple[Change, ...]:
    """Name what changed its level; at the first look only what is bad."""
    found = ((_level_before(before.get(finding.watched)), finding) for finding in findings)
    return tuple(
        Change(watched=finding.watched, was=was, finding=finding)
        for was, finding in found
        if was is not finding.level
        and (finding.level.is_bad or finding.watched in before)
        and not _has_nothing_to_compare(finding)
    )


def verdict(findings: Iterable[Finding]) -> Level:
    """Give the worst level of all, and unknown when there is nothing to judge by."""
    levels = [finding.level for finding in findings if finding.level is not Level.NOT_WATCHED]
    return max(levels, key=lambda level: level.rank) if levels else Level.UNKNOWN


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Put what is bad in front; the order of the catalogue decides among equals."""
    order = list(METRICS)
    return sorted(findings, key=lambda finding: (-finding.level.rank, order.index(finding.watched)))


def _level_before(before: Finding | None) -> Level:
    """Give the level of the look before; one that had nothing to compare with says nothing."""
    return Level.OK if before is None or _has_nothing_to_compare(before) else before.level


def _has_nothing_to_compare(finding: Finding) -> bool:
    return finding.level is Level.UNKNOWN and finding.reason in {Reason.FIRST_LOOK, Reason.GONE}


def _weigh(reading: Reading, value: float, limits: Limits, before: Finding | None, now: datetime) -> Finding:
    was = _last_known(before)
    level = limits.level(value)
    if level.rank < was.rank:
        level = max(level, min(limits.eased(value), was, key=lambda one: one.rank), key=lambda one: one.rank)
    if level.rank > was.rank and limits.lasting:
        began = before.rising_since if before and before.rising and before.rising_since else now
        if now - began < limits.lasting:
            return _brief(reading, was, level, began, limits, before, now)
    reason = _reason(value, level, limits)
    return _finding(reading, before, now, level, reason, explanation=f"{reason}: {limits}")


def _brief(  # noqa: PLR0913, PLR0917 - one place, and each of them is a fact of the decision
    reading: Reading, was: Level, rising: Level, began: datetime, limits: Limits, before: Finding | None, now: datetime
) -> Finding:
    said = f"{Reason.BRIEF}: {rising} after {say_span(limits.lasting)}, {limits}"
    found = _finding(reading, before, now, was, Reason.BRIEF, explanation=said)
    return replace(found, rising=rising, rising_since=began)


def _reason(value: float, level: Level, limits: Limits) -> Reason:
    if level is Level.OK:
        return Reason.WITHIN
    if limits.level(value).rank < level.rank:
        return Reason.EASING
    return Reason.BEYOND_CRITICAL if level is Level.CRITICAL else Reason.BEYOND_WARNING


def _last_known(before: Finding | None) -> Level:
    """Tell how bad it was when it could be read last."""
    level = (before.known or before.level) if before else Level.OK
    return level if level.is_bad else Level.OK


def _in_doubt(found: Finding, before: Finding | None) -> Finding:
    """Keep through a look without a value what was bad, and since when something rises: doubt is no way back."""
    if before is None or found.level is Level.NOT_WATCHED:
        return found
    known = _last_known(before) if found.level is Level.UNKNOWN else None
    return replace(found, rising=before.rising, rising_since=before.rising_since, known=known)


def _without_value(reading: Reading, before: Finding | None, now: datetime) -> Finding:
    match reading.gap:
        case Reason.ABSENT:
            return _plain(reading, before, now, Level.NOT_WATCHED, Reason.ABSENT)
        case Reason.QUIET:
            return _plain(reading, before, now, _last_known(before), Reason.QUIET)
        case Reason.GONE if before and (before.level.is_bad or before.level is Level.OK):
            return _plain(reading, before, now, before.level, Reason.GONE)
        case (Reason.FIRST_LOOK | Reason.GONE) as gap:
            return _plain(reading, before, now, Level.UNKNOWN, gap)
        case _:
            return _plain(reading, before, now, Level.UNKNOWN, Reason.UNREADABLE)


def _plain(reading: Reading, before: Finding | None, now: datetime, level: Level, reason: Reason) -> Finding:
    said = f"{reason}: {reading.why}" if reading.why else ""
    return _finding(reading, before, now, level, reason, explanation=said)


def _finding(  # noqa: PLR0913 - same
    reading: Reading, before: Finding | None, now: datetime, level: Level, reason: Reason, *, explanation: str
) -> Finding:
    return Finding(
        watched=reading.watched,
        level=level,
        reason=reason,
        value=reading.value,
        about=reading.about,
        explanation=explanation,
        since=before.since if before and before.level is level else now,
    )
