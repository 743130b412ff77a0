"""A rebuild that is cancelled in each of its phases, what it must wait for and what not, and what it must preserve."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bed.clusters import asked, new_database, statement
from bed.impatient import wait_for
from bed.indexing import Ward
from bed.ledgers import tell
from bed.standbys import primary_and_standby
from pgtend.indexes.errors import GaveWay
from pgtend.indexes.leftovers import TableIndex, indexes_of
from pgtend.indexes.model import Reason
from pgtend.indexes.report import Outcome, RebuildReport
from pgtend.indexes.supervisor import Bounds, Supervisor
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.errors import TransactionLost
from pgtend.postgres.session import Session

DEVICE = "clinic.visits_device"
WRITE = "UPDATE clinic.visits SET active = active WHERE id = 4"
READ = "SELECT 1 FROM clinic.visits LIMIT 1"
INVALID = asked("SELECT indexrelid::regclass::text AS word FROM pg_index WHERE NOT indisvalid AND indexrelid >= 16384")
CAUGHT_UP = asked(
    "SELECT 'yes' AS word FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn() AND state = 'streaming'"
)
# Slow only for us, so that the build takes as long as the test needs.
SLOW = (
    """CREATE FUNCTION clinic.slow(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('application_name') LIKE 'pgtend:reindex:%%' THEN PERFORM pg_sleep(0.001); END IF;
        RETURN $1; END $$""",
    "DROP INDEX clinic.visits_device",
    "CREATE INDEX visits_device ON clinic.visits (clinic.slow(device))",
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


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a rebuild stands, and the transaction that keeps it there."""

    name: str
    begin: str = ""
    holds: str = ""
    prepare: tuple[str, ...] = ()
    is_live: bool = False
    """Whether the new index is in its place by then."""


PHASES = (
    Phase("waiting for writers before build", "BEGIN", WRITE),
    Phase("building index: scanning table", prepare=SLOW),
    Phase("waiting for old snapshots", "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"),
    Phase("waiting for readers before marking dead", "BEGIN", READ, is_live=True),
)


@contextmanager
def cancelled_in(ward: Ward, phase: Phase) -> Generator[None]:
    """Cancel our rebuild as soon as it is in a phase, and let go then of what kept it there."""
    with ward.live.session(ward.address, application="clinic-app") as holder, ward.live.session() as person:
        tell(holder, *(text for text in (phase.begin, phase.holds) if text))
        cancel = asked(
            f"SELECT pg_cancel_backend(pid)::text AS word FROM pg_stat_progress_create_index"  # noqa: S608 - a name of ours
            f" WHERE phase = '{phase.name}' AND datname = current_database()"
        )

        def cancelling() -> None:
            wait_for(lambda: person.rows(cancel))
            if phase.begin:
                tell(holder, "ROLLBACK")

        thread = threading.Thread(target=cancelling)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def rebuilt(ward: Ward) -> str:
    """Rebuild one index, and say what came of it."""
    try:
        report = ward.work(DEVICE, insists=True)
    except PgtendError as error:
        return error.code
    return next(result.outcome.value for result in report.results if result.name == DEVICE)


def invalid(ward: Ward) -> list[str]:
    """Name the indexes that nobody can use."""
    with ward.session() as session:
        return [row.word for row in session.rows(INVALID)]


@pytest.mark.parametrize("phase", PHASES, ids=[phase.name.split(":")[0].replace(" ", "-") for phase in PHASES])
def test_a_rebuild_that_is_cancelled_leaves_nothing_in_any_phase(ward: Ward, phase: Phase) -> None:
    """Before the exchange the old index stays; after it the new one is live, and that is success."""
    if phase.prepare:
        ward.live.run(*phase.prepare, address=ward.address)
    with cancelled_in(ward, phase):
        outcome = rebuilt(ward)
    assert outcome == ("proved" if phase.is_live else "postgres.cancelled")
    assert invalid(ward) == []


@pytest.mark.pg(">= 18")
def test_a_snapshot_in_another_database_is_no_concern(ward: Ward) -> None:
    """Only sessions of the same database are waited for."""
    ward.rules = {**ward.rules, "oldest_transaction": "1 ms"}
    with new_database(ward.live.server) as other, other.session() as reader:
        tell(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1")
        assert rebuilt(ward) == "proved"


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
    """Keys, constraints, TOAST, unlogged tables and partitions; what only a blocking REINDEX can renew is left."""
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
