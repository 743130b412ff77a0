"""One message when something breaks, one when it recovers, a reminder a day: also when tasks fail at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from bed.clusters import LiveDatabase
from bed.ledgers import ask
from pgtend.ledger.alerts import AlertBook, Failure, Severity, Verdict, alert_key
from pgtend.ledger.errors import LedgerUnreachable
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session

KEY = "pgtend/production/kgc/analyze"
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LOCKED = Failure(
    database="kgc", pipeline="analyze", severity=Severity.TICKET, code="postgres.locked_out", message="table is locked"
)
HOUR = timedelta(hours=1)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        """Tell the time it was set to."""
        return self.now


@pytest.fixture
def clock() -> Hands:
    """Give a clock that stands."""
    return Hands()


@pytest.fixture
def book(session: Session, clock: Hands) -> AlertBook:
    """Give the book as a job has it: as a pgtend_writer."""
    return AlertBook(session, clock=clock)


def test_a_key_names_environment_database_and_pipeline() -> None:
    """So that every channel knows the condition again."""
    assert alert_key("production", "kgc", "analyze") == KEY


def test_one_message_when_it_breaks_and_one_when_it_recovers(book: AlertBook, clock: Hands) -> None:
    """Failures in between are counted in silence, and recovering twice is told once."""
    verdicts: list[Verdict] = []
    for event in ("broke", "broke", "recovered", "recovered", "broke"):
        verdicts.append(book.broke(KEY, LOCKED) if event == "broke" else book.recovered(KEY))
        clock.now += HOUR
    assert verdicts == ["send opened", "silent", "send recovered", "silent", "send opened"]


def test_what_never_broke_does_not_recover(book: AlertBook) -> None:
    """A green run is no news."""
    assert book.recovered(KEY) is Verdict.SILENT


def test_keys_do_not_disturb_each_other(book: AlertBook) -> None:
    """Each database and pipeline has its own story."""
    other = "pgtend/production/vaxtrace/analyze"
    assert [book.broke(KEY, LOCKED), book.broke(other, LOCKED)] == [Verdict.SEND_OPENED] * 2
    assert book.recovered(other) is Verdict.SEND_RECOVERED
    assert [alert.key for alert in book.open_alerts()] == [KEY]


def test_a_failure_a_day_later_is_a_reminder(book: AlertBook, clock: Hands) -> None:
    """A nightly job that starts some seconds earlier than yesterday still reminds."""
    book.broke(KEY, LOCKED)
    clock.now += timedelta(hours=23)
    assert book.broke(KEY, LOCKED) is Verdict.SILENT
    clock.now += timedelta(minutes=59)
    assert book.broke(KEY, LOCKED) is Verdict.SEND_REMINDER
    assert book.broke(KEY, LOCKED) is Verdict.SILENT


def test_a_reminder_is_due_once_a_day(book: AlertBook, clock: Hands) -> None:
    """Whoever claims it sends it; it says since when and how often it failed."""
    book.broke(KEY, LOCKED)
    book.broke(KEY, LOCKED)
    assert book.due_reminders(clock.now + HOUR) == []
    (due,) = book.due_reminders(clock.now + 24 * HOUR)
    assert (due.key, due.opened_at, due.times_failed, due.message) == (KEY, MONDAY, 2, "table is locked")
    assert book.due_reminders(clock.now + 25 * HOUR) == []
    assert len(book.due_reminders(clock.now + 48 * HOUR)) == 1


def test_what_recovered_is_not_reminded_of(book: AlertBook, clock: Hands) -> None:
    """Even when nobody was reminded in time."""
    book.broke(KEY, LOCKED)
    book.recovered(KEY)
    assert book.due_reminders(clock.now + 72 * HOUR) == []


def test_a_message_that_no_channel_took_is_sent_by_the_next_failure(book: AlertBook) -> None:
    """The opening message is not lost because the mail server was down."""
    book.broke(KEY, LOCKED)
    book.not_sent(KEY)
    assert book.broke(KEY, LOCKED) is Verdict.SEND_OPENED
    assert book.broke(KEY, LOCKED) is Verdict.SILENT


def test_a_message_that_no_channel_took_is_due_as_a_reminder(book: AlertBook, clock: Hands) -> None:
    """Also when nothing fails again."""
    book.broke(KEY, LOCKED)
    book.not_sent(KEY)
    assert [alert.key for alert in book.due_reminders(clock.now + HOUR)] == [KEY]


def test_who_never_heard_that_it_broke_need_not_hear_that_it_recovered(book: AlertBook) -> None:
    """A recovery of nothing would only puzzle."""
    book.broke(KEY, LOCKED)
    book.not_sent(KEY)
    assert book.recovered(KEY) is Verdict.SILENT


def test_the_newest_failure_is_the_one_that_is_shown(book: AlertBook) -> None:
    """The alert stays one, with the words of today, and without a secret."""
    book.broke(KEY, LOCKED)
    url = "postgresql://tender:hunter2@db/kgc"
    worse = Failure(database="kgc", pipeline="analyze", severity=Severity.PAGE, code="x.y", message=f"lost {url}")
    book.broke(KEY, worse)
    (alert,) = book.open_alerts()
    assert (alert.severity, alert.code, alert.times_failed) == ("page", "x.y", 2)
    assert "hunter2" not in alert.message


def test_what_wakes_somebody_is_news_although_it_failed_before(book: AlertBook) -> None:
    """Who takes pages was told nothing of an outage, and must not wait for a reminder to hear of damage."""
    book.broke(KEY, LOCKED)
    damaged = replace(LOCKED, severity=Severity.PAGE, code="x.y")
    assert [book.broke(KEY, damaged) for _ in range(2)] == [Verdict.SEND_OPENED, Verdict.SILENT]
    assert book.broke(KEY, LOCKED) is Verdict.SILENT


def at_once(reporting: LiveDatabase, writer: Address, act: Callable[[AlertBook], Verdict]) -> list[Verdict]:
    """Let eight tasks act at the same moment, each over its own connection."""
    gate = Barrier(8)

    def task(_: int) -> Verdict:
        with reporting.session(writer) as session:
            book = AlertBook(session)
            gate.wait()
            return act(book)

    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(task, range(8)))


def test_tasks_that_fail_at_once_send_one_message(reporting: LiveDatabase, writer: Address) -> None:
    """And tasks that recover at once send one, too; no failure is lost in the count."""
    opened = at_once(reporting, writer, lambda book: book.broke(KEY, LOCKED))
    assert opened == ["send opened", *["silent"] * 7]
    with reporting.session() as session:
        assert ask(session, "SELECT times_failed FROM reporting.open_alerts") == [8]
    assert at_once(reporting, writer, lambda book: book.recovered(KEY)) == ["send recovered", *["silent"] * 7]


def test_reminders_claimed_at_once_are_sent_once(reporting: LiveDatabase, writer: Address, book: AlertBook) -> None:
    """Two schedulers do not remind twice."""
    book.broke(KEY, LOCKED)
    later = MONDAY + 24 * HOUR

    def claim(_: int) -> int:
        with reporting.session(writer) as session:
            return len(AlertBook(session).due_reminders(later))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(4))) == 1


def test_a_ledger_that_is_down_is_an_outage_of_the_ledger(book: AlertBook, session: Session) -> None:
    """Whoever sends alerts must know that nobody counted this one."""
    session.connection.close()
    with pytest.raises(LedgerUnreachable):
        book.broke(KEY, LOCKED)
