"""What goes wrong ends in the right class of error, with a hint in the log, nothing half-done, and one alert."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from bed.airflow_world import CANARY_ROW, World
from bed.clusters import statement
from bed.ledgers import ask
from pgtend.backup.errors import BackupBroken
from pgtend_airflow.alerts.events import remember
from pgtend_airflow.alerts.message import trouble_of
from pgtend_airflow.alerts.telling import Origin, Telling
from pgtend_airflow.desk import usable_fleet

CANARY_PASSWORD = "canary-of-a-password-71c4"


def database_down(world: World) -> None:
    """Point the connection at a socket where nobody listens."""
    world.connect("kgc", world.tender, port="1")


def wrong_password(world: World) -> None:
    """Give a password that is not the role's."""
    world.connect("kgc", world.tender, password=CANARY_PASSWORD)


def missing_right(world: World) -> None:
    """Give the table to somebody else."""
    world.source.run("ALTER TABLE public.visits OWNER TO postgres")


def no_such_database(world: World) -> None:
    """Name a database that does not exist."""
    world.connect("kgc", world.tender, dbname="nowhere")


def connection_forgotten(world: World) -> None:
    """Take the connection away."""
    world.environ.delenv("AIRFLOW_CONN_KGC")


FAILURES = [
    pytest.param(database_down, "postgres.unreachable", "outage", 4, id="the database is down"),
    pytest.param(wrong_password, "postgres.password_refused", "misconfigured", 1, id="the password is wrong"),
    pytest.param(missing_right, "planner.rights_missing", "misconfigured", 1, id="a right is missing"),
    pytest.param(no_such_database, "postgres.no_such_database", "misconfigured", 1, id="no such database"),
    pytest.param(connection_forgotten, "postgres.unknown_connection", "misconfigured", 1, id="no such connection"),
]


@pytest.mark.parametrize(("break_it", "code", "family", "attempts"), FAILURES)
def test_a_failure_is_told_once_and_its_end_once(
    world: World, break_it: Callable[[World], None], code: str, family: str, attempts: int
) -> None:
    """The right class, retried only when that may help, one message however often it fails, one when it is over."""
    break_it(world)
    run = world.run("kgc.analyze")
    assert run.state == "failed"
    assert max(task.try_number for task in run.get_task_instances()) == attempts
    assert re.search(rf"\[{re.escape(code)}\].*\n(?:.*\n){{0,9}}?.*HINT: \S", world.log())
    assert world.run("kgc.analyze").state == "failed"
    (title,) = world.messages()
    assert title.startswith("[clinic production] kgc.analyze failed: ")
    (mail,) = world.mail.texts()
    assert f"[{code}]" in mail
    assert family in mail
    assert "database kgc, fleet clinic (production), owner kgc-team" in mail
    assert "http://airflow.test/dags/kgc.analyze/runs/" in mail
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT count(*)::int FROM reporting.analyses") == [0]

    world.source.run(f'ALTER TABLE public.visits OWNER TO "{world.tender.user}"')
    world.connect("kgc", world.tender)
    assert world.run("kgc.analyze").state == "success"
    assert world.run("kgc.analyze").state == "success"
    assert world.messages() == [title, "[clinic production] kgc.analyze recovered"]
    everything = "\n".join([world.log(), world.handed_on(), *world.mail.texts(), *world.chat.texts()])
    assert CANARY_PASSWORD not in everything
    assert CANARY_ROW not in everything


@contextmanager
def locked(world: World) -> Generator[None]:
    """Hold the table in another session."""
    with world.source.session(application="nightly import") as holder, holder.transaction():
        holder.run(statement("LOCK TABLE public.visits IN ACCESS EXCLUSIVE MODE"))
        yield


def test_a_locked_table_is_an_outage_that_names_who_holds_it(world: World) -> None:
    """The lock is not waited for long, the hint names the session, and the next run finds everything as it was."""
    with locked(world):
        assert world.run("kgc.analyze").state == "failed"
    (mail,) = world.mail.texts()
    assert "[postgres.locked_out]" in mail
    assert "nightly import" in mail
    assert world.run("kgc.analyze").state == "success"
    assert len(world.messages()) == 2


