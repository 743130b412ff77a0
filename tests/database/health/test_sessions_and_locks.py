"""Every limit about sessions and locks is crossed for real, on the oldest and the newest server."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from bed.clusters import LiveDatabase, asked, statement
from bed.ledgers import ask, tell
from bed.watching import Ward, await_nobody, crowd, finding_of, limits
from pgtend.fleet.health import Watched
from pgtend.health.model import Level
from pgtend.kernel.errors import PgtendError

WAITING = asked(
    "SELECT count(*)::text AS word FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)"
    " WHERE NOT l.granted AND a.datname = current_database()"
)


@contextmanager
def queue(live: LiveDatabase, size: int) -> Generator[None]:
    """Let one session hold a table, and others wait for it until the end."""
    live.run("CREATE TABLE public.held (id int)")
    with ExitStack() as stack:
        holder = stack.enter_context(live.session(application="holder"))
        tell(holder, "BEGIN", "LOCK TABLE public.held")
        waiters = [stack.enter_context(live.session(application="waiter")) for _ in range(size)]
        pool = stack.enter_context(ThreadPoolExecutor(size))
        for waiter in waiters:
            pool.submit(tell, waiter, "SELECT * FROM public.held")
        with live.session() as watcher:
            while watcher.row(WAITING).word != str(size):
                tell(watcher, "SELECT pg_sleep(0.02)")
        try:
            yield
        finally:
            tell(holder, "COMMIT")


def test_connections_near_the_limit(ward: Ward) -> None:
    """Of twenty places eighteen are taken: critical, with the number; when they leave it is over."""
    with crowd(ward.live, 18, "web"):
        found = ward.finding(Watched.CONNECTIONS_USED)
        assert (found.level, found.about) == (Level.CRITICAL, "18 of 20")
    await_nobody(ward.live)
    assert ward.finding(Watched.CONNECTIONS_USED).level is Level.OK


def test_an_application_that_gives_no_connection_back(ward: Ward) -> None:
    """Seven idle sessions of one application are named as leaked, and the pool shows them."""
    ward.rules = {"idle_session": "1 ms"}
    with crowd(ward.live, 7, "billing"):
        exam = ward.look()
    found = finding_of(exam, Watched.SESSIONS_LEAKED)
    assert (found.level, found.value, found.about) == (Level.WARNING, 35, "billing: 7 of 7 unused")
    assert [(pool.application, pool.sessions) for pool in exam.look.pools] == [("billing", 7)]


def test_a_session_idle_in_transaction(ward: Ward) -> None:
    """It is named by application and process; no statement of it is."""
    ward.rules = limits(idle_in_transaction={"warning": 0.01}, longest_transaction={"warning": 0.01})
    with ward.live.session(application="forgetful") as session:
        tell(session, "BEGIN", "SELECT 'secret of a row'", "SELECT pg_sleep(0.02)")
        exam = ward.look()
        for watched in (Watched.IDLE_IN_TRANSACTION, Watched.LONGEST_TRANSACTION):
            found = finding_of(exam, watched)
            assert found.level is Level.WARNING
            assert found.about == f"forgetful, process {session.connection.info.backend_pid}"
        assert "secret" not in str(exam.findings)
        tell(session, "COMMIT")
    assert ward.finding(Watched.IDLE_IN_TRANSACTION).level is Level.OK


def test_a_long_query_and_our_own_work(ward: Ward) -> None:
    """Somebody's statement counts; a backup of ours may take its hours."""
    ward.rules = limits(longest_query={"warning": 0.01})
    for application, level in (("report", Level.WARNING), ("pgtend:backup:kgc", Level.OK)):
        with ward.live.session(application=application) as session, ThreadPoolExecutor(1) as pool:
            running = pool.submit(tell, session, "SELECT pg_sleep(60)")
            with ward.live.session() as watcher:
                seen = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %(name)s AND state = 'active'"
                while ask(watcher, seen, {"name": application}) != [1]:
                    tell(watcher, "SELECT pg_sleep(0.02)")
            assert ward.finding(Watched.LONGEST_QUERY).level is level
            session.cancel()
            assert isinstance(running.exception(), PgtendError)


