"""What was slow is over when it is quick, gone or usual; and whoever is told hears which of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pgtend.statements.endings import Ending, Slowness, ending_of, ending_of_all
from pgtend.statements.model import Finding, Judgement, Kind, RegressionPolicy, Series

NIGHT = date(2026, 11, 20)
SLOW = ("f", "app")
BEFORE = Slowness(fingerprint="f", role="app", usual_ms=2.0)


def judged(mean_ms: float | None, *findings: Finding, ran: int = 0, remark: str = "") -> Judgement:
    """Describe a night in which the statement took so long, or had not run for so many nights."""
    return Judgement(
        day=NIGHT,
        judged=1,
        nights=28,
        night_shift=1.0,
        findings=findings,
        remark=remark,
        means={} if mean_ms is None else {SLOW: mean_ms},
        last_ran={SLOW: NIGHT - timedelta(days=ran)},
    )


WORSE = Finding(kind=Kind.REGRESSION, fingerprint="f", role="app")


@pytest.mark.parametrize(
    ("night", "ending"),
    [
        (judged(2.5), Ending.QUICK),
        (judged(12.0), Ending.USUAL),
        (judged(12.0, WORSE), None),
        (judged(None, ran=6), None),
        (judged(None, ran=7), Ending.GONE),
        (judged(2.5, remark="nothing was counted: another cluster answers"), None),
    ],
)
def test_a_slowness_ends_in_one_of_three_ways(night: Judgement, ending: Ending | None) -> None:
    """Quick again, no longer run, or as slow as ever and usual by now; a night without a judgement ends nothing."""
    assert ending_of(SLOW, night, BEFORE, 1.3) is ending


def test_a_statement_nobody_has_seen_for_all_nights_is_gone() -> None:
    """It is in none of the nights that are compared with."""
    assert ending_of(("other", "app"), judged(2.0), None, 1.3) is Ending.GONE


def test_a_slow_night_of_the_whole_server_is_over_with_the_next_calm_one() -> None:
    """Not with one that could not be judged."""
    assert ending_of_all(judged(2.0)) is Ending.CALM
    assert ending_of_all(judged(2.0, Finding(kind=Kind.WHOLE_SERVER))) is None
    assert ending_of_all(judged(2.0, remark="only 2 nights to compare with, 7 are needed")) is None


def test_a_slowness_that_lasts_is_called_usual_and_never_quick() -> None:
    """Forty nights at six times the price: told from the first on, and its end is not taken for a repair."""
    days = [NIGHT - timedelta(days=back) for back in reversed(range(60))]
    slow_from, told, endings = days[20], [], []
    for place in range(20, 60):
        nights = days[max(0, place - 28) : place + 1]
        means = [12.0 if day >= slow_from else 2.0 for day in nights]
        series = Series(
            fingerprint="f",
            role="app",
            days=nights,
            calls=[100] * len(nights),
            exec_ms=[100 * mean for mean in means],
            exec_ssq=[101 * mean * mean for mean in means],
        )
        night = RegressionPolicy().judge(nights[-1], [series], nights[:-1])
        told += [found.first_bad_day for found in night.of(Kind.REGRESSION)]
        endings += [how for how in [ending_of(SLOW, night, BEFORE, 1.3)] if how]
    assert told[0] == slow_from
    assert len(told) == 14
    assert set(endings) == {Ending.USUAL}
