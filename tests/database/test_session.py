"""A session speaks in typed rows, keeps its settings and says in our words what went wrong."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Timer

import pytest
from psycopg import sql

from bed.clusters import LiveDatabase, Word, asked, statement
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import Outage
from pgtend.postgres.errors import (
    AlreadyTended,
    ConnectionLost,
    LockedOut,
    MissingRight,
    RowsBroken,
    StandbyRefused,
    StatementCancelled,
    StatementRejected,
    StatementTimeout,
    UnexpectedRows,
    UnsupportedServer,
)
from pgtend.postgres.facts import refuse_unsupported
from pgtend.sqlfiles import Query

HASTY = Limits(lock_timeout=timedelta(milliseconds=100), statement_timeout=timedelta(milliseconds=400))
AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Settings:
    """What a session set for itself."""

    application: str
    statement_timeout: str
    lock_timeout: str
    idle: str
    timezone: str
    search_path: str
    client_check: str


READ_SETTINGS = Query(
    name="settings",
    text="""SELECT current_setting('application_name') AS application,
                   current_setting('statement_timeout') AS statement_timeout,
                   current_setting('lock_timeout') AS lock_timeout,
                   current_setting('idle_in_transaction_session_timeout') AS idle,
                   current_setting('timezone') AS timezone,
                   current_setting('search_path') AS search_path,
                   current_setting('client_connection_check_interval') AS client_check""",
    row=Settings,
    purpose="test",
)


def test_a_session_sets_its_limits_and_its_name(database: LiveDatabase) -> None:
    """Every session carries the limits of the fleet file and a name a DBA recognises."""
    limits = Limits(lock_timeout=timedelta(seconds=3), statement_timeout=timedelta(minutes=2))
    with database.session(limits=limits, application="pgtend:analyze:kgc") as session:
        assert session.row(READ_SETTINGS) == Settings(
            application="pgtend:analyze:kgc",
            statement_timeout="2min",
            lock_timeout="3s",
            idle="10min",
            timezone="UTC",
            search_path="pg_catalog",
            client_check="2s",
        )


def test_a_warning_of_the_server_is_part_of_the_outcome(database: LiveDatabase) -> None:
    """ANALYZE without the right to do so ends well and does nothing: only the WARNING says it."""
    database.run("CREATE TABLE public.patients (id int)")
    stranger = database.new_role("stranger")
    with database.session(stranger) as session:
        outcome = session.run(statement("ANALYZE public.patients"))
    assert outcome.status == "ANALYZE"
    assert [notice.severity for notice in outcome.warnings] == ["WARNING"]
    assert "patients" in outcome.warnings[0].message


def test_the_next_outcome_does_not_repeat_old_remarks(database: LiveDatabase) -> None:
    """A remark belongs to the statement it was made about."""
    with database.session() as session:
        first = session.run(statement("DO $$ BEGIN RAISE WARNING 'look'; END $$"))
        second = session.run(statement("SELECT 1"))
    assert [notice.message for notice in first.notices] == ["look"]
    assert second.notices == ()


def test_exactly_one_row_is_demanded(database: LiveDatabase) -> None:
    """A statement that always gives one row and gives two is broken evidence."""
    with database.session() as session, pytest.raises(UnexpectedRows, match="gave 2 rows"):
        session.row(asked("SELECT unnest(ARRAY['a', 'b']) AS word"))


def test_identifiers_are_quoted_and_values_are_bound(database: LiveDatabase) -> None:
    """A name with a quote and a value with a quote both arrive as they are."""
    odd = 'odd "name"; DROP'
    with database.session() as session:
        session.run(statement("CREATE TABLE public.{name} (word text)"), name=sql.Identifier(odd))
        insert = statement("INSERT INTO public.{name} VALUES (%(word)s)")
        session.run(insert, {"word": "it's"}, name=sql.Identifier(odd))
        rows = session.rows(asked("SELECT word FROM public.{name}"), name=sql.Identifier(odd))
    assert rows == [Word("it's")]


def test_copied_rows_are_counted_by_the_server(database: LiveDatabase) -> None:
    """COPY tells how many rows the server took."""
    database.run("CREATE TABLE public.words (word text, number int)")
    with database.session() as session:
        copied = session.copy_in(statement("COPY public.words FROM STDIN"), [("a", 1), ("b", None)])
        words = session.rows(asked("SELECT word FROM public.words ORDER BY word"))
    assert (copied, words) == (2, [Word("a"), Word("b")])


def test_a_batch_runs_once_for_each_set_of_values(database: LiveDatabase) -> None:
    """Many sets of values travel together."""
    database.run("CREATE TABLE public.words (word text)")
    with database.session() as session:
        session.run_for_each(statement("INSERT INTO public.words VALUES (%(word)s)"), [{"word": "a"}, {"word": "b"}])
        assert session.rows(asked("SELECT word FROM public.words ORDER BY 1")) == [Word("a"), Word("b")]


def test_a_failed_transaction_leaves_nothing(database: LiveDatabase) -> None:
    """All of it or nothing."""
    database.run("CREATE TABLE public.words (word text NOT NULL)")
    with database.session() as session:
        with suppress(RowsBroken), session.transaction():
            session.run(statement("INSERT INTO public.words VALUES ('kept?')"))
            session.run(statement("INSERT INTO public.words VALUES (NULL)"))
        assert session.rows(asked("SELECT word FROM public.words")) == []


def test_a_broken_rule_is_named_without_the_row(database: LiveDatabase) -> None:
    """The constraint and the table are said; the value that broke it is in no message and no traceback."""
    database.run("CREATE TABLE public.patients (ssn text CONSTRAINT one_ssn PRIMARY KEY)")
    insert = statement("INSERT INTO public.patients VALUES ('987-65-4321')")
    with database.session() as session:
        session.run(insert)
        with pytest.raises(RowsBroken) as caught:
            session.run(insert)
    assert caught.value.message == 'unique violation of constraint "one_ssn" of table "public.patients"'
    assert "987-65" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_missing_right_is_misconfigured(database: LiveDatabase) -> None:
    """A role without SELECT is told which right and where the GRANT is printed."""
    database.run("CREATE TABLE public.patients (id int)")
    with database.session(database.new_role("stranger")) as session, pytest.raises(MissingRight) as caught:
        session.rows(asked("SELECT id::text AS word FROM public.patients"))
    assert caught.value.message == "permission denied for table patients"
    assert "pgtend doctor" in caught.value.hint


def test_a_table_that_is_gone_rejects_the_statement(database: LiveDatabase) -> None:
    """What a statement names and the server does not know is our configuration, not an outage."""
    with (
        database.session() as session,
        pytest.raises(StatementRejected, match=r'relation "public\.gone" does not exist'),
    ):
        session.rows(asked("SELECT word FROM public.gone"))


def test_a_long_statement_times_out(database: LiveDatabase) -> None:
    """The limit of the fleet file ends a statement, and it is told apart from a cancel."""
    with (
        database.session(limits=HASTY) as session,
        pytest.raises(StatementTimeout, match="statement timeout") as caught,
    ):
        session.run(statement("SELECT pg_sleep(30)"))
    assert "limits.statement_timeout" in caught.value.hint


def test_a_lock_timeout_names_who_holds_the_lock(database: LiveDatabase) -> None:
    """The hint names the process, its application and what it holds, and not the text of its query."""
    database.run("CREATE TABLE public.patients (ssn text)")
    with database.session(application="rude-migration") as rude, rude.transaction():
        rude.run(statement("LOCK TABLE public.patients IN ACCESS EXCLUSIVE MODE"))
        rude.rows(asked("SELECT '987-65-4321' AS word"))
        with database.session(limits=HASTY) as session, pytest.raises(LockedOut) as caught:
            session.run(statement("ANALYZE {table}"), table=sql.Identifier("public", "patients"))
        assert f'process {rude.facts.backend_pid} ("rude-migration", idle in transaction' in caught.value.hint
        assert "holds AccessExclusiveLock on public.patients" in caught.value.hint
        assert "987-65" not in str(caught.value)


def test_a_statement_that_timed_out_behind_a_lock_names_the_lock(database: LiveDatabase) -> None:
    """Without a lock timeout that strikes first, the statement's limit ends the wait, and the hint is as good."""
    database.run("CREATE TABLE public.patients (ssn text)")
    patient = Limits(lock_timeout=timedelta(minutes=1), statement_timeout=timedelta(milliseconds=300))
    with database.session(application="rude-migration") as rude, rude.transaction():
        rude.run(statement("LOCK TABLE public.patients IN ACCESS EXCLUSIVE MODE"))
        with database.session(limits=patient) as session, pytest.raises(StatementTimeout) as caught:
            session.run(statement("ANALYZE {table}"), table=sql.Identifier("public", "patients"))
    assert "holds AccessExclusiveLock on public.patients" in caught.value.hint


