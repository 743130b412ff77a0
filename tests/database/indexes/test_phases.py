"""A rebuild that is ended in each of its phases, what it must wait for and what not, and what it must preserve."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bed.clusters import asked, new_database, statement
from bed.held_rebuilds import INVALID, PHASES, Phase, ask_beside, cancel, end_session, ended_in, kill_client, rebuilt
from bed.impatient import wait_for
from bed.indexing import Templates, Ward
from bed.ledgers import ask, tell
from bed.standbys import primary_and_standby
from pgtend.indexes.errors import GaveWay, NoSuchIndex
from pgtend.indexes.leftovers import TableIndex, indexes_of
from pgtend.indexes.model import Reason
from pgtend.indexes.report import Outcome, RebuildReport
from pgtend.indexes.supervisor import Bounds, Supervisor
from pgtend.postgres.errors import TransactionLost
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer

DEVICE = "clinic.visits_device"
CAUGHT_UP = asked(
    "SELECT 'yes' AS word FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn() AND state = 'streaming'"
)
KINDS = (
    """CREATE UNLOGGED TABLE clinic.notes (id int PRIMARY KEY, note text, code text CONSTRAINT one_code UNIQUE,
        during int4range, EXCLUDE USING gist (during WITH &&))""",
    "ALTER TABLE clinic.notes ALTER note SET STORAGE EXTERNAL",
    """INSERT INTO clinic.notes SELECT n, repeat(md5(n::text), 80), 'c' || n, int4range(n, n + 1)
        FROM generate_series(1, 200) AS n""",
    "ALTER TABLE clinic.notes CLUSTER ON one_code",
    "COMMENT ON INDEX clinic.one_code IS 'one code, one note'",
    "CREATE TABLE clinic.parts (id int PRIMARY KEY, at date) PARTITION BY RANGE (id)",
    "CREATE TABLE clinic.parts_1 PARTITION OF clinic.parts FOR VALUES FROM (0) TO (1000)",
    "INSERT INTO clinic.parts SELECT n, '2026-01-01' FROM generate_series(1, 500) AS n",
)


@pytest.fixture
def held_ward(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a database with two indexes that can be held in every phase of their rebuild."""
    with templates.copy(server, "held") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)


def invalid(ward: Ward) -> list[object]:
    """Name the indexes that nobody can use."""
    with ward.live.session() as session:
        return ask(session, INVALID)


@pytest.mark.timeout(30)
def test_a_process_that_was_stopped_with_a_lock_keeps_no_answer_back(held_ward: Ward) -> None:
    """It is let on for a moment, as one must be that was stopped while it held a lock of the server's own."""
    with held_ward.live.session() as person, held_ward.live.session() as holder:
        (backend,) = ask(holder, "SELECT pg_backend_pid()")
        tell(holder, "SET lock_timeout = 0")
        script = "DO $$ BEGIN LOCK clinic.gated; PERFORM pg_sleep(0.3); END $$"
        with ThreadPoolExecutor(1) as beside:
            held = beside.submit(tell, holder, script)
            wait_for(lambda: ask(person, "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"))
            os.kill(int(str(backend)), signal.SIGSTOP)
            try:
                assert ask_beside(int(str(backend)), person, "SELECT count(*) > 0 FROM clinic.gated") == [True]
            finally:
                os.kill(int(str(backend)), signal.SIGCONT)
            held.result()


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("phase", PHASES, ids=[phase.name.replace(" ", "-") for phase in PHASES])
def test_a_rebuild_that_is_cancelled_leaves_nothing_in_any_phase(held_ward: Ward, phase: Phase) -> None:
    """It clears up at once, the application works on, and the next run succeeds; after the exchange this one has."""
    ended = ended_in(held_ward, phase, cancel)
    assert (ended.stood_at, ended.left) == (phase.name, ())
    assert ended.outcome == ("proved" if phase.is_live else "postgres.cancelled")
    assert rebuilt(held_ward, phase.index) == "proved"
    assert invalid(held_ward) == []


@pytest.mark.parametrize("number", [0, 8, 10])
def test_what_stays_when_a_session_is_ended_is_removed_by_the_next_run(held_ward: Ward, number: int) -> None:
    """Not begun, built and not checked, exchanged and not removed: each is known for what it is."""
    phase = PHASES[number]
    ended = ended_in(held_ward, phase, end_session)
    assert (ended.stood_at, ended.outcome) == (phase.name, "postgres.connection_lost")
    assert ended.left == (f"{phase.index}_cc{'old' if phase.is_live else 'new'}",)
    assert rebuilt(held_ward, phase.index) == "proved"
    assert invalid(held_ward) == []


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("number", [4, 10])
def test_what_a_killed_task_leaves_is_removed_by_the_next_run(held_ward: Ward, number: int) -> None:
    """Nobody is left to clear up, before the exchange or after it: the server notices, and the next run does."""
    phase = PHASES[number]
    ended = ended_in(held_ward, phase, kill_client)
    assert (ended.stood_at, ended.outcome) == (phase.name, "")
    assert ended.left == (f"{phase.index}_cc{'old' if phase.is_live else 'new'}",)
    assert rebuilt(held_ward, phase.index) == "proved"
    assert invalid(held_ward) == []


@pytest.mark.pg(">= 18")
def test_whoever_analyzes_the_table_by_hand_goes_first(held_ward: Ward) -> None:
    """A vacuum of another table disturbs nobody; ANALYZE of this one would wait, so the rebuild gives way."""

    def analyze(person: Session, _backend: int, _client: int) -> None:
        tell(person, "VACUUM clinic.wide", "ANALYZE clinic.gated")

    ended = ended_in(held_ward, PHASES[0], analyze)
    assert (ended.outcome, ended.left) == ("postponed", ())


