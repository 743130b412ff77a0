"""Whatever breaks while a backup is taken, no backup comes of it, nothing stays behind, and the next one succeeds."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bed.backups import KEYS, Depot
from bed.clusters import asked, statement
from bed.faulty_network import FaultyNetwork, faulty_network
from bed.faulty_s3 import Act, Fault, error_body, faulty_s3
from bed.s3_servers import S3Site, ministack, ministack_server
from pgtend.backup.errors import NotReady, SnapshotGone
from pgtend.backup.facts import EXPORT_SNAPSHOT
from pgtend.backup.snapshot import sharing
from pgtend.backup.verify import verify_backup
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.kernel.progress import quietly
from pgtend.postgres.errors import AlreadyTended, LockedOut
from pgtend.postgres.process import Stalled
from pgtend.vault.errors import VaultFull

__all__ = ["ministack", "ministack_server"]

SLOW = 600_000
"""Bytes a second: 20 seconds for a dump that a fault is to meet in the middle, on a busy machine too."""


@pytest.fixture
def large(depot: Depot) -> Depot:
    """Give a database whose dump takes some seconds through a slow network."""
    depot.live.run(
        "CREATE TABLE clinic.scans (id int PRIMARY KEY, content text)",
        "INSERT INTO clinic.scans SELECT x, repeat(md5(x::text), 20) FROM generate_series(1, 20000) AS x",
        address=depot.live.owner,
    )
    return depot


@contextmanager
def through(depot: Depot) -> Generator[FaultyNetwork]:
    """Reach the server by a network that can be made to fail."""
    port = int(depot.address.params["port"])
    straight = depot.address
    with faulty_network(port) as network:
        depot.address = straight.to(host="127.0.0.1", port=str(network.port), sslmode="disable")
        try:
            yield network
        finally:
            depot.address = straight


def dumps_of(pattern: str) -> list[int]:
    """Find the dump processes that we started, by their own arguments: ours, or nobody's any more."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            is_dump = argv[0].endswith(b"pg_dump") and any(pattern.encode() in argument for argument in argv)
            # On a busy machine others dump a database of the same name.
            if is_dump and parent in {os.getpid(), 1}:
                found.append(int(entry.name))
    return found


@contextmanager
def once(watching: AbstractContextManager[Callable[[], bool]], act: Callable[[], None]) -> Generator[None]:
    """Do something as soon as something is seen, beside what the test does."""
    stop, done = threading.Event(), threading.Event()

    def watch() -> None:
        with watching as seen:
            while not stop.is_set():
                if seen():
                    act()
                    done.set()
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert done.is_set(), "what the test waits for never happened"


def nothing_stays_and_the_next_succeeds(depot: Depot) -> None:
    """Hold what every fault has in common."""
    assert depot.stored() == []
    assert depot.vault.unfinished() == ()
    assert dumps_of(depot.live.name) == []
    manifest = depot.take()
    assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()


@contextmanager
def copying(depot: Depot) -> Generator[Callable[[], bool]]:
    """Tell whether a dump is reading rows right now."""
    query = asked("SELECT 'yes' AS word FROM pg_stat_progress_copy WHERE datname = current_database() LIMIT 1")
    with depot.live.session() as session:
        yield lambda: bool(session.rows(query))


def test_a_killed_dump_leaves_no_backup(large: Depot) -> None:
    """Kill -9 of pg_dump in the middle of its stream is an error and not an end."""

    def kill() -> None:
        for pid in dumps_of(large.live.name):
            os.kill(pid, signal.SIGKILL)

    with through(large) as network:
        network.bytes_per_second = SLOW
        with once(copying(large), kill), pytest.raises(Outage, match="pg_dump was killed by SIGKILL"):
            large.take()
    nothing_stays_and_the_next_succeeds(large)


