"""Where a number is going: one odd day bends nothing, and too little history gives no date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pgtend.health.facts import Activity, Pool
from pgtend.health.memory import Counters, Grown
from pgtend.health.probes import leaked
from pgtend.health.trend import Point, days_until, since_last_fall, slope

START = datetime(2026, 10, 1, tzinfo=UTC)


def days(*values: float) -> list[Point]:
    """Make a history of one value a day."""
    return [Point(at=START + timedelta(days=n), low=v, mean=v, high=v, last=v) for n, v in enumerate(values)]


def pool(application: str, sessions: int, idle_long: int, active: int = 0) -> Pool:
    """Describe who holds connections."""
    return Pool(
        application=application,
        role="app",
        sessions=sessions,
        active=active,
        idle=sessions - active,
        idle_in_transaction=0,
        idle_long=idle_long,
    )


ACTIVITY = Activity(
    hidden=0,
    sessions=30,
    active=0,
    idle=30,
    sessions_here=30,
    places=100,
    idle_in_transaction=None,
    idle_in_transaction_who="",
    longest_query=None,
    longest_query_who="",
    longest_transaction=None,
    longest_transaction_who="",
)


def test_steady_growth_meets_its_limit_on_a_day() -> None:
    """From fifty percent, two a day: after twenty-five days it is full."""
    assert days_until(days(*range(36, 52, 2)), 100) == pytest.approx(25)


def test_one_odd_day_bends_nothing() -> None:
    """A dump that lay on the disk for a night is no growth."""
    assert slope(days(10, 11, 12, 60, 14, 15, 16, 17)) == pytest.approx(1.0, abs=0.2)


def test_what_was_before_the_disk_was_enlarged_says_nothing() -> None:
    """Only the days since then are compared; a dump that lay there for a night, or a table that shrank, is none."""
    assert since_last_fall(days(80, 82, 84, 86, 9, 10, 10.5)) == days(80, 82, 84, 86, 9, 10, 10.5)[4:]
    assert since_last_fall(days(10, 11, 12, 60, 14, 15)) == days(10, 11, 12, 60, 14, 15)
    assert since_last_fall(days(60, 58, 56, 52, 50)) == days(60, 58, 56, 52, 50)
    assert since_last_fall([]) == []


def test_what_shrinks_or_stands_still_is_never_full() -> None:
    """Ten years stand for never; what is full already is full today."""
    assert days_until(days(*([50] * 8)), 100) == 3650
    assert days_until(days(*range(60, 52, -1)), 100) == 3650
    assert days_until(days(*([101] * 8)), 100) == 0


def test_less_than_a_week_gives_no_date() -> None:
    """A guess from three days would be taken for knowledge."""
    assert days_until(days(1, 2, 3), 100) is None


def test_counters_are_compared_only_when_they_count_the_same() -> None:
    """After a reset, a restart or a failover the next look begins anew; a counter that shrank says nothing."""
    before = Counters(at=START, epoch="a", values={"hit": 10, "read": 5})
    later = START + timedelta(minutes=5)
    same = Grown(before, Counters(at=later, epoch="a", values={"hit": 25, "read": 4, "new": 3}))
    assert (same.seconds, same.by("hit"), same.by("read"), same.by("new")) == (300, 15, None, None)
    anew = Grown(before, Counters(at=later, epoch="b", values={"hit": 25}))
    assert (anew.seconds, anew.by("hit")) == (None, None)
    assert Grown(None, before).by("hit") is None


def test_an_application_that_holds_what_it_does_not_use_is_named() -> None:
    """Twenty sessions unused for an hour leak; a busy pool, or three old sessions of a person, do not."""
    found = leaked([pool("billing", 22, 20, active=1), pool("web", 40, 6, active=5), pool("psql", 3, 3)], ACTIVITY)
    assert (found.value, found.about) == (20, "billing: 20 of 22 unused")
    assert leaked([pool("web", 40, 6, active=5), pool("psql", 3, 3)], ACTIVITY).value == 0