def test_a_ledger_that_is_away_is_one_alert_for_all(world: World) -> None:
    """Nothing is done that cannot be written down; one message says so, however many pipelines it stops."""
    away = world.environ.setenv
    before = world.environment("ledger")
    away("AIRFLOW_CONN_LEDGER", before.replace(str(world.source.server.port), "1", 1))
    assert world.run("kgc.analyze").state == "failed"
    assert world.run("fleet.audit").state == "failed"
    (title,) = world.messages()
    assert "the ledger does not answer" in title
    assert "unknown, as the ledger cannot be asked" in world.mail.texts()[0]
    with world.source.session() as session:
        assert ask(session, "SELECT analyze_count::int FROM pg_stat_user_tables") == [0]

    away("AIRFLOW_CONN_LEDGER", before)
    assert world.run("kgc.analyze").state == "success"
    assert len(world.messages()) == 2
    assert "recovered" in world.messages()[1]


def test_damage_is_told_while_the_ledger_is_away(world: World) -> None:
    """That nothing can be written down is known already; that a backup is damaged is not."""
    before = world.environment("ledger")
    world.environ.setenv("AIRFLOW_CONN_LEDGER", before.replace(str(world.source.server.port), "1", 1))
    assert world.run("kgc.analyze").state == "failed"
    fleet, origin = usable_fleet(), Origin.of("kgc.verify", "by hand")
    damage = trouble_of(BackupBroken("a backup of kgc is damaged"))
    for _ in range(2):
        remember(fleet, lambda memory: Telling(fleet, memory, origin).broke(damage))
    assert [title.partition(":")[0] for title in world.messages()] == [
        "[clinic production] kgc.analyze failed",
        "[clinic production] kgc.verify failed",
    ]


def test_a_vault_that_refuses_fails_the_audit_and_nothing_else(world: World) -> None:
    """The audit is verified, its anchor cannot be kept, one message says why; the databases are tended as before."""
    world.write_fleet("folder: {path: /proc/nowhere}")
    assert world.run("fleet.audit").state == "failed"
    assert world.run("kgc.analyze").state == "success"
    (title,) = world.messages()
    assert title.startswith("[clinic production] fleet.audit failed: ")
    assert "[vault.folder_missing]" in world.mail.texts()[0]
    world.write_fleet()
    assert world.run("fleet.audit").state == "success"
    assert len(world.messages()) == 2


def test_what_is_still_safe_is_the_last_run_that_ended_well(world: World) -> None:
    """After a good night the message of a bad one names the run that still counts, with its age."""
    assert world.run("kgc.analyze").state == "success"
    wrong_password(world)
    assert world.run("kgc.analyze").state == "failed"
    assert re.search(
        r"what the run of \d{4}-\d\d-\d\d \d\d:\d\d UTC left, .+ ago \(\d{8}T\d{6}Z-", world.mail.texts()[0]
    )


def test_a_dry_run_does_not_say_that_it_recovered(world: World) -> None:
    """Looking, or tending some tables only, proves nothing about the rest: the alert stays open."""
    wrong_password(world)
    world.run("kgc.analyze")
    world.connect("kgc", world.tender)
    assert world.run("kgc.analyze", {"dry_run": True}).state == "success"
    assert world.run("kgc.analyze", {"tables": "public.vis*"}).state == "success"
    assert len(world.messages()) == 1
    assert world.run("kgc.analyze", {"dry_run": False, "tables": None}).state == "success"
    assert len(world.messages()) == 2


@pytest.mark.parametrize("marked", ["analyze", "plan|analyze"])
def test_a_task_that_somebody_marked_as_successful_does_not_say_that_it_recovered(world: World, marked: str) -> None:
    """The run is green in Airflow, and nothing was done: the ledger knows of no work that ended well in it."""
    missing_right(world)
    assert world.run("kgc.analyze").state == "failed"
    world.source.run(f'ALTER TABLE public.visits OWNER TO "{world.tender.user}"')
    assert world.run("kgc.analyze", marked=marked).state == "success"
    assert len(world.messages()) == 1
    assert world.run("kgc.analyze").state == "success"
    assert len(world.messages()) == 2
