"""A server that is down is one message, a channel gets the class that it wants, and each is tried once a month."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from bed.airflow_world import World
from bed.ledgers import ask, tell
from pgtend.postgres.errors import RowsBroken, ServerUnreachable
from pgtend_airflow.alerts.events import send_due_reminders, tell_failure

NO_ANSWER = ServerUnreachable("no server answers", hint="See docs/runbooks/database-unreachable.md.")
SECOND = "  lab: {owner: lab-team}\n  ward: {owner: ward-team}\n"
OPEN = "SELECT pipeline || ' ' || array_to_string(concerns, ',') FROM reporting.alerts WHERE recovered_at IS NULL"


def fail(dag_id: str, error: BaseException | None) -> None:
    """Tell of a failure as Airflow's callback of a task does, or without an error as that of a DAG does."""
    dag, run_id = SimpleNamespace(dag_id=dag_id), f"manual__{dag_id}"
    tell_failure({"dag": dag, "run_id": run_id, "exception": error})  # type: ignore[typeddict-item, typeddict-unknown-key]


def test_a_server_that_is_down_is_one_message_that_names_its_databases(world: World) -> None:
    """Whatever fails on it afterwards is silent; the first pipeline that reaches it again tells that it is over."""
    world.add_to_fleet(SECOND)
    world.connect("lab", world.tender)
    world.connect("ward", world.tender, host="elsewhere")
    for dag_id in ("kgc.analyze", "lab.backup", "kgc.health"):
        fail(dag_id, NO_ANSWER)
        fail(dag_id, None)
    (title,) = world.messages()
    address = f"{world.tender.params['host']}:{world.tender.params['port']}"
    assert title == f"[clinic production] server {address} failed: 2 databases do not answer: kgc, lab"
    (mail,) = world.mail.texts()
    assert "databases kgc, lab, fleet clinic (production), owner kgc-team, lab-team" in mail
    with world.reporting.session() as ledger:
        assert ask(ledger, OPEN) == [f"server {address} kgc,lab"]

    fail("ward.backup", NO_ANSWER)
    assert world.messages()[1] == "[clinic production] ward.backup failed: no server answers"
    assert world.run("kgc.analyze").state == "success"
    assert world.messages()[2:] == [f"[clinic production] server {address} recovered"]


def test_databases_that_leave_a_dead_server_end_its_alert(world: World) -> None:
    """It names the server that died, and lasts as long as one of its databases is expected there."""
    world.add_to_fleet(SECOND)
    world.connect("ward", world.tender, host="elsewhere")
    for name in ("kgc", "lab"):
        world.connect(name, world.tender, port="1")
    fail("kgc.analyze", NO_ANSWER)
    server = f"server {world.tender.params['host']}:1"
    world.connect("kgc", world.tender)
    assert world.run("kgc.analyze").state == "success"
    world.reporting.run("UPDATE reporting.alert SET last_sent_at = last_sent_at - interval '2 days'")
    send_due_reminders()
    assert world.messages() == [
        f"[clinic production] {server} failed: 2 databases do not answer: kgc, lab",
        f"[clinic production] {server} still fails: 2 databases do not answer: kgc, lab",
    ]
    world.connect("lab", world.tender)
    assert world.run("kgc.analyze").state == "success"
    assert world.messages()[2:] == [f"[clinic production] {server} recovered"]


def test_what_the_fleet_file_no_longer_has_is_not_reminded_of(world: World) -> None:
    """One message says why it is over; a fleet file with a mistake does not say that a database is gone."""
    path = world.folder / "fleet.yaml"
    alone = path.read_text()
    world.add_to_fleet(SECOND)
    for name in ("lab", "ward"):
        world.connect(name, world.tender, port="1")
    fail("lab.analyze", NO_ANSWER)
    fail("ward.backup", RowsBroken("a rule of the data is broken"))
    server = f"server {world.tender.params['host']}:1"
    path.write_text(alone + SECOND.replace("owner:", "oner:"))
    world.reporting.run("UPDATE reporting.alert SET last_sent_at = last_sent_at - interval '2 days'")
    send_due_reminders()
    assert [title.partition(": ")[0] for title in world.messages()[2:]] == [
        "[clinic production] fleet.file failed",
        f"[clinic production] {server} still fails",
        "[clinic production] ward.backup still fails",
    ]
    assert "databases.lab.oner" in world.mail.texts()[2]
    assert "databases.ward.oner" in world.mail.texts()[2]
    assert "database ward, fleet clinic (production), owner data-platform" in world.mail.texts()[-1]
    path.write_text(alone)
    send_due_reminders()
    assert world.messages()[5:] == [
        "[clinic production] fleet.file recovered",
        f"[clinic production] {server} recovered",
        "[clinic production] ward.backup recovered",
    ]
    assert "the fleet file has it no longer" in world.mail.texts()[-1]
    send_due_reminders()
    assert len(world.messages()) == 8