def test_who_blocks_names_only_those_in_the_way(database: LiveDatabase) -> None:
    """A reader is in nobody's way; a strong lock is, on the named relation alone."""
    database.run("CREATE TABLE public.a (id int)", "CREATE TABLE public.b (id int)")
    a, b = sql.Identifier("public", "a"), sql.Identifier("public", "b")
    with database.session(application="alter") as other, database.session() as session, other.transaction():
        other.run(statement("LOCK TABLE public.a IN SHARE UPDATE EXCLUSIVE MODE"))
        other.rows(asked("SELECT id::text AS word FROM public.b"))
        assert [(found.application, found.relation) for found in session.who_blocks(a)] == [("alter", "public.a")]
        assert session.who_blocks(b) == []
        assert [found.relation for found in session.who_blocks()] == ["public.a"]


def test_cancel_stops_the_statement_from_another_thread(database: LiveDatabase) -> None:
    """A cancelled statement ends at once, in the server too, and is no timeout."""
    with database.session() as session:
        Timer(0.2, session.cancel).start()
        with pytest.raises(StatementCancelled):
            session.run(statement("SELECT pg_sleep(30)"))
        assert session.row(asked("SELECT 'alive' AS word")) == Word("alive")


def test_a_session_is_abandoned_as_often_as_one_likes(database: LiveDatabase) -> None:
    """Whoever gives up first has broken the line, and the others find it broken: that is no error of its own."""
    with database.session() as session:
        session.abandon()
        with pytest.raises(Outage):
            session.run(statement("SELECT 1"))
        assert session.connection.broken
        session.abandon()
    session.abandon()


