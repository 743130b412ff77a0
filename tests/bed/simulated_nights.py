"""Nights of statements whose truth is known, because we made them up: for judging those who judge.

The generator, in words: calls a night are lognormal around 300 (sigma 2) and vary by a quarter; the usual time of a
call is lognormal around 2 ms (sigma 1.5); from night to night the true mean varies by 19 % (one statement in twenty by
50 %); the calls of one night vary by as much as their mean, so that few calls say little. On the last night some
statements are slower by a factor between 1.5 and 5, drawn from those with at least 20 calls; and everything may be
slower at once, each statement by a little more or less than the others (a tenth).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import date, timedelta

from pgtend.statements.model import Key, Kind, RegressionPolicy, Series

LAST_NIGHT = date(2026, 11, 20)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Nights, and which statements really got slower in the last one."""

    series: tuple[Series, ...]
    past_days: tuple[date, ...]
    guilty: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Score:
    """How well somebody judged."""

    alarms: int
    precision: float
    recall: float


def simulate(
    seed: int, *, statements: int = 5000, nights: int = 35, guilty: int = 60, shift: float = 1.0
) -> Simulation:
    """Make up nights; the same seed makes the same ones."""
    dice = random.Random(seed)  # noqa: S311 - the same seed must make the same nights
    days = tuple(LAST_NIGHT - timedelta(days=back) for back in reversed(range(nights)))
    typical = [_Statement.thrown(dice) for _ in range(statements)]
    tonight = [one.calls_of_a_night(dice) for one in typical]
    busy = [number for number, calls in enumerate(tonight) if calls >= 20]
    slower = {number: dice.uniform(1.5, 5) for number in dice.sample(busy, guilty)}
    series = [
        _series(
            f"{number:016x}", _nights(one, days, tonight[number], slower.get(number, 1.0) * _slowed(shift, dice), dice)
        )
        for number, one in enumerate(typical)
    ]
    return Simulation(tuple(series), days[:-1], frozenset((f"{number:016x}", "app") for number in slower))


def score(simulated: Simulation, policy: RegressionPolicy) -> Score:
    """Let the policy judge the last night, and compare with the truth."""
    judged = policy.judge(LAST_NIGHT, simulated.series, simulated.past_days)
    told = {finding.key for finding in judged.of(Kind.REGRESSION)}
    right = len(told & simulated.guilty)
    return Score(len(told), right / max(len(told), 1), right / len(simulated.guilty))


def _slowed(shift: float, dice: random.Random) -> float:
    return 1.0 if shift == 1.0 else shift * math.exp(dice.gauss(0, 0.1))


@dataclass(frozen=True, slots=True)
class _Statement:
    calls: float
    mean: float
    unrest: float

    @classmethod
    def thrown(cls, dice: random.Random) -> _Statement:
        unrest = 0.5 if dice.random() < 0.05 else 0.19
        return cls(math.exp(dice.gauss(math.log(300), 2)), math.exp(dice.gauss(math.log(2), 1.5)), unrest)

    def calls_of_a_night(self, dice: random.Random) -> int:
        return int(self.calls * math.exp(dice.gauss(0, 0.25)))


def _nights(
    one: _Statement, days: tuple[date, ...], tonight: int, factor: float, dice: random.Random
) -> list[tuple[date, int, float, float]]:
    seen: list[tuple[date, int, float, float]] = []
    for day in days:
        is_last = day == LAST_NIGHT
        calls = tonight if is_last else one.calls_of_a_night(dice)
        if calls:
            true = one.mean * math.exp(dice.gauss(0, one.unrest)) * (factor if is_last else 1.0)
            measured = max(true * (1 + dice.gauss(0, 1) / math.sqrt(calls)), true / 10)
            seen.append((day, calls, calls * measured, calls * (true * true + measured * measured)))
    return seen


def _series(name: str, seen: list[tuple[date, int, float, float]]) -> Series:
    return Series(
        fingerprint=name,
        role="app",
        days=[night[0] for night in seen],
        calls=[night[1] for night in seen],
        exec_ms=[night[2] for night in seen],
        exec_ssq=[night[3] for night in seen],
    )