def test_a_channel_gets_the_class_that_it_wants(world: World) -> None:
    """A pager is for what wakes somebody, a list for what can wait; while there is a channel nobody is left out."""
    path = world.folder / "fleet.yaml"
    both = path.read_text()
    pager = both.replace("        connection: chat", "        connection: chat\n      takes: pages")
    path.write_text(pager)
    fail("kgc.analyze", NO_ANSWER)
    assert (len(world.mail.mails), len(world.chat.posts)) == (1, 0)
    fail("kgc.health", RowsBroken("a rule of the data is broken"))
    assert (len(world.mail.mails), len(world.chat.posts)) == (2, 1)
    path.write_text(pager.replace("to: on-call@clinic.test", "to: on-call@clinic.test\n      takes: pages"))
    fail("kgc.backup", NO_ANSWER)
    assert (len(world.mail.mails), len(world.chat.posts)) == (3, 2)


def test_a_pager_hears_of_damage_at_once_and_of_its_end_whatever_failed_since(world: World) -> None:
    """An open outage hides no damage, and an outage after the damage does not let the pager wait for ever."""
    path = world.folder / "fleet.yaml"
    path.write_text(
        path.read_text().replace("        connection: chat", "        connection: chat\n      takes: pages")
    )
    fail("kgc.analyze", NO_ANSWER)
    fail("kgc.analyze", RowsBroken("a rule of the data is broken"))
    assert (len(world.mail.mails), len(world.chat.posts)) == (2, 1)
    fail("kgc.analyze", NO_ANSWER)
    fail("kgc.analyze", RowsBroken("a rule of the data is broken"))
    fail("kgc.analyze", NO_ANSWER)
    assert (len(world.mail.mails), len(world.chat.posts)) == (2, 1)
    assert world.run("kgc.analyze").state == "success"
    assert [post["title"] for post in world.chat.posts[1:]] == ["[clinic production] kgc.analyze recovered"]


def test_a_slow_mail_server_makes_no_ledger_that_is_away(world: World) -> None:
    """Whoever tells of the same thing on another machine waits until the first one has sent its message."""
    with world.reporting.session() as another, ThreadPoolExecutor(1) as machine:
        with another.transaction():
            tell(
                another,
                "SELECT pg_advisory_xact_lock(hashtextextended('pgtend.alert:pgtend/production/kgc/analyze', 0))",
            )
            told = machine.submit(fail, "kgc.analyze", NO_ANSWER)
            time.sleep(6)
        told.result()
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT key FROM reporting.open_alerts") == ["pgtend/production/kgc/analyze"]


def test_each_channel_is_tried_and_one_that_is_silent_is_told(world: World) -> None:
    """Both say that it is a test; which took it is in the audit; a silent one fails the run, once and with its name."""
    assert world.run("fleet.channels").state == "success", world.log()
    assert world.messages() == ["[clinic production] test of the alert channels: all is well"]
    assert "This is a test: nothing is wrong." in world.mail.texts()[0]
    world.chat.is_broken = True
    assert world.run("fleet.channels").state == "failed"
    assert [str(mail["Subject"]).partition(": ")[0] for mail in world.mail.mails[1:]] == [
        "[clinic production] test of the alert channels",
        "[clinic production] fleet.channels failed",
    ]
    assert "channels that did not take the test message: chat [airflow.channel_silent]" in world.mail.texts()[-1]
    with world.reporting.session() as ledger:
        tested = "SELECT detail FROM reporting.audit WHERE action = 'alerts.tested' ORDER BY seq"
        assert ask(ledger, tested) == [{"took": "mail, chat", "refused": ""}, {"took": "mail", "refused": "chat"}]


def test_a_restore_that_was_rejected_is_no_restore(world: World) -> None:
    """That nobody asks any more ends the failure of an earlier one, in these words; damage that was found stays."""
    fail("kgc.restore", NO_ANSWER)
    assert "Nothing tries again by itself" in world.mail.texts()[0]
    assert world.run("kgc.restore", marked="look|approve_and_restore").state == "success"
    assert world.messages()[1:] == ["[clinic production] kgc.restore recovered"]
    assert "nobody asks for it any more, and nothing was restored" in world.mail.texts()[1]
    fail("kgc.restore", RowsBroken("a rule of the data is broken"))
    assert world.run("kgc.restore", marked="look|approve_and_restore").state == "success"
    assert len(world.messages()) == 3
