"""Windows: the right hours, across midnight and across the nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgtend.fleet.model import OutsideWindow, Window
from pgtend.fleet.schedules import default_schedule, times_outside

ZONES = ("UTC", "Africa/Lagos", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
windows = st.builds(Window, start=clocks, end=clocks, timezone=st.sampled_from(ZONES))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes bounds without a zone


def at(text: str) -> datetime:
    """Read a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_window_includes_its_start_and_not_its_end() -> None:
    """Nothing new starts at the minute it closes."""
    window = Window(start=time(1), end=time(5))
    assert not window.contains(at("2026-03-10 00:59:59"))
    assert window.contains(at("2026-03-10 01:00:00"))
    assert window.contains(at("2026-03-10 04:59:59"))
    assert not window.contains(at("2026-03-10 05:00:00"))


def test_a_window_passes_midnight_in_its_own_zone() -> None:
    """22:00 to 02:00 in Lagos is 21:00 to 01:00 UTC, on both sides of midnight."""
    window = Window(start=time(22), end=time(2), timezone="Africa/Lagos")
    assert [window.contains(at(f"2026-03-10 {clock}")) for clock in ("20:59", "21:00", "23:30")] == [False, True, True]
    assert [window.contains(at(f"2026-03-11 {clock}")) for clock in ("00:59", "01:00", "12:00")] == [True, False, False]
    assert window.closes_at(at("2026-03-10 23:30")) == at("2026-03-11 01:00")


def test_the_night_that_loses_an_hour_has_a_shorter_window() -> None:
    """Berlin, 29 March 2026: 01:00 to 05:00 lasts three hours."""
    window = Window(start=time(1), end=time(5), timezone="Europe/Berlin")
    assert window.opens_after(at("2026-03-28 12:00")) == at("2026-03-29 00:00")
    assert window.closes_at(at("2026-03-29 00:30")) == at("2026-03-29 03:00")


def test_the_night_that_gains_an_hour_has_a_longer_window() -> None:
    """Berlin, 25 October 2026: 01:00 to 05:00 lasts five hours."""
    window = Window(start=time(1), end=time(5), timezone="Europe/Berlin")
    assert window.opens_after(at("2026-10-24 12:00")) == at("2026-10-24 23:00")
    assert window.closes_at(at("2026-10-25 00:30")) == at("2026-10-25 04:00")


def test_a_closed_window_says_when_it_opens() -> None:
    """Asking for the end of a window that is closed is a refusal with the next opening."""
    with pytest.raises(OutsideWindow, match="opens again at 2026-03-11 01:00 UTC"):
        Window(start=time(1), end=time(5)).closes_at(at("2026-03-10 12:00"))


def test_equal_ends_mean_always_open() -> None:
    """A window from midnight to midnight never closes."""
    window = Window(start=time(0), end=time(0), timezone="Africa/Lagos")
    assert str(window) == "always open (Africa/Lagos)"
    assert window.contains(at("2026-03-10 12:00"))
    assert window.closes_at(at("2026-03-10 12:00")).year == 9999


@given(windows, moments)
def test_a_window_stays_open_until_it_closes(window: Window, moment: datetime) -> None:
    """From any open moment to its closing there is no gap, and at the closing it is closed."""
    assume(not window.is_always_open and window.contains(moment))
    closes = window.closes_at(moment)
    assert moment < closes <= moment + timedelta(hours=25)
    assert window.contains(closes - timedelta(microseconds=1))
    assert window.contains(moment + (closes - moment) / 2)
    assert not window.contains(closes)


@given(windows, moments)
def test_a_closed_window_opens_within_two_days(window: Window, moment: datetime) -> None:
    """The next opening is later, open, and near, even when clocks skip the whole window one night."""
    assume(not window.is_always_open)
    opens = window.opens_after(moment)
    assert moment < opens <= moment + timedelta(hours=50)
    assert window.contains(opens)


@given(windows, moments)
def test_open_by_the_clock_on_the_wall(window: Window, moment: datetime) -> None:
    """Where no clock changes, a moment is inside exactly when the time on the wall is."""
    fixed = window.model_copy(update={"timezone": "Asia/Kathmandu"})
    wall = moment + timedelta(hours=5, minutes=45)
    assert fixed.contains(moment) == fixed.covers(wall.time())


@given(windows)
def test_the_default_schedule_lies_inside_its_window(window: Window) -> None:
    """Whatever window a team chooses, a database that sets no schedule has a valid one."""
    assert times_outside(default_schedule(window), window) == ()
