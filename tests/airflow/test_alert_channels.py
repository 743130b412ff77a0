"""Channels that fail, reminders, lateness, and what the messages look like."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bed.airflow_world import World
from bed.ledgers import ask, tell
from pgtend_airflow.alerts.notifier import deadline_missed

LATE = {"dag_run": {"dag_id": "kgc.analyze", "dag_run_id": "manual__1", "state": "running"}, "deadline": {"id": "1"}}


def broken(world: World) -> None:
    """Let the pipeline fail."""
    world.connect("kgc", world.tender, password="wrong")
    assert world.run("kgc.analyze").state == "failed"


def test_a_broken_channel_does_not_hide_the_other(world: World) -> None:
    """Mail is down, the chat gets the message; the log says which channel failed."""
    world.mail.is_broken = True
    broken(world)
    assert len(world.chat.posts) == 1
    assert world.mail.mails == []
    assert "the alert channel 'mail' took no message" in world.log()


def test_a_message_that_nobody_took_is_sent_later(world: World) -> None:
    """With both channels down the reminders fail visibly, and send the message when one is back: once."""
    world.mail.is_broken = world.chat.is_broken = True
    broken(world)
    assert world.run("fleet.reminders").state == "failed"
    world.mail.is_broken = world.chat.is_broken = False
    assert world.run("fleet.reminders").state == "success"
    (title,) = [title for title in world.messages() if "kgc.analyze" in title]
    assert title.startswith("[clinic production] kgc.analyze still fails: ")
    assert world.run("fleet.reminders").state == "success"
    assert len([title for title in world.messages() if "kgc.analyze" in title]) == 1


def test_what_stays_broken_is_told_once_a_day(world: World) -> None:
    """An hour later nobody is reminded, a day later everybody is, once."""
    broken(world)
    assert world.run("fleet.reminders").state == "success"
    assert len(world.messages()) == 1
    with world.reporting.session() as ledger:
        tell(ledger, "UPDATE reporting.alert SET last_sent_at = last_sent_at - interval '25 hours'")
    assert world.run("fleet.reminders").state == "success"
    assert world.run("fleet.reminders").state == "success"
    assert [title.split(":")[0] for title in world.messages()] == [
        "[clinic production] kgc.analyze failed",
        "[clinic production] kgc.analyze still fails",
    ]


def test_a_run_that_is_late_is_told_once(world: World) -> None:
    """The deadline's callback says it once, and the run that ends well takes it back."""
    deadline_missed(LATE)
    deadline_missed(LATE)
    assert world.messages() == ["[clinic production] kgc.analyze is late: the run has not ended by its deadline"]
    assert world.run("kgc.analyze").state == "success"
    assert world.messages()[1:] == ["[clinic production] kgc.analyze recovered"]


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_run_that_has_ended_is_not_late(world: World, state: str) -> None:
    """Airflow tells of the deadline of a run that failed hours before, also when the next one went well."""
    deadline_missed({"dag_run": {**LATE["dag_run"], "state": state}})
    assert world.messages() == []


def test_a_mail_can_be_read_as_plain_text_and_as_a_page(world: World) -> None:
    """Both parts say the same; the page escapes what it shows and links to the run."""
    broken(world)
    (mail,) = world.mail.mails
    plain, page = (part.get_content() for part in mail.iter_parts())
    for said in ("What failed", "Still safe", "Hint", "Runbook", "Run", "Next"):
        assert said in plain
        assert said in page
    assert '<a href="http://airflow.test/dags/kgc.analyze/runs/' in page
    assert mail["From"] == "pgtend@clinic.test"
    assert mail["To"] == "on-call@clinic.test"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert len(world.chat.posts[0]["message"].splitlines()) <= 3


def test_both_callbacks_of_a_failure_count_once(world: World) -> None:
    """The task and its DAG both report the failure; the ledger counts one failed run."""
    broken(world)
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT times_failed FROM reporting.open_alerts") == [1]
        assert ask(ledger, "SELECT last_sent_at IS NOT NULL FROM reporting.open_alerts") == [True]
        age = ask(ledger, "SELECT now() - last_failed_at FROM reporting.open_alerts")
    assert timedelta() < age[0] < timedelta(minutes=5)  # type: ignore[operator]
