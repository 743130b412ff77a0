"""Everything that happens to a rebuild: people in the way, leftovers, no room, a kill. Nothing of it stays."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import pytest

from bed.clusters import asked, statement
from bed.impatient import unwatched_round, wait_for, watched_round
from bed.indexing import Ward
from bed.lines import Acting
from pgtend.indexes import rebuild
from pgtend.indexes.errors import LeftoverStays, NoRoom
from pgtend.indexes.leftovers import TableIndex, indexes_of
from pgtend.indexes.model import Reason
from pgtend.indexes.report import Outcome, Rebuilt
from pgtend.postgres.errors import AlreadyTended, LockedOut, ServerExhausted
from pgtend.postgres.session import Session

DEVICE = "clinic.visits_device"
REINDEX = "REINDEX INDEX CONCURRENTLY clinic.visits_device"
WRITE = "UPDATE clinic.visits SET active = active WHERE id = 4"
READ = "SELECT 1 FROM clinic.visits LIMIT 1"
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ"
LONG = "visits_" + "x" * 56


@contextmanager
def in_transaction(ward: Ward, *texts: str, begin: str = "BEGIN") -> Generator[Session]:
    """Keep a transaction of the application open."""
    with ward.live.session(ward.address, application="clinic-app") as session:
        for text in (begin, *texts):
            session.run(statement(text))
        yield session


def invalid(ward: Ward) -> list[str]:
    """Name the indexes that nobody can use."""
    found = asked(
        "SELECT indexrelid::regclass::text AS word FROM pg_index"
        " WHERE NOT indisvalid AND indexrelid >= 16384 ORDER BY 1"
    )
    with ward.session() as session:
        return [row.word for row in session.rows(found)]


def one(ward: Ward) -> Rebuilt:
    """Rebuild one index."""
    return next(result for result in ward.work(DEVICE, insists=True).results if result.name == DEVICE)


def leave_behind(ward: Ward, text: str = REINDEX, times: int = 1) -> None:
    """Let somebody's REINDEX run into its lock_timeout, which leaves an invalid index each time."""
    for _ in range(times):
        with ward.session() as session:
            session.run(statement("SET lock_timeout = '100ms'"))
            with pytest.raises(LockedOut):
                session.run(statement(text))


def test_leftovers_of_every_kind_are_removed_first(ward: Ward) -> None:
    """Twins not built or built, a second one, one whose name was cut, the old one after the exchange: all are known."""
    ward.live.run(f"CREATE INDEX {LONG} ON clinic.visits (kind, id)", address=ward.address)
    with in_transaction(ward, WRITE):
        leave_behind(ward, times=2)
        leave_behind(ward, f"REINDEX INDEX CONCURRENTLY clinic.{LONG}")
    with in_transaction(ward, "SELECT 1", begin=SNAPSHOT):
        leave_behind(ward, "REINDEX INDEX CONCURRENTLY clinic.visits_active")
    with in_transaction(ward, READ):
        leave_behind(ward, "REINDEX INDEX CONCURRENTLY clinic.visits_kind")
    assert invalid(ward) == [
        "clinic.visits_active_ccnew",
        "clinic.visits_device_ccnew",
        "clinic.visits_device_ccnew1",
        "clinic.visits_kind_ccold",
        f"clinic.{LONG[:57]}_ccnew",
    ]
    report = ward.work(DEVICE)
    assert len(report.cleared) == 5
    assert invalid(ward) == []
    assert report.ended(Outcome.PROVED)[0].name == DEVICE


@pytest.mark.pg(">= 18")
def test_an_invalid_index_that_is_no_leftover_is_reported_and_kept(ward: Ward) -> None:
    """Somebody's own unfinished build is theirs to finish or to drop."""
    with in_transaction(ward, WRITE):
        leave_behind(ward, "CREATE INDEX CONCURRENTLY visits_mine ON clinic.visits (at)")
    assert ward.decision("clinic.visits_mine").reason is Reason.INVALID
    ward.work(DEVICE)
    assert invalid(ward) == ["clinic.visits_mine"]