def test_a_queue_for_a_lock(ward: Ward) -> None:
    """How many wait, for how long, and who stands in the way of the longest."""
    ward.rules = limits(lock_wait={"warning": 0.001}, lock_queue={"warning": 2})
    with queue(ward.live, 3):
        exam = ward.look()
    waited, queued = finding_of(exam, Watched.LOCK_WAIT), finding_of(exam, Watched.LOCK_QUEUE)
    assert (queued.level, queued.value) == (Level.WARNING, 3)
    assert waited.level is Level.WARNING
    assert waited.about.startswith("waiter, process ")
    assert " behind holder, process " in waited.about


def test_a_deadlock_and_rollbacks_since_the_last_look(ward: Ward) -> None:
    """What happened between two looks counts, and nothing of what happened before."""
    ward.rules = limits(rollbacks={"lasting": "1 ms"})
    ward.live.run("CREATE TABLE public.rows (id int PRIMARY KEY)", "INSERT INTO public.rows VALUES (1), (2)")
    assert ward.finding(Watched.DEADLOCKS).level is Level.OK
    with ward.live.session() as one, ward.live.session() as other, ThreadPoolExecutor(1) as pool:
        for session, first in ((one, 1), (other, 2)):
            tell(session, "BEGIN", f"SELECT FROM public.rows WHERE id = {first} FOR UPDATE")
        crossed = pool.submit(tell, one, "SELECT FROM public.rows WHERE id = 2 FOR UPDATE")
        try:
            tell(other, "SELECT FROM public.rows WHERE id = 1 FOR UPDATE")
        except PgtendError:
            tell(other, "ROLLBACK")
        if crossed.exception():
            tell(one, "ROLLBACK")
    exam = ward.look()
    assert (finding_of(exam, Watched.DEADLOCKS).level, finding_of(exam, Watched.DEADLOCKS).value) == (Level.WARNING, 1)
    for level in (Level.OK, Level.CRITICAL):
        with ward.live.session() as session:
            for _ in range(120):
                session.run(statement("BEGIN"))
                session.run(statement("ROLLBACK"))
        assert ward.finding(Watched.ROLLBACKS).level is level
    assert ward.finding(Watched.DEADLOCKS).level is Level.OK


def test_a_role_that_may_not_monitor_sees_nothing_green(ward: Ward) -> None:
    """What sessions do is unknown, and the finding says which GRANT is missing."""
    ward.monitor = ward.live.new_role("stranger")
    with crowd(ward.live, 1, "web"):
        exam = ward.look()
    unseen = (Watched.CONNECTIONS_USED, Watched.SESSIONS_LEAKED, Watched.LONGEST_QUERY, Watched.ARCHIVE_BACKLOG)
    for watched in (*unseen, Watched.HELD_BACK):
        assert finding_of(exam, watched).level is Level.UNKNOWN
    assert "GRANT pg_monitor" in finding_of(exam, Watched.CONNECTIONS_USED).explanation
    assert "[postgres.missing_right]" in finding_of(exam, Watched.ARCHIVE_BACKLOG).explanation
    assert exam.level in {Level.UNKNOWN, Level.WARNING, Level.CRITICAL}


def test_a_question_without_an_answer_in_time_is_unknown(ward: Ward) -> None:
    """Somebody locked the catalogue of sequences: that metric is unknown, the others are answered."""
    ward.rules = {"patience": "300 ms", "details_every": "1 s"}
    with ward.live.session() as session:
        tell(session, "BEGIN", "LOCK TABLE pg_catalog.pg_sequence IN ACCESS EXCLUSIVE MODE")
        exam = ward.look()
        tell(session, "ROLLBACK")
    found = finding_of(exam, Watched.SEQUENCE_USED)
    assert found.level is Level.UNKNOWN
    assert "postgres.locked_out" in found.explanation or "postgres.statement_timeout" in found.explanation
    assert finding_of(exam, Watched.RESTART_PENDING).level is Level.OK