def test_a_terminated_backend_leaves_no_backup(large: Depot) -> None:
    """A server that ends one of our sessions ends the backup."""
    end = statement("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_copy WHERE datname = current_database()")

    def terminate() -> None:
        with large.live.session() as session:
            session.run(end)

    with through(large) as network:
        network.bytes_per_second = SLOW
        with once(copying(large), terminate), pytest.raises(Outage):
            large.take()
    nothing_stays_and_the_next_succeeds(large)


def test_losing_the_session_that_holds_the_locks_leaves_no_backup(large: Depot) -> None:
    """Dumps that go on without the locks are not believed."""
    end = statement(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'pgtend:backup:clinic' AND state = 'idle in transaction'"
    )

    def terminate() -> None:
        with large.live.session() as session:
            session.run(end)

    with through(large) as network:
        network.bytes_per_second = SLOW
        with once(copying(large), terminate), pytest.raises(Outage):
            large.take()
    nothing_stays_and_the_next_succeeds(large)


def test_a_snapshot_whose_holder_is_gone_is_an_outage(large: Depot) -> None:
    """The server's own words for it would page somebody about broken data."""
    with large.live.session() as holder, large.live.session() as reader:
        with holder.transaction():
            name = holder.row(EXPORT_SNAPSHOT).name
        with pytest.raises(SnapshotGone), sharing(reader, name):
            pass


@pytest.mark.pg(">= 18")
def test_a_cut_network_leaves_no_backup(large: Depot) -> None:
    """A connection that is reset in the middle of the rows."""
    with through(large) as network:
        network.cut_after = 2_000_000
        with pytest.raises(Outage):
            large.take()
    nothing_stays_and_the_next_succeeds(large)


@pytest.mark.pg(">= 18")
def test_a_network_that_swallows_everything_is_noticed(large: Depot) -> None:
    """No byte for longer than allowed ends the dump, although no connection broke."""
    large.rules = {"silence": "4 s"}

    def swallow() -> None:
        network.is_black_hole = True

    with through(large) as network:
        network.bytes_per_second = SLOW
        with once(copying(large), swallow), pytest.raises(Stalled):
            large.take()
        network.is_black_hole = False
    nothing_stays_and_the_next_succeeds(large)


@pytest.mark.pg(">= 18")
def test_a_full_disk_leaves_no_backup(large: Depot) -> None:
    """A vault without room says so, and keeps nothing of the try."""
    import resource  # noqa: PLC0415 - only this test limits itself

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(PgtendError) as caught:
            large.take()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert isinstance(caught.value, VaultFull)
    nothing_stays_and_the_next_succeeds(large)


