"""Which statements got worse, by robust statistics: pure, no clock, no database.

The time of a statement varies by a fifth from night to night, and on some nights everything is slower at once. So a
statement is compared with the median of its own nights, in logarithms, after the shift that all statements had together
was taken out; and what is left is measured by its own usual spread, and by how well so few calls can be known at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from statistics import median
from typing import TypeAlias

from pgtend.kernel.names import counted

Key: TypeAlias = tuple[str, str]
"""A statement by its fingerprint, and the role that ran it."""

_NORMAL = 1.4826
_LEAST_SPREAD = 0.05
_MANY = 20
# Thirty nights tell the spread of a statement badly: too small by chance for some of thousands, which would then be
# called worse every night. So it is never taken for smaller than together with this many nights of all statements.
_BORROWED_NIGHTS = 20
# One call that waited for a lock can be ten thousand times its usual, and the mean of a night with it. What a few calls
# carry is as uncertain as it is large: so this many deviations of the mean are taken off before it is called worse.
_DOUBT = 2.0
_RISE_TO_TELL = 1.2
_OFTEN_SEEN = 0.8


class Kind(StrEnum):
    """What was found. Kept and shown as written."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NEWCOMER = "newcomer"
    DISAPPEARED = "disappeared"
    LOAD = "load"
    WHOLE_SERVER = "whole server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One statement of one role, night by night, oldest first; nights in which it did not run are not in it."""

    fingerprint: str
    role: str
    days: Sequence[date]
    calls: Sequence[int]
    exec_ms: Sequence[float]
    exec_ssq: Sequence[float]

    @property
    def key(self) -> Key:
        """Its identity."""
        return self.fingerprint, self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is to be told about one statement, or about the whole server when it names none."""

    kind: Kind
    fingerprint: str = ""
    role: str = ""
    calls: int = 0
    mean_ms: float = 0.0
    usual_ms: float | None = None
    ratio: float | None = None
    z: float | None = None
    extra_ms: float = 0.0
    share: float = 0.0
    first_bad_day: date | None = None
    nights: int = 0
    is_alert: bool = False

    @property
    def key(self) -> Key:
        """The statement it is about."""
        return self.fingerprint, self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of judging one night."""

    day: date
    judged: int
    nights: int
    night_shift: float
    """How many times slower than usual everything was."""
    findings: tuple[Finding, ...]
    remark: str = ""
    means: Mapping[Key, float] = field(default_factory=dict[Key, float])
    """What a call took of each statement that could be judged, in milliseconds, the shift of the night taken out."""
    last_ran: Mapping[Key, date] = field(default_factory=dict[Key, date])

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """List the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind is kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionPolicy:
    """When a statement is called worse, and when people are told."""

    least_nights: int = 7
    least_calls: int = 20
    z_limit: float = 3.5
    ratio_limit: float = 1.3
    alert_share: float = 0.005
    alert_ms: float = 60_000.0
    alert_least_ms: float = 1_000.0

    def judge(
        self,
        day: date,
        history: Sequence[Series],
        past_days: Sequence[date],
        shifts: Mapping[date, float] | None = None,
        *,
        is_whole: bool = True,
    ) -> Judgement:
        """Judge one night against the nights before it; `shifts` are what earlier nights were judged to have had.

        In a night that is not whole, because its beginning could not be counted, nothing is missed.
        """
        tonight = [_Tonight.of(series, day) for series in history if series.days and series.days[-1] == day]
        total = sum(one.exec_ms for one in tonight)
        if len(past_days) < self.least_nights:
            remark = f"only {counted(len(past_days), 'night')} to compare with, {self.least_nights} are needed"
            return Judgement(day=day, judged=0, nights=len(past_days), night_shift=1.0, findings=(), remark=remark)
        comparable = [one for one in tonight if self._is_comparable(one)]
        shift = _shift_of_all(comparable)
        night = _Night.of(comparable, shift, total, {**(shifts or {}), day: math.exp(shift)})
        changed = [finding for one in comparable for finding in self._change(one, night)]
        findings = [
            *self._whole_server(shift, total),
            *changed,
            *self._load(comparable, {finding.key for finding in changed}, total),
            *_newcomers(tonight, total),
            *(_disappeared(history, day, past_days) if is_whole else ()),
        ]
        return Judgement(
            day=day,
            judged=len(comparable),
            nights=len(past_days),
            night_shift=math.exp(shift),
            findings=tuple(sorted(findings, key=lambda found: (not found.is_alert, -abs(found.extra_ms)))),
            means={one.series.key: one.mean_ms / math.exp(shift) for one in comparable},
            last_ran={series.key: series.days[-1] for series in history if series.days},
        )

    def _is_comparable(self, one: _Tonight) -> bool:
        return one.calls >= self.least_calls and len(one.past) >= self.least_nights and one.mean_ms > 0

    def _change(self, one: _Tonight, night: _Night) -> list[Finding]:
        """Tell whether a statement is worse or better than chance and the night explain."""
        moved = one.moved - night.shift
        z = moved / night.expected(one)
        ratio = math.exp(moved)
        worse = z > self.z_limit and ratio * (1 - _DOUBT * one.uncertainty) > self.ratio_limit
        better = z < -self.z_limit and ratio < 1 / self.ratio_limit
        if not (worse or better):
            return []
        extra = one.exec_ms - one.calls * math.exp(one.usual + night.shift)
        bad = self._bad_days(one, night.shifts) if worse else []
        return [
            Finding(
                kind=Kind.REGRESSION if worse else Kind.IMPROVEMENT,
                fingerprint=one.series.fingerprint,
                role=one.series.role,
                calls=one.calls,
                mean_ms=one.mean_ms,
                usual_ms=math.exp(one.usual),
                ratio=ratio,
                z=z,
                extra_ms=extra,
                share=_part(one.exec_ms, night.total),
                first_bad_day=bad[-1] if bad else None,
                nights=len(bad),
                is_alert=worse and self._matters(extra, night.total),
            )
        ]

    def _bad_days(self, one: _Tonight, shifts: Mapping[date, float]) -> list[date]:
        """Walk back from tonight as long as each night was slow too: the last one is where it began."""
        # A night that was a little slow by chance is not where a great slowness began.
        limit = max(math.log(self.ratio_limit), (one.moved - math.log(shifts.get(one.series.days[-1], 1.0))) / 2)
        found: list[date] = []
        nights = zip(one.series.days, one.series.calls, one.series.exec_ms, strict=True)
        for day, calls, exec_ms in reversed(list(nights)):
            mean = _mean(calls, exec_ms)
            if mean <= 0 or math.log(mean) - one.usual - math.log(shifts.get(day, 1.0)) <= limit:
                break
            found.append(day)
        return found

    def _load(self, comparable: Sequence[_Tonight], told: set[Key], total: float) -> list[Finding]:
        """Find statements that cost more because they run far more often, at the price they always had."""
        found: list[Finding] = []
        for one in comparable:
            usual_calls = median(calls for _, calls, _ in one.past)
            ratio = one.calls / max(usual_calls, 1)
            spread = _NORMAL * median(abs(math.log(max(calls, 1) / max(usual_calls, 1))) for _, calls, _ in one.past)
            z = math.log(ratio) / max(spread, 2 * _LEAST_SPREAD)
            extra = (one.calls - usual_calls) * one.mean_ms
            if (
                one.series.key in told
                or z <= self.z_limit
                or ratio <= self.ratio_limit
                or not self._matters(extra, total)
            ):
                continue
            found.append(
                Finding(
                    kind=Kind.LOAD,
                    fingerprint=one.series.fingerprint,
                    role=one.series.role,
                    calls=one.calls,
                    mean_ms=one.mean_ms,
                    usual_ms=math.exp(one.usual),
                    ratio=ratio,
                    z=z,
                    extra_ms=extra,
                    share=_part(one.exec_ms, total),
                )
            )
        return found

    def _whole_server(self, shift: float, total: float) -> list[Finding]:
        ratio = math.exp(shift)
        if ratio < _RISE_TO_TELL:
            return []
        extra = total * (1 - 1 / ratio)
        matters = self._matters(extra, total)
        return [Finding(kind=Kind.WHOLE_SERVER, ratio=ratio, extra_ms=extra, share=1.0, is_alert=matters)]

    def _matters(self, extra_ms: float, total_ms: float) -> bool:
        return extra_ms >= max(min(self.alert_share * total_ms, self.alert_ms), self.alert_least_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tonight:
    """A statement in the night that is judged, beside its nights before."""

    series: Series
    calls: int
    exec_ms: float
    mean_ms: float
    uncertainty: float
    """How far the mean of so few calls may lie from the true one, as a part of it."""
    past: Sequence[tuple[date, int, float]]
    usual: float
    spread: float

    @classmethod
    def of(cls, series: Series, day: date) -> _Tonight:
        calls, exec_ms, ssq = series.calls[-1], series.exec_ms[-1], series.exec_ssq[-1]
        nights = zip(series.days, series.calls, series.exec_ms, strict=True)
        past = [night for night in nights if night[0] < day and _mean(night[1], night[2]) > 0]
        means = [math.log(_mean(count, spent)) for _, count, spent in past]
        usual = median(means) if means else 0.0
        return cls(
            series=series,
            calls=calls,
            exec_ms=exec_ms,
            mean_ms=_mean(calls, exec_ms),
            uncertainty=_uncertainty(calls, exec_ms, ssq),
            past=past,
            usual=usual,
            spread=_NORMAL * median(abs(mean - usual) for mean in means) if means else 0.0,
        )

    @property
    def moved(self) -> float:
        """How far it is from usual, in logarithms."""
        return math.log(self.mean_ms) - self.usual


@dataclass(frozen=True, slots=True, kw_only=True)
class _Night:
    """What all statements have in common in the night that is judged, and the shifts of all nights that are known."""

    shift: float
    common_spread: float
    unrest: float
    """How many times farther than usual statements lie from the shift of all: a slow night hits some harder."""
    total: float
    shifts: Mapping[date, float]

    @classmethod
    def of(cls, comparable: Sequence[_Tonight], shift: float, total: float, shifts: Mapping[date, float]) -> _Night:
        common = median(one.spread for one in comparable) if len(comparable) >= _MANY else 0.0
        calm = cls(shift=shift, common_spread=common, unrest=1.0, total=total, shifts=shifts)
        if len(comparable) < _MANY:
            return calm
        unrest = _NORMAL * median(abs(one.moved - shift) / calm.expected(one) for one in comparable)
        return cls(shift=shift, common_spread=common, unrest=max(unrest, 1.0), total=total, shifts=shifts)

    def expected(self, one: _Tonight) -> float:
        """Tell how far a statement may be from its usual by chance: its own spread, and how little few calls say.

        Its spread is never taken for less than is likely beside all the others.
        """
        nights = len(one.past)
        together = nights * one.spread**2 + _BORROWED_NIGHTS * self.common_spread**2
        spread = max(one.spread, math.sqrt(together / (nights + _BORROWED_NIGHTS)), _LEAST_SPREAD)
        return self.unrest * math.hypot(spread, one.uncertainty)


def _shift_of_all(comparable: Sequence[_Tonight]) -> float:
    """Tell by how much the whole night was slower: the median over the dearer half of the statements."""
    dearer = sorted(comparable, key=lambda one: one.exec_ms)[len(comparable) // 2 :]
    return median(one.moved for one in dearer) if len(dearer) >= _MANY // 2 else 0.0


def _newcomers(tonight: Sequence[_Tonight], total: float) -> list[Finding]:
    """Find statements among the dearest that no earlier night has seen."""
    dearest = sorted(tonight, key=lambda one: -one.exec_ms)[:_MANY]
    return [
        Finding(
            kind=Kind.NEWCOMER,
            fingerprint=one.series.fingerprint,
            role=one.series.role,
            calls=one.calls,
            mean_ms=one.mean_ms,
            extra_ms=one.exec_ms,
            share=_part(one.exec_ms, total),
        )
        for one in dearest
        if len(one.series.days) == 1
    ]


def _disappeared(history: Sequence[Series], day: date, past_days: Sequence[date]) -> list[Finding]:
    """Find statements that ran nearly every night, were among the dearest, and did not run at all."""
    regular = [series for series in history if len(series.days) >= _OFTEN_SEEN * len(past_days)]
    dearest = sorted(regular, key=lambda series: -sum(series.exec_ms) / len(series.days))[:_MANY]
    return [
        Finding(
            kind=Kind.DISAPPEARED,
            fingerprint=series.fingerprint,
            role=series.role,
            usual_ms=sum(series.exec_ms) / max(sum(series.calls), 1),
            extra_ms=-sum(series.exec_ms) / len(series.days),
        )
        for series in dearest
        if series.days[-1] < day
    ]


def _uncertainty(calls: int, exec_ms: float, ssq: float) -> float:
    mean = _mean(calls, exec_ms)
    if mean <= 0:
        return 0.0
    variance = max(ssq / calls - mean * mean, 0.0)
    return math.sqrt(variance / calls) / mean


def _mean(calls: int, exec_ms: float) -> float:
    return exec_ms / calls if calls else 0.0


def _part(one: float, whole: float) -> float:
    return one / whole if whole else 0.0