def test_a_rebuild_that_waits_too_long_is_given_up_and_leaves_nothing(ward: Ward) -> None:
    """A snapshot that stays open stops it after the build; who it was is said, and the half-built index is removed."""
    ward.rules = {**ward.rules, "longest_wait": "500 ms"}
    with in_transaction(ward, "SELECT 1", begin=SNAPSHOT):
        result = one(ward)
    assert result.error is not None
    assert result.error.code == "indexes.waited_too_long"
    assert "clinic-app" in result.error.detail
    assert result.outcome is Outcome.POSTPONED
    assert invalid(ward) == []


def test_what_a_writer_keeps_from_being_removed_is_removed_by_the_next_run(ward: Ward) -> None:
    """Whoever holds up the rebuild holds up the removal too: that is said, is an outage, and is made good."""
    ward.rules = {**ward.rules, "longest_wait": "500 ms"}
    with in_transaction(ward, WRITE), pytest.raises(LeftoverStays):
        ward.work(DEVICE, insists=True)
    assert invalid(ward) == ["clinic.visits_device_ccnew"]
    assert ward.work(DEVICE).cleared == ("clinic.visits_device_ccnew",)
    assert invalid(ward) == []


def test_an_old_index_that_a_reader_holds_is_no_failure_of_the_new_one(ward: Ward) -> None:
    """After the exchange the new index is live: that is proved, and what stays is said and removed by the next run."""
    ward.rules = {**ward.rules, "longest_wait": "500 ms"}
    with in_transaction(ward, READ), pytest.raises(LeftoverStays):
        ward.work(DEVICE, insists=True)
    assert any("visits_device proved" in line for line in ward.lines)
    assert invalid(ward) == ["clinic.visits_device_ccold"]
    assert ward.work(DEVICE).cleared == ("clinic.visits_device_ccold",)
    assert invalid(ward) == []


def one_that_fails(ward: Ward) -> str:
    """Rebuild one index, and give the code of what went wrong."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the code is what the test looks at
        ward.work(DEVICE, insists=True)
    return str(getattr(caught.value, "code", ""))


def test_the_application_goes_first(ward: Ward) -> None:
    """What would end as a deadlock of the application ends with our giving way, and with a rebuild a moment later."""
    met = watched_round(ward)
    assert (met.error, met.outcome, met.yielded >= 1) == ("", Outcome.PROVED, True)
    assert 0 < met.delay <= 0.5
    assert invalid(ward) == []


@pytest.mark.pg(">= 18")
def test_without_a_supervisor_the_application_would_be_ended(ward: Ward) -> None:
    """The round before is no comedy: a rebuild that nobody watches kills the application's transaction."""
    assert unwatched_round(ward).error == "postgres.transaction_lost"


@pytest.mark.pg(">= 18")
def test_two_runs_on_one_database_do_not_meet(ward: Ward) -> None:
    """The second one is told who is at work."""
    ward.limits = {**ward.limits, "lock_timeout": "200 ms"}
    patience = ward.database.limits.lock_timeout
    with ward.session() as other, other.hold("clinic", patience=patience), pytest.raises(AlreadyTended):
        ward.work()


def test_a_rebuild_by_somebody_else_is_waited_out(ward: Ward) -> None:
    """Two at once on one table kill each other by deadlock, so ours does not begin."""
    with in_transaction(ward, WRITE), ward.live.session(ward.address) as person:
        thread = threading.Thread(target=lambda: _until_cancelled(person, REINDEX))
        thread.start()
        time.sleep(0.5)
        result = one(ward)
        person.cancel()
        thread.join()
    assert result.error is not None
    assert result.error.code == "indexes.not_now"
    assert "another index of its table is being built" in result.error.detail


