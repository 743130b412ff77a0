"""Runs in a database: evidence that survives a kill, connections that break, ledgers that die."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bed.clusters import LiveDatabase
from bed.ledger_contract import TooEarly, story
from bed.ledgers import KGC, RECORD, Looked, ask, outcomes, tell
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.errors import KeepTooShort, LedgerUnreachable
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.postgres.errors import MissingRight, RowsBroken, ServerUnreachable
from pgtend.postgres.session import Session

EVIDENCE = "SELECT table_name FROM reporting.analyses ORDER BY table_name"


@contextmanager
def no_way_back() -> Generator[Session]:
    """Reopen a ledger that is still down."""
    raise ServerUnreachable("connection refused")
    yield


def cut(reporting: LiveDatabase, session: Session) -> None:
    """Break the connection, as a firewall does that forgets it."""
    with reporting.session() as other:
        tell(other, f"SELECT pg_terminate_backend({session.connection.info.backend_pid}, 5000)")


def test_a_run_is_a_row_from_beginning_to_end(ledger: DatabaseLedger, session: Session) -> None:
    """Everything a person asks about a run is in the view."""
    columns = (
        "concat_ws(' ', database, pipeline, actor, run_url, outcome, error_code, error_message, hint, evidence_rows)"
    )
    with pytest.raises(TooEarly), ledger.run(KGC) as run:  # noqa: PT012 - the work of the run
        run.add(RECORD, [Looked("patient")])
        raise TooEarly("the window is closed", hint="Wait.")
    assert ask(session, f"SELECT {columns} FROM reporting.runs") == [  # noqa: S608 - written out above
        "kgc analyze airflow http://airflow.test/runs/1 failed test.too_early the window is closed Wait. 1"
    ]
    assert ask(session, "SELECT run_id FROM reporting.last_runs") == [run.run_id]
    assert ask(session, "SELECT took > '0' AND took = ended_at - started_at FROM reporting.runs") == [True]


def test_the_last_runs_are_one_for_each_database_and_pipeline(ledger: DatabaseLedger, session: Session) -> None:
    """The newest, whatever its outcome."""
    for subject in (KGC, Subject("kgc", "backup", "me"), KGC):
        with ledger.run(subject):
            pass
    with pytest.raises(TooEarly), ledger.run(KGC):
        raise TooEarly("no")
    last = "SELECT concat(database, ' ', pipeline, ' ', outcome) FROM reporting.last_runs ORDER BY 1"
    assert ask(session, last) == ["kgc analyze failed", "kgc backup succeeded"]


def test_evidence_survives_a_task_that_is_killed(
    reporting: LiveDatabase, ledger: DatabaseLedger, session: Session
) -> None:
    """What was proved before the end stays proved."""
    with pytest.raises(LedgerUnreachable), ledger.run(KGC) as run:  # noqa: PT012 - the work of the run
        run.add(RECORD, [Looked("a"), Looked("b")])
        session.connection.close()
    with reporting.session() as other:
        assert ask(other, EVIDENCE) == ["a", "b"]


def test_a_batch_of_evidence_is_there_as_a_whole_or_not_at_all(ledger: DatabaseLedger, session: Session) -> None:
    """A row the ledger refuses takes its batch with it, and the count stays right."""
    with ledger.run(KGC) as run:
        run.add(RECORD, [Looked("a")])
        with pytest.raises(Exception, match="not null violation"):
            run.add(RECORD, [Looked("b"), Looked(None)])  # type: ignore[arg-type]
        assert ask(session, EVIDENCE) == ["a"]
        run.add(RECORD, [Looked("c")])  # one table failed, and the run goes on with the next
    assert ask(session, EVIDENCE) == ["a", "c"]
    assert ask(session, "SELECT evidence_rows FROM reporting.runs") == [2]


def test_a_connection_that_broke_during_the_work_is_made_anew(
    reporting: LiveDatabase, session: Session, writer: Address
) -> None:
    """Hours pass between intent and outcome, and a firewall forgets sooner."""
    ledger = DatabaseLedger(session, lambda: reporting.session(writer))
    with ledger.run(KGC) as run:
        run.add(RECORD, [Looked("a")])
        cut(reporting, session)
        run.add(RECORD, [Looked("b")])
    with reporting.session(writer) as other:
        assert ask(other, EVIDENCE) == ["a", "b"]
        assert outcomes(other) == ["succeeded"]
        assert story(DatabaseLedger(other)) == ["run.started", "run.succeeded"]


def test_an_answer_lost_on_its_way_doubles_nothing(ledger: DatabaseLedger, session: Session) -> None:
    """A batch told twice is counted once, and an outcome told twice is one entry."""
    with ledger.run(KGC) as run:
        run.add(RECORD, [Looked("a")])
        again = ask(
            session,
            "SELECT reporting.claim_batch(run_id, started_at, 1, 1) FROM reporting.runs WHERE run_id = %(run_id)s",
            {"run_id": run.run_id},
        )
        assert again == [False]
    finish = "SELECT reporting.finish_run(run_id, started_at, '{}', '', '', '') FROM reporting.runs"
    tell(session, finish.format("succeeded"))
    assert story(ledger) == ["run.started", "run.succeeded"]
    with pytest.raises(Exception, match="is not open"):
        tell(session, finish.format("failed"))


def test_a_run_taken_for_dead_can_still_tell_how_it_ended(
    reporting: LiveDatabase, session: Session, writer: Address
) -> None:
    """Its connection was cut, the next run closed it, and the truth comes later."""
    first = DatabaseLedger(session, lambda: reporting.session(writer))
    with reporting.session(writer) as other:
        second = DatabaseLedger(other)
        with first.run(KGC) as slow:
            cut(reporting, session)
            with second.run(KGC) as quick:
                assert quick.vanished == (slow.run_id,)
        assert outcomes(other) == ["succeeded", "succeeded"]
        assert story(second)[1:3] == ["run.vanished", "run.started"]


def test_without_the_ledger_nothing_is_done(reporting: LiveDatabase, ledger: DatabaseLedger, session: Session) -> None:
    """The work must not begin when its intent cannot be written down."""
    cut(reporting, session)
    with pytest.raises(LedgerUnreachable, match="the ledger does not answer"), ledger.run(KGC):
        pytest.fail("the work began")
    with pytest.raises(LedgerUnreachable):
        ledger.audit(actor="me", action="test.done", target="kgc", detail={})


def test_a_ledger_that_died_during_the_work_does_not_hide_that_it_was_done(
    reporting: LiveDatabase, session: Session
) -> None:
    """It is an outage of the ledger, and says what became of the work."""
    ledger = DatabaseLedger(session, no_way_back)
    with pytest.raises(LedgerUnreachable, match="was done, but the ledger could not be told"), ledger.run(KGC):
        cut(reporting, session)


def test_a_ledger_that_died_during_the_work_does_not_hide_why_it_failed(
    reporting: LiveDatabase, session: Session
) -> None:
    """Both errors are chained."""
    ledger = DatabaseLedger(session, no_way_back)
    with pytest.raises(LedgerUnreachable, match="failed, and the ledger could not be told") as caught, ledger.run(KGC):  # noqa: PT012 - the work of the run
        cut(reporting, session)
        raise TooEarly("the window is closed")
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert [type(error) for error in caught.value.__cause__.exceptions] == [TooEarly, LedgerUnreachable]


def test_a_writer_touches_no_row_of_a_run_by_itself(session: Session) -> None:
    """Functions open and close runs; there is no other way."""
    for change in (
        "INSERT INTO reporting.run SELECT * FROM reporting.run",
        "UPDATE reporting.run SET outcome = 'succeeded'",
        "DELETE FROM reporting.run",
        "DELETE FROM reporting.table_analysis",
        "DROP TABLE reporting.run",
        "CREATE TABLE reporting.mine (id int)",
        "SELECT reporting.close_vanished('kgc', 'analyze', 'me')",
    ):
        with pytest.raises(MissingRight):
            tell(session, change)


def test_a_reader_sees_every_view_and_nothing_behind_it(reporting: LiveDatabase, reader: Address) -> None:
    """Views are the interface; tables and functions are not."""
    views = ("runs", "last_runs", "analyses", "open_alerts", "audit", "audit_breaks", "migrations")
    tables = ("run", "run_default", "table_analysis", "alert", "audit_entry", "migration")
    with reporting.session(reader) as session:
        for view in views:
            ask(session, f"SELECT count(*) FROM reporting.{view}")  # noqa: S608 - written out above
        for table in tables:
            with pytest.raises(Exception, match="permission denied"):
                ask(session, f"SELECT 1 FROM reporting.{table}")  # noqa: S608 - written out above
        with pytest.raises(MissingRight, match="append_audit"):
            tell(session, "SELECT reporting.append_audit('me', 'x', 'y', '{}')")


def test_the_ledger_says_how_long_it_keeps_at_least(ledger: DatabaseLedger, session: Session) -> None:
    """Every job may let the ledger forget, so a job must not be able to erase last week."""
    with pytest.raises(KeepTooShort, match="keeps at least 90 days, not 89 d"):
        ledger.forget(keep=timedelta(days=89), actor="me")
    with pytest.raises(RowsBroken):
        tell(session, "SELECT reporting.forget('89 days', 'me')")