def test_a_locked_table_is_named_with_whoever_holds_it(depot: Depot) -> None:
    """The message says whom to ask, and how long it was tried; each try holds up nobody for longer than the limit."""
    depot.limits, depot.rules = {"lock_timeout": "200 ms", "sessions": 2}, {"patience": "900 ms"}
    with depot.live.session(depot.live.owner, application="migration 42") as other, other.transaction():
        other.run(statement("LOCK TABLE clinic.patients IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LockedOut) as caught:
            depot.take()
        assert "migration 42" in caught.value.hint
        assert re.search(r"Tried \d times in 900 ms\.", caught.value.detail)
    nothing_stays_and_the_next_succeeds(depot)


@pytest.mark.pg(">= 18")
def test_two_backups_of_one_database_never_overlap(depot: Depot) -> None:
    """The second one is told who is at it, and tries again later."""
    with depot.live.session(application="pgtend:analyze:clinic") as other:
        from datetime import timedelta  # noqa: PLC0415 - only this test waits

        with other.hold("clinic", patience=timedelta(seconds=1)), pytest.raises(AlreadyTended):
            depot.take(patience=timedelta(milliseconds=100))
    nothing_stays_and_the_next_succeeds(depot)


def test_missing_rights_are_listed_all_at_once_and_their_cure_works(depot: Depot) -> None:
    """Each missing right comes with the statement that gives it, and with all of them the backup succeeds."""
    depot.live.run(
        "ALTER TABLE clinic.patients ENABLE ROW LEVEL SECURITY",
        "CREATE SCHEMA ward",
        "CREATE TABLE ward.beds (id serial PRIMARY KEY)",
        "SELECT lo_from_bytea(4711, 'content')",
        address=depot.live.owner,
    )
    depot.address = depot.live.new_role("tender")
    role = depot.live.role_name("tender")
    with pytest.raises(NotReady) as caught:
        depot.take()
    grants = [problem.hint for problem in caught.value.problems]
    assert grants == [
        f"GRANT USAGE ON SCHEMA clinic TO {role};",
        f"GRANT USAGE ON SCHEMA ward TO {role};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA clinic TO {role};",
        f"GRANT SELECT ON ward.beds TO {role};",
        f"GRANT SELECT ON SEQUENCE clinic.visits_id_seq TO {role};",
        f"GRANT SELECT ON SEQUENCE ward.beds_id_seq TO {role};",
        f"ALTER ROLE {role} BYPASSRLS;",
        f"GRANT SELECT ON LARGE OBJECT 4711 TO {role};",
    ]
    depot.live.run(*grants)
    nothing_stays_and_the_next_succeeds(depot)


@pytest.mark.pg(">= 18")
def test_without_anybody_to_seal_for_nothing_is_dumped(depot: Depot) -> None:
    """No key is no reason to store rows in the clear."""
    site = depot.site()
    from pgtend.backup.preflight import recipients_of  # noqa: PLC0415 - only this test looks at it

    keyless = site.fleet.model_copy(update={"keys": site.fleet.keys.model_copy(update={"recipients": {}})})
    assert recipients_of(keyless, "clinic") == ()
    from dataclasses import replace  # noqa: PLC0415 - same

    from pgtend.backup.take import take_backup  # noqa: PLC0415 - same
    from pgtend.ledger.model import Subject  # noqa: PLC0415 - same

    with pytest.raises(NotReady, match="nobody is named"):
        take_backup(replace(site, fleet=keyless), depot.ledger, Subject("clinic", "backup", "test"), quietly)
    assert depot.stored() == []


@pytest.mark.parametrize(
    ("fault", "survives"),
    [
        (Fault(Act.ANSWER, "PUT", "rest", times=2, status=503, body=error_body("SlowDown")), True),
        (Fault(Act.ANSWER, "PUT", "rest", times=99, status=500, body=error_body("InternalError")), False),
        (Fault(Act.ANSWER, "PUT", "post-data", times=99, status=400, body=error_body("ExpiredToken")), False),
        (Fault(Act.LOSE_ANSWER, "PUT", "manifest", times=1), True),
        (Fault(Act.STALL, "PUT", "pre-data", times=99), False),
    ],
    ids=["slow down twice", "500 for ever", "expired credentials", "cut after the manifest", "stalled for ever"],
)
@pytest.mark.pg(">= 18")
def test_an_s3_that_fails_makes_a_backup_or_leaves_none(
    depot: Depot, ministack: S3Site, fault: Fault, *, survives: bool
) -> None:
    """What passes is tried again; what stays ends the backup with nothing left behind."""
    with faulty_s3(ministack.endpoint) as site, ministack.through(site.endpoint).vault() as vault:
        site.faults.append(fault)
        depot.vault = vault
        if survives:
            assert verify_backup(vault, depot.take(), KEYS, quietly).faults == ()
            return
        with pytest.raises(PgtendError):
            depot.take()
    with ministack.vault() as vault:
        depot.vault = vault
        nothing_stays_and_the_next_succeeds(depot)


@pytest.mark.pg(">= 18")
def test_an_answer_without_the_sealed_object_is_noticed_when_it_is_read_back(depot: Depot, ministack: S3Site) -> None:
    """An S3 that altered what it stored is caught before the backup counts."""
    with faulty_s3(ministack.endpoint) as site, ministack.through(site.endpoint).vault() as vault:
        site.faults.append(Fault(Act.ALTER, "GET", "rest", times=99, body="something else of another length"))
        depot.vault = vault
        with pytest.raises(PgtendError):
            depot.take()
        assert not any(key.endswith("manifest.json") for key in depot.stored())
