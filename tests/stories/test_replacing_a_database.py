"""A living database is replaced by a backup: the old one is kept, and a failure changes nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.restoring import Stage, names_like
from pgtend.postgres.address import Address
from pgtend.postgres.errors import ConnectionLost, NoSuchDatabase, ServerUnreachable
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.session import Session
from pgtend.restore import swap
from pgtend.restore.errors import NotConfirmed, StillInUse, TargetExists, TargetMissing, TargetUnsuited
from pgtend.restore.swap import OPEN_DATABASE, Replacement, exchange, replace_database
from pgtend.vault.agekeys import PrivateKeys, new_pair
from pgtend.vault.sealing import KeyUnavailable

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def origin(stage: Stage) -> Generator[LiveDatabase]:
    """Give a small database of which there is a backup, and which changed since."""
    with new_database(stage.server) as made:
        made.run("CREATE TABLE public.note (id int PRIMARY KEY, text text)", "INSERT INTO public.note VALUES (1, 'a')")
        stage.take(made.name)
        made.run("DELETE FROM public.note")
        yield made
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def put_in_place(stage: Stage, origin: LiveDatabase, typed: str | None = None) -> Replacement:
    """Replace a database by its latest backup."""
    backup = stage.backup()
    return replace_database(
        backup,
        stage.order(origin.name),
        origin.name if typed is None else typed,
        lambda: stage.take(origin.name).backup_id,
        stage.lines.append,
        clock=lambda: NOW,
    )


def notes(origin: LiveDatabase, name: str) -> str:
    """Count the notes in a database."""
    with origin.session(origin.server.superuser(name)) as session:
        return session.row(asked("SELECT count(*)::text AS word FROM public.note")).word


def test_the_backup_takes_the_place_and_the_old_one_stays(stage: Stage, origin: LiveDatabase) -> None:
    """What was deleted is back, what was there is still there, and it was backed up once more before."""
    done = put_in_place(stage, origin)
    assert done.set_aside == f"{origin.name}_before_20261121_120000"
    assert (notes(origin, origin.name), notes(origin, done.set_aside)) == ("1", "0")
    assert done.saved_as == stage.catalogue().entries[0].backup_id
    assert names_like(stage, f"{origin.name}_") == [done.set_aside]
    assert str(done).endswith(f"is still there as {done.set_aside}, and in backup {done.saved_as}")


@pytest.mark.pg(">= 18")
def test_people_in_the_database_are_sent_away(stage: Stage, origin: LiveDatabase) -> None:
    """A session that is idle in it does not keep the old one in place."""
    with origin.session() as session:
        put_in_place(stage, origin)
        assert notes(origin, origin.name) == "1"
        with pytest.raises(Exception, match=r"lost|terminat|clos"):
            session.row(asked("SELECT '1' AS word"))


@pytest.mark.parametrize("typed", ["", "kgc", "T"])
@pytest.mark.pg(">= 18")
def test_another_name_typed_changes_nothing(stage: Stage, origin: LiveDatabase, typed: str) -> None:
    """Not even a backup is taken."""
    with pytest.raises(NotConfirmed):
        put_in_place(stage, origin, typed)
    assert (notes(origin, origin.name), names_like(stage, f"{origin.name}_")) == ("0", [])
    assert len(stage.catalogue().entries) == 1


@pytest.mark.pg(">= 18")
def test_a_backup_that_fails_before_leaves_everything_as_it_was(stage: Stage, origin: LiveDatabase) -> None:
    """What is there is not touched before it is safe."""

    def fail() -> str:
        raise NoSuchDatabase("no")

    with pytest.raises(NoSuchDatabase):
        replace_database(stage.backup(), stage.order(origin.name), origin.name, fail, str)
    assert (notes(origin, origin.name), names_like(stage, f"{origin.name}_")) == ("0", [])


@pytest.mark.pg(">= 18")
def test_nothing_is_saved_for_a_restore_that_cannot_be(stage: Stage, origin: LiveDatabase) -> None:
    """A role that may make no databases, and a key that does not fit, are found out before a backup is taken."""
    saved: list[str] = []

    def save() -> str:
        saved.append("x")
        return stage.take(origin.name).backup_id

    poor = stage.order(origin.name, target=origin.owner.to(dbname="postgres"))
    with pytest.raises(TargetUnsuited, match="lacks what the backup needs"):
        replace_database(stage.backup(), poor, origin.name, save, str)
    sealed = stage.backup(keys=PrivateKeys((new_pair(),)))
    with pytest.raises(KeyUnavailable):
        replace_database(sealed, stage.order(origin.name), origin.name, save, str)
    assert saved == []


@pytest.mark.pg(">= 18")
def test_a_database_that_is_not_there_cannot_be_replaced(stage: Stage, origin: LiveDatabase) -> None:
    """A restore into nothing needs no replacing."""
    name = f"{origin.name}_none"
    with pytest.raises(TargetMissing):
        replace_database(stage.backup(), stage.order(name), name, lambda: "x", str)


@pytest.mark.pg(">= 18")
def test_whoever_looks_into_the_new_one_already_is_sent_away_too(stage: Stage, origin: LiveDatabase) -> None:
    """A monitor that enters every database of a server must not cost the whole restore at its last step."""
    fresh = f"{origin.name}_fresh"
    with stage.server.session() as session:
        session.run(statement("CREATE DATABASE {name} STRATEGY file_copy"), name=called(fresh))
        with psycopg.connect(stage.server.superuser(fresh).conninfo) as curious:
            exchange(session, origin.name, fresh, f"{origin.name}_before")
            with pytest.raises(psycopg.OperationalError):
                curious.execute("SELECT 1")
    assert names_like(stage, f"{origin.name}_") == [f"{origin.name}_before"]


@pytest.mark.pg(">= 18")
def test_a_failed_exchange_opens_the_database_again(stage: Stage, origin: LiveDatabase) -> None:
    """When the second name cannot be given, the first one is not taken away either."""
    with stage.server.session() as session, pytest.raises(NoSuchDatabase):
        exchange(session, origin.name, f"{origin.name}_never_restored", f"{origin.name}_before")
    assert notes(origin, origin.name) == "0"


def test_sessions_that_do_not_end_are_an_error_that_changes_nothing(stage: Stage, origin: LiveDatabase) -> None:
    """A process that hangs in the kernel does not hear that it should end."""
    with origin.session() as stuck, stage.server.session() as session:
        os.kill(stuck.facts.backend_pid, signal.SIGSTOP)
        try:
            with pytest.raises(StillInUse):
                exchange(session, origin.name, "x", f"{origin.name}_before", patience=timedelta(seconds=0.5))
        finally:
            os.kill(stuck.facts.backend_pid, signal.SIGCONT)
    assert notes(origin, origin.name) == "0"


@pytest.mark.pg(">= 15")
def test_a_connection_that_breaks_in_the_last_moment_leaves_nobody_outside(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own session is ended while the database is closed: it is opened again by another one."""

    def end_us(server: Session, _name: str) -> None:
        with stage.server.session() as other:
            ended = asked("SELECT pg_terminate_backend(%(pid)s)::text AS word")
            other.row(ended, {"pid": server.facts.backend_pid})

    monkeypatch.setattr(swap, "await_nobody", end_us)
    with stage.server.session() as session, pytest.raises(ConnectionLost):
        exchange(session, origin.name, "x", f"{origin.name}_before")
    assert notes(origin, origin.name) == "0"