@pytest.mark.pg(">= 18")
def test_an_index_that_somebody_builds_as_soon_as_we_give_way_is_theirs(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours gives way to it, and what is invalid then is theirs as much as ours: theirs is finished, ours removed."""

    def slowly(session: Session, table: int) -> Mapping[int, TableIndex]:
        time.sleep(0.5)
        return indexes_of(session, table)

    def write() -> None:
        with in_transaction(ward, WRITE):
            began.set()
            ended.wait()

    def build() -> None:
        wait_for(lambda: any("waiting for writers" in line for line in ward.lines))
        threading.Timer(1.5, ended.set).start()
        with ward.session() as person:
            person.run(statement("CREATE INDEX CONCURRENTLY visits_mine ON clinic.visits (at)"))

    monkeypatch.setattr(rebuild, "indexes_of", slowly)
    began, ended = threading.Event(), threading.Event()
    threads = [threading.Thread(target=work) for work in (write, build)]
    threads[0].start()
    began.wait()
    threads[1].start()
    result = one(ward)
    for thread in threads:
        thread.join()
    assert result.error is not None
    assert result.error.code == "indexes.gave_way"
    assert invalid(ward) == []
    assert ward.decision("clinic.visits_mine").index.facts.is_valid


def _until_cancelled(session: Session, text: str) -> None:
    with pytest.raises(Exception, match="cancel"):
        session.run(statement(text))


@pytest.mark.pg(">= 18")
def test_an_old_transaction_stops_it_before_it_begins(ward: Ward) -> None:
    """It would wait for it at the end, so it is not begun."""
    ward.rules = {**ward.rules, "oldest_transaction": "1 ms"}
    with in_transaction(ward, "SELECT 1"):
        result = one(ward)
    assert result.outcome is Outcome.POSTPONED
    assert result.error is not None
    assert "transaction open for" in result.error.message


@pytest.mark.pg(">= 18")
def test_nothing_is_begun_without_room(ward: Ward) -> None:
    """Both indexes exist for a while, and the fleet file says how much the server holds."""
    with ward.session() as session:
        size = int(session.row(asked("SELECT pg_database_size(current_database())::text AS word")).word)
    ward.rules = {**ward.rules, "storage": f"{size // 1024} kB"}
    with pytest.raises(NoRoom):
        ward.work(DEVICE)
    assert invalid(ward) == []


@pytest.mark.pg(">= 18")
def test_a_disk_that_fills_up_half_way_leaves_nothing(ward: Ward) -> None:
    """The server gives up sorting; what it had begun is removed."""
    ward.rules = {**ward.rules, "memory": "1 MB", "workers": 0}
    ward.live.run(f"ALTER ROLE \"{ward.address.user}\" SET temp_file_limit = '200kB'")
    try:
        with pytest.raises(ServerExhausted):
            ward.work(DEVICE, insists=True)
    finally:
        ward.live.run(f'ALTER ROLE "{ward.address.user}" RESET temp_file_limit')
    assert invalid(ward) == []


@pytest.mark.pg(">= 18")
def test_an_index_that_was_exchanged_meanwhile_is_left_to_its_owner(ward: Ward) -> None:
    """Another one has its name: it is not rebuilt in its place, and nobody is paged because it is another one."""
    exchange = (
        "ALTER INDEX clinic.visits_device RENAME TO visits_device_old",
        "CREATE INDEX visits_device ON clinic.visits (device, id)",
    )
    ward.lines = Acting("1 of", lambda: ward.live.run(*exchange, address=ward.address))
    report = ward.work(DEVICE, insists=True)
    assert [result.outcome for result in report.results if result.name == DEVICE] == [Outcome.GONE]


@pytest.mark.pg(">= 18")
def test_a_task_that_is_ended_leaves_nothing(ward: Ward) -> None:
    """An interrupt cancels the rebuild in the server, and the half-built index goes with it."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, end)
    ward.lines = Acting("waiting for old snapshots", lambda: os.kill(os.getpid(), signal.SIGUSR1))
    try:
        with in_transaction(ward, "SELECT 1", begin=SNAPSHOT), pytest.raises(KeyboardInterrupt):
            ward.work(DEVICE, insists=True)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert invalid(ward) == []


@pytest.mark.pg(">= 18")
def test_a_rebuild_that_nobody_watches_any_more_is_given_up(ward: Ward) -> None:
    """Without the second connection nobody could save the application, so the rebuild ends; the next run clears."""
    kill = asked(
        "SELECT pg_terminate_backend(l.pid)::text AS word FROM pg_locks AS l"
        " JOIN pg_stat_progress_create_index AS p ON p.datid = l.database WHERE l.locktype = 'advisory'"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )

    def killing() -> None:
        with ward.live.session() as person:
            wait_for(lambda: person.rows(kill))

    thread = threading.Thread(target=killing)
    thread.start()
    with in_transaction(ward, WRITE):
        assert one_that_fails(ward) == "postgres.connection_lost"
    thread.join()
    ward.work(DEVICE)
    assert invalid(ward) == []
