"""What is overdue, what is news, and when it is told: pure, with times written out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pgtend.fleet.schedules import last_fired
from pgtend.watchdog.errors import AirflowDown
from pgtend.watchdog.model import (
    Book,
    Look,
    Occasion,
    Promise,
    Sign,
    Turn,
    broken,
    fine,
    is_time_to_sum_up,
    judge,
    told,
    turn,
    unknown,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHTLY = Promise(
    key="kgc.backup",
    what="a backup of kgc",
    schedule="0 2 * * *",
    zone="UTC",
    within=timedelta(hours=6),
    runbook="backup-not-taken",
)
DOWN = broken("airflow.scheduler", AirflowDown("Airflow's scheduler is not alive"))
UP = fine("airflow.scheduler")
LONG_AGO = NOW - timedelta(days=300)


def at(hour: int, minute: int = 0, *, day: int = 21) -> datetime:
    """Give a time of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "done_at", "expected"),
    [
        (at(12), at(2, 30), Sign.FINE),
        (at(12), at(2, 30, day=20), Sign.BROKEN),
        # Until eight it may still be at work.
        (at(7, 59), at(2, 30, day=20), Sign.FINE),
        (at(8), at(2, 30, day=20), Sign.BROKEN),
        (at(12), at(1, 59), Sign.BROKEN),
        (at(12), None, Sign.BROKEN),
    ],
)
def test_the_last_start_whose_time_is_over_must_have_left_its_result(
    now: datetime, done_at: datetime | None, expected: Sign
) -> None:
    """Whatever came before that start is another day's."""
    assert judge(NIGHTLY, done_at, now, LONG_AGO).sign is expected


def test_what_was_never_done_is_expected_only_of_schedules_that_were_watched() -> None:
    """A database that was added an hour ago owes nothing yet; one whose backups stopped weeks ago does at once."""
    assert judge(NIGHTLY, None, NOW, NOW).sign is Sign.FINE
    assert judge(NIGHTLY, None, NOW, at(1)).sign is Sign.BROKEN
    assert judge(NIGHTLY, NOW - timedelta(days=20), NOW, NOW).sign is Sign.BROKEN


def test_it_says_what_was_due_and_when_the_last_one_was() -> None:
    """People decide by it whether to get up."""
    look = judge(NIGHTLY, at(2, 30, day=19), NOW, LONG_AGO)
    assert look.message == "a backup of kgc is overdue"
    assert "due at 2026-11-21 02:00 UTC" in look.detail
    assert "of 2026-11-19 02:30 UTC, 2 d 9 h ago" in look.detail
    assert "docs/runbooks/backup-not-taken.md" in look.hint


@pytest.mark.parametrize(
    ("schedule", "zone", "moment", "expected"),
    [
        ("0 2 * * *", "UTC", at(2), at(2)),
        ("0 2 * * *", "UTC", at(1, 59), at(2, day=20)),
        ("0 2 * * *", "Europe/Berlin", at(2), at(1)),
        ("0 8 * * 1", "UTC", at(12), at(8, day=16)),
        # In Berlin the clock went from 03:00 back to 02:00 on 25 October 2026.
        (
            "30 3 * * *",
            "Europe/Berlin",
            datetime(2026, 10, 25, 12, tzinfo=UTC),
            datetime(2026, 10, 25, 2, 30, tzinfo=UTC),
        ),
    ],
)
def test_a_schedule_fired_last_by_the_clock_of_its_zone(
    schedule: str, zone: str, moment: datetime, expected: datetime
) -> None:
    """At the moment itself counts as fired."""
    assert last_fired(schedule, zone, moment) == expected


def rounds(*looks: Look, every: timedelta = timedelta(minutes=5)) -> list[list[Occasion]]:
    """Go through several rounds in each of which everybody hears what is told."""
    book, said, now = Book(), [], NOW
    for look in looks:
        turned = turn(book, [look], now, DAY)
        said.append([notice.occasion for notice in turned.notices])
        book, now = told(turned.book, turned.notices, now), now + every
    return said


def test_it_is_told_once_when_it_breaks_and_once_when_it_is_over() -> None:
    """However many rounds pass in between."""
    assert rounds(UP, DOWN, DOWN, DOWN, UP, UP) == [[], [Occasion.OPENED], [], [], [Occasion.RECOVERED], []]


def test_what_cannot_be_seen_is_not_over() -> None:
    """When the api-server is down nobody knows of the scheduler."""
    doubt = unknown("airflow.scheduler")
    assert rounds(doubt, DOWN, doubt, doubt, DOWN, UP) == [
        [],
        [Occasion.OPENED],
        [],
        [],
        [],
        [Occasion.RECOVERED],
    ]


def test_there_is_a_reminder_a_day() -> None:
    """And nothing else for as long as it stays broken."""
    assert rounds(DOWN, DOWN, DOWN, every=timedelta(hours=13)) == [[Occasion.OPENED], [], [Occasion.REMINDER]]


def silent(book: Book, look: Look, now: datetime) -> Turn:
    """Go through a round in which no channel takes anything."""
    return turn(book, [look], now, DAY)


def test_what_nobody_took_stays_news() -> None:
    """Until somebody heard that it broke, and after that until somebody heard that it is over."""
    first = silent(Book(), DOWN, NOW)
    second = silent(first.book, DOWN, NOW)
    assert [notice.occasion for notice in second.notices] == [Occasion.OPENED]
    heard = told(second.book, second.notices, NOW)
    over = silent(heard, UP, NOW)
    again = silent(over.book, UP, NOW)
    assert [notice.occasion for notice in again.notices] == [Occasion.RECOVERED]
    assert turn(told(again.book, again.notices, NOW), [UP], NOW, DAY).notices == ()


def test_what_nobody_heard_of_ends_without_a_word() -> None:
    """A message that something is over which nobody knew of only frightens."""
    assert silent(silent(Book(), DOWN, NOW).book, UP, NOW).notices == ()


def test_what_the_fleet_file_no_longer_knows_is_forgotten() -> None:
    """A database that was taken out of the fleet is neither broken nor well."""
    opened = turn(Book(), [DOWN], NOW, DAY)
    gone = turn(told(opened.book, opened.notices, NOW), [], NOW, DAY)
    assert (gone.notices, gone.book.open, dict(gone.book.watched_since)) == ((), {}, {})


def test_the_summary_comes_at_once_and_then_by_its_schedule() -> None:
    """The first one shows that it works; a missed one is made up for."""
    assert is_time_to_sum_up(Book(), "0 8 * * 1", "UTC", NOW)
    sent = replace(Book(), summed_up_at=NOW)
    assert not is_time_to_sum_up(sent, "0 8 * * 1", "UTC", at(7, 59, day=23))
    assert is_time_to_sum_up(sent, "0 8 * * 1", "UTC", at(8, day=23))
    assert is_time_to_sum_up(sent, "0 8 * * 1", "UTC", at(17, day=25))