def test_a_lock_keeps_the_second_job_out_and_names_the_first(database: LiveDatabase) -> None:
    """Two jobs of one kind never overlap, and the one that gives way says whom it met."""
    with database.session(application="pgtend:analyze:kgc") as first, database.session() as second:
        with first.hold("analyze", patience=AT_ONCE):
            with pytest.raises(AlreadyTended) as caught, second.hold("analyze", patience=timedelta(milliseconds=200)):
                pass
            assert f'process {first.facts.backend_pid} ("pgtend:analyze:kgc"' in caught.value.detail
            with second.hold("backup", patience=AT_ONCE):
                pass
        with second.hold("analyze", patience=AT_ONCE):
            pass


def test_a_patient_job_gets_the_lock_when_the_first_is_done(database: LiveDatabase) -> None:
    """Waiting is polite and ends as soon as the lock is free."""
    with database.session() as first, database.session() as second, ExitStack() as held:
        held.enter_context(first.hold("analyze", patience=AT_ONCE))
        Timer(0.3, held.close).start()
        with second.hold("analyze", patience=timedelta(seconds=20)):
            assert second.facts.database == database.name


def test_a_lock_is_free_when_its_holder_is_killed(database: LiveDatabase) -> None:
    """A dead job keeps nobody out."""
    with database.session() as first, database.session() as second:
        with first.hold("analyze", patience=AT_ONCE):
            second.rows(asked(f"SELECT pg_terminate_backend({first.facts.backend_pid}, 5000)::text AS word"))
            with pytest.raises(ConnectionLost):
                first.rows(asked("SELECT 'x' AS word"))
        with second.hold("analyze", patience=timedelta(seconds=5)):
            pass


def test_a_read_only_session_is_refused_to_write(database: LiveDatabase) -> None:
    """Where the server only lets us read, a safety rule says no and names the primary."""
    database.run("CREATE TABLE public.words (word text)")
    with database.session(database.superuser.to(options="-c default_transaction_read_only=on")) as session:
        with pytest.raises(StandbyRefused) as caught:
            session.run(statement("INSERT INTO public.words VALUES ('x')"))
        assert "primary" in caught.value.hint


def test_the_facts_are_those_of_the_server(database: LiveDatabase) -> None:
    """Version, role, rights, extensions and limits come from the server itself."""
    reader = database.new_role("reader", "LOGIN CONNECTION LIMIT 3")
    with database.session(reader) as session:
        facts = session.facts
    assert facts.major == database.server.tools.major
    assert facts.version_text == database.server.tools.version_text
    assert (facts.database, facts.role) == (database.name, reader.user)
    assert (facts.is_superuser, facts.is_standby, facts.connection_limit) == (False, False, 3)
    assert facts.extensions == {"plpgsql": "1.0"}
    assert (facts.encoding, facts.has_checksums) == ("UTF8", True)


def test_a_server_older_than_any_we_test_with_is_refused(database: LiveDatabase) -> None:
    """The error says which is the oldest."""
    with database.session() as session:
        old = replace(session.facts, version=120022)
    with pytest.raises(UnsupportedServer, match=r"PostgreSQL 12\.22 is not supported") as caught:
        refuse_unsupported(old)
    assert "PostgreSQL 13" in caught.value.detail