@pytest.mark.pg(">= 18")
def test_a_rebuild_that_takes_far_longer_than_predicted_is_ended(held_ward: Ward) -> None:
    """The server's own limit is twice the prediction; nothing is left of it."""
    held_ward.limits = {"lock_timeout": "2 s", "statement_timeout": "1 s"}
    ended = ended_in(held_ward, PHASES[1], lambda _person, _backend, _client: None)
    assert (ended.outcome, ended.left) == ("postgres.statement_timeout", ())


@pytest.mark.pg(">= 18")
def test_a_snapshot_in_another_database_is_no_concern(ward: Ward) -> None:
    """Only sessions of the same database are waited for."""
    ward.rules = {**ward.rules, "oldest_transaction": "1 ms"}
    with new_database(ward.live.server) as other, other.session() as reader:
        tell(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1")
        assert rebuilt(ward, DEVICE) == "proved"


@pytest.mark.pg(">= 18")
def test_a_table_that_somebody_vacuums_is_left_alone(ward: Ward) -> None:
    """Both want the same lock, and the vacuum was there first."""
    with ward.live.session(application="vacuum by hand") as person:
        tell(person, "BEGIN", "LOCK TABLE clinic.visits IN SHARE UPDATE EXCLUSIVE MODE")
        report = ward.work(DEVICE, insists=True)
    result = next(one for one in report.results if one.name == DEVICE)
    assert result.outcome is Outcome.POSTPONED
    assert result.error is not None
    assert "its table is locked by somebody who changes or vacuums it" in result.error.detail


def test_every_kind_of_index_is_what_it_was(empty_ward: Ward) -> None:
    """Keys, constraints, TOAST, unlogged tables, partitions; what only a blocking REINDEX can renew is left."""
    empty_ward.live.run(*KINDS, address=empty_ward.address)
    toast = empty_ward.work("pg_toast.*", insists=True)
    assert {one.reason for one in toast.plan.left_alone} == {Reason.NOT_ASKED, Reason.TOAST}
    empty_ward.live.run(f'GRANT USAGE ON SCHEMA pg_toast TO "{empty_ward.address.user}"')
    report = empty_ward.work("clinic.notes", "clinic.parts", "clinic.parts_1", "pg_toast.*", insists=True)
    assert {result.name for result in report.ended(Outcome.PROVED)} >= {
        "clinic.notes_pkey",
        "clinic.one_code",
        "clinic.parts_1_pkey",
    }
    assert any(result.name.startswith("pg_toast.") for result in report.ended(Outcome.PROVED))
    assert _reasons(report) == {
        "clinic.notes_during_excl": Reason.EXCLUSION,
        "clinic.parts_pkey": Reason.PARTITIONED,
    }
    with pytest.raises(NoSuchIndex):
        empty_ward.work("pg_catalog.*", insists=True)
    with empty_ward.session() as session:
        code = next(one for one in _notes(session) if one.name == "one_code")
        assert (code.is_clustered, code.comment, code.constraint_name) == (True, "one code, one note", "one_code")


def _reasons(report: RebuildReport) -> dict[str, Reason]:
    left = {one.name: one.reason for one in report.plan.left_alone}
    return {name: reason for name, reason in left.items() if reason is not Reason.NOT_ASKED}


def _notes(session: Session) -> list[TableIndex]:
    oid = int(session.row(asked("SELECT 'clinic.notes'::regclass::oid::text AS word")).word)
    return list(indexes_of(session, oid).values())


def test_a_long_query_on_a_standby_is_not_ended_by_a_rebuild(tmp_path: Path) -> None:
    """Replaying the end of a rebuild would terminate it, so the rebuild waits for another night."""
    with primary_and_standby(18) as (primary, standby), new_database(primary) as live:
        live.run("CREATE TABLE public.visits AS SELECT generate_series(1, 20000) AS id", address=live.owner)
        live.run("CREATE INDEX visits_id ON public.visits (id)", address=live.owner)
        ward = Ward(live, tmp_path / "ledger", live.owner)
        address = standby.role(live.owner.user, live.owner.password, live.name)
        ward.replicas = {"standby": address}
        with primary.session() as session:
            wait_for(lambda: session.rows(CAUGHT_UP))
        with live.session(standby.superuser(live.name), application="report") as reader:
            reader.run(statement("BEGIN ISOLATION LEVEL REPEATABLE READ"))
            reader.rows(asked("SELECT count(*)::text AS word FROM public.visits"))
            result = ward.work("public.visits_id", insists=True).results[0]
            assert result.outcome is Outcome.POSTPONED
            assert result.error is not None
            assert "a long query on the standby" in result.error.message
            # It was not ended.
            reader.rows(asked("SELECT count(*)::text AS word FROM public.visits"))
        assert ward.work("public.visits_id", insists=True).ended(Outcome.PROVED)


@pytest.mark.pg(">= 18")
def test_a_deadlock_that_the_server_ends_at_our_cost_is_giving_way(empty_ward: Ward) -> None:
    """It may see the deadlock before we do; then the application goes on all the same, and we try again later."""
    bounds = Bounds(longest_wait=timedelta(minutes=1), lag=timedelta(minutes=1))
    with empty_ward.session() as watcher, empty_ward.session() as worker:
        watch = Supervisor(watcher=watcher, worker=worker, bounds=bounds, progress=str, what="rebuilding it")
        with pytest.raises(GaveWay, match="rebuilding it was given up") as caught, watch.watching():
            raise TransactionLost("deadlock detected")
    assert caught.value.detail == "The server ended it by deadlock."