@pytest.mark.pg(">= 15")
def test_a_server_that_dies_in_the_last_moment_is_told_with_what_is_left_to_do(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can open it then; the error stays what it was, and says that the database lets nobody in."""

    def fail(_server: Session, _name: str) -> None:
        monkeypatch.setattr(swap, "entered", gone)
        raise ConnectionLost("the server went away")

    def gone(_address: Address) -> None:
        raise ServerUnreachable("nobody answers")

    monkeypatch.setattr(swap, "await_nobody", fail)
    try:
        with stage.server.session() as session, pytest.raises(ConnectionLost) as error:
            exchange(session, origin.name, "x", f"{origin.name}_before")
    finally:
        with stage.server.session() as session:
            session.run(OPEN_DATABASE, database=called(origin.name))
    assert f"'{origin.name}' may still let nobody in" in error.value.detail


@pytest.mark.pg(">= 15")
def test_an_autovacuum_that_takes_hours_does_not_keep_the_old_one_in_place(stage: Stage, origin: LiveDatabase) -> None:
    """The server ends its own workers when a database changes its name: to wait for them would lose the restore."""
    origin.run(
        "CREATE TABLE public.slow (id int) WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
        " autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)",
        "INSERT INTO public.slow SELECT generate_series(1, 300000)",
        "DELETE FROM public.slow",
    )
    fresh = f"{origin.name}_fresh"
    with stage.server.session() as session:
        session.run(statement("CREATE DATABASE {name} STRATEGY file_copy"), name=called(fresh))
        session.run(statement("ALTER SYSTEM SET autovacuum_naptime = 1"))
        session.row(asked("SELECT pg_reload_conf()::text AS word"))
        try:
            _await_autovacuum(session, origin.name)
            exchange(session, origin.name, fresh, f"{origin.name}_before", patience=timedelta(seconds=2))
        finally:
            session.run(statement("ALTER SYSTEM RESET autovacuum_naptime"))
            session.row(asked("SELECT pg_reload_conf()::text AS word"))
    assert notes(origin, f"{origin.name}_before") == "0"


def _await_autovacuum(session: Session, name: str) -> None:
    """Wait until the server tidies a database by itself."""
    working = asked(
        "SELECT count(*)::text AS word FROM pg_stat_activity "
        "WHERE datname = %(name)s AND backend_type = 'autovacuum worker' AND query LIKE '%%public.slow%%'"
    )
    deadline = time.monotonic() + 60
    while session.row(working, {"name": name}).word == "0":
        assert time.monotonic() < deadline, "no autovacuum came"
        time.sleep(0.1)


@pytest.mark.pg(">= 18")
def test_after_a_failure_the_backup_is_to_be_asked_for_by_its_name(stage: Stage, origin: LiveDatabase) -> None:
    """The latest is the one that was taken of what is there now, without the rows that are to come back."""
    wanted = stage.catalogue().entries[0].backup_id
    with stage.server.session() as session:
        session.run(statement("CREATE DATABASE {name}"), name=called(f"{origin.name}_restore_20261121_120000"))
    with pytest.raises(TargetExists) as error:
        put_in_place(stage, origin)
    saved = stage.catalogue().entries[0].backup_id
    assert saved != wanted
    assert f"The latest backup is {saved} now" in error.value.detail
    assert f"ask for {wanted} by its name" in error.value.detail
