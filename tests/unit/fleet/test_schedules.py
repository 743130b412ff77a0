"""Cron lines: accepted when they can be meant, and explained when not."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from fleet_files import problems
from pgtend.fleet.model import Window
from pgtend.fleet.schedules import default_schedule, fire_times, times_outside


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ("30 1 * *", "it has 4 fields instead of 5"),
        ("0 30 1 * * *", "it has 6 fields instead of 5"),
        ("30 25 * * *", "'25' is no hour (from 0 to 23)"),
        ("30 1 32 * *", "'32' is no day of the month (from 1 to 31)"),
        ("30 1 * 13 *", "'13' is no month (from 1 to 12 or jan to dec)"),
        ("30 1 * * mo", "'mo' is no day of the week (from 0 to 7 or sun to sat)"),
        ("R 1 * * *", "'R' is no minute (from 0 to 59)"),
        ("'*/0 1 * * *'", "'*/0' is no minute (from 0 to 59)"),
        ("30 1 30 2 *", "there is no such date, so it would never fire"),
        (
            "'@nightly'",
            "of the words with '@' only @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually are",
        ),
    ],
)
def test_a_bad_cron_line_says_which_field_is_wrong(tmp_path: Path, schedule: str, complaint: str) -> None:
    """Nobody has to count fields: the wrong one is named with what it may hold."""
    said = problems(tmp_path, f"fleet: clinic\ndatabases:\n  kgc:\n    analyze: {{schedule: {schedule}}}\n")
    assert len(said) == 1
    assert f"is not a schedule: {complaint}" in said[0]


def test_fire_times_do_not_depend_on_the_day() -> None:
    """Every combination of the hours and the minutes is a time at which it can fire."""
    assert list(fire_times("0,30 1-2 * * sun")) == [time(1), time(1, 30), time(2), time(2, 30)]
    assert list(fire_times("@daily")) == [time(0)]
    assert len(list(fire_times("* * * * *"))) == 1440


def test_a_schedule_is_held_against_a_window_past_midnight() -> None:
    """23:30 and 00:30 lie inside 23:00 to 01:00, and noon does not."""
    window = Window(start=time(23), end=time(1))
    assert times_outside("30 0,12,23 * * *", window) == (time(12, 30),)


@pytest.mark.parametrize(
    ("start", "end", "schedule"),
    [
        (time(1), time(5), "30 1 * * *"),
        (time(23, 45), time(3), "15 0 * * *"),
        (time(2), time(2, 20), "10 2 * * *"),
        (time(0), time(0), "30 1 * * *"),
    ],
)
def test_the_default_is_half_an_hour_into_the_window(start: time, end: time, schedule: str) -> None:
    """A short window is met half-way, an always open one at half past one."""
    assert default_schedule(Window(start=start, end=end)) == schedule
