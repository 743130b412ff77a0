"""The file that stands in for the ledger's book of alerts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pgtend.kernel.times import utc_now
from pgtend.ledger.alerts import Failure, Severity, Verdict
from pgtend_airflow.alerts.memory import file_book

DAY = timedelta(days=1)
KEY = "pgtend/production/kgc/analyze"
FAILURE = Failure(
    database="kgc", pipeline="analyze", severity=Severity.TICKET, code="a.b", message="it broke", run_url="http://run/1"
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home of its own."""
    monkeypatch.setitem(os.environ, "AIRFLOW_HOME", str(tmp_path))
    return tmp_path


def test_a_failure_is_news_once() -> None:
    """The second one is silent, in another process too, because the file remembers."""
    with file_book(DAY) as book:
        assert book.broke(KEY, FAILURE) is Verdict.SEND_OPENED
    with file_book(DAY) as book:
        assert book.broke(KEY, FAILURE) is Verdict.SILENT
        assert [alert.times_failed for alert in book.open_alerts()] == [2]


def test_a_message_that_was_not_sent_is_news_again() -> None:
    """Giving it back makes the next failure, or the next reminder, send it."""
    with file_book(DAY) as book:
        book.broke(KEY, FAILURE)
        book.not_sent(KEY)
        assert book.broke(KEY, FAILURE) is Verdict.SEND_OPENED
        book.not_sent(KEY)
        assert [alert.key for alert in book.due_reminders(utc_now())] == [KEY]
        assert book.due_reminders(utc_now()) == []


def test_a_reminder_is_due_after_a_day() -> None:
    """Not before."""
    with file_book(DAY) as book:
        book.broke(KEY, FAILURE)
        assert book.due_reminders(utc_now() + timedelta(hours=23)) == []
        assert len(book.due_reminders(utc_now() + DAY)) == 1
        book.entries[KEY] = replace(book.entries[KEY], sent_at=utc_now() - DAY)
        assert book.broke(KEY, FAILURE) is Verdict.SEND_REMINDER


def test_what_wakes_somebody_is_news_although_it_failed_before() -> None:
    """Who takes pages was told nothing of an outage, and must not wait for a reminder to hear of damage."""
    with file_book(DAY) as book:
        book.broke(KEY, FAILURE)
        damaged = replace(FAILURE, severity=Severity.PAGE, code="c.d")
        assert [book.broke(KEY, damaged) for _ in range(2)] == [Verdict.SEND_OPENED, Verdict.SILENT]
        assert book.broke(KEY, FAILURE) is Verdict.SILENT


def test_what_recovers_is_told_to_those_who_heard() -> None:
    """Who never heard that it broke does not hear that it recovered."""
    with file_book(DAY) as book:
        book.broke(KEY, FAILURE)
        assert book.recovered(KEY) is Verdict.SEND_RECOVERED
        assert book.recovered(KEY) is Verdict.SILENT
        book.broke(KEY, FAILURE)
        book.not_sent(KEY)
        assert book.recovered(KEY) is Verdict.SILENT


def test_nothing_is_kept_of_what_failed_half_way(home: Path) -> None:
    """An error inside the block leaves the file as it was."""
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(OSError, match="no channel"))
        stack.enter_context(file_book(DAY)).broke(KEY, FAILURE)
        raise OSError("no channel")
    assert not (home / "pgtend-alerts.json").exists()
