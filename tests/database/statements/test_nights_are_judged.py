"""What gets worse on a real server is told the next night: which statement, by how much, why, and what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase
from bed.counted_clinic import Clinic
from bed.ledgers import ask, new_ledger, tell
from pgtend.fleet.model import Database, Limits
from pgtend.kernel.errors import Refusal
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.statements.asking import NothingRead, UnknownRanking, read_comparison, read_top
from pgtend.statements.causes import Cause
from pgtend.statements.errors import LedgerCannotCount, LoggingNotSet, StatementsNotCounted
from pgtend.statements.job import StatementsReport, night_of, tend_statements
from pgtend.statements.model import Kind
from pgtend.statements.snapshot import Target

NOW = datetime.now(UTC)
ALWAYS = {"start": "00:00", "end": "00:00"}
BY_PATIENT = "SELECT count(*) FROM public.visits WHERE patient = {}"
OF_KIND = "SELECT id FROM public.notes WHERE kind = {}"


def rules(**statements: object) -> Database:
    """Describe the clinic as the fleet file would; its nights are milliseconds."""
    statements = {"regressions": {"alert_least": "1 ms"}, **statements}
    return Database.model_validate(
        {"name": "clinic", "connection": "clinic", "window": ALWAYS, "statements": statements}
    )


def tend(clinic: Clinic, days_ago: int, database: Database | None = None) -> StatementsReport:
    """Let a night end so many days ago."""
    moment = NOW - timedelta(days=days_ago)
    with clinic.ledger() as ledger:
        subject = Subject("clinic", "statements", "test")
        return tend_statements(
            database or rules(), clinic.source.superuser, ledger, subject, lambda _: None, moment=moment
        )


def furnish(clinic: Clinic) -> None:
    """Make two tables, one with an index and one with few rows of each kind."""
    clinic.tell(
        "CREATE TABLE public.visits (id int PRIMARY KEY, patient int, note text) WITH (autovacuum_enabled = off)",
        "INSERT INTO public.visits SELECT x, mod(x, 5000), repeat('x', 100) FROM generate_series(1, 40000) AS x",
        "CREATE INDEX by_patient ON public.visits (patient)",
        "CREATE TABLE public.notes (id int, kind int) WITH (autovacuum_enabled = off)",
        "INSERT INTO public.notes SELECT x, mod(x, 100) FROM generate_series(1, 1000) AS x",
        "ANALYZE public.visits",
    )


def day_of_work(clinic: Clinic) -> None:
    """Let the application ask what it always asks."""
    with clinic.source.session() as session:
        for number in range(30):
            tell(session, BY_PATIENT.format(number), OF_KIND.format(number % 7))


# On the newest server the data of the demo tells the same story: test_demo_regressions.py.
@pytest.mark.pg("== 15")
def test_a_dropped_index_and_a_filled_table_are_named_with_factor_and_cause(clinic: Clinic) -> None:
    """Both are told the night after, with the plan that changed and the ANALYZE that happened around it."""
    furnish(clinic)
    day_of_work(clinic)
    for days_ago in range(9, 0, -1):
        tend(clinic, days_ago)
        day_of_work(clinic)
    clinic.tell(
        "DROP INDEX public.by_patient",
        "INSERT INTO public.notes SELECT x, mod(x, 100) FROM generate_series(1, 60000) AS x",
    )
    day_of_work(clinic)
    with clinic.reporting.session() as owner:
        tell(
            owner,
            "INSERT INTO reporting.table_analysis"
            " (run_id, database, schema_name, table_name, decision, reason, outcome)"
            " SELECT 'run-a', 'clinic', 'public', name, 'analyze', 'changed', 'proved'"
            " FROM (VALUES ('visits'), ('rooms')) AS x (name)",
        )
    bad = tend(clinic, 0)
    found = {told.query: told for told in bad.verdicts[0].told if told.finding.kind is Kind.REGRESSION}
    dropped, filled = found[BY_PATIENT.format("$1")], found[OF_KIND.format("$1")]
    assert dropped.finding.is_alert
    assert dropped.finding.ratio is not None
    assert dropped.finding.ratio > 3
    assert dropped.finding.first_bad_day == bad.verdicts[0].night.day
    assert dropped.explanation is not None
    assert dropped.explanation.cause is Cause.ANOTHER_PLAN
    assert (
        dropped.explanation.evidence["blocks_per_call"]["now"]
        > 20 * (dropped.explanation.evidence["blocks_per_call"]["usual"])
    )
    assert [(event.kind, event.detail) for event in dropped.events] == [("analyze", "visits")]
    assert filled.explanation is not None
    assert filled.explanation.cause is Cause.MORE_ROWS
    kept = clinic.asked(
        "SELECT kind || ': ' || cause || ': ' || (events -> 0 ->> 'detail') FROM reporting.regressions"
        " WHERE query LIKE '%%public.visits%%' AND is_alert"
    )
    assert kept == [f"regression: {Cause.ANOTHER_PLAN}: visits"]
    assert any("exact" in verdict.night.quality() or "at least" in verdict.night.quality() for verdict in bad.verdicts)
    plans = clinic.asked("SELECT plan FROM reporting.slow_statements RIGHT JOIN reporting.statement_plans USING (plan)")
    assert "Seq Scan" in json.dumps(plans)


@pytest.mark.pg("== 18")
def test_people_see_the_dearest_and_what_changed_with_the_quality_beside_it(clinic: Clinic) -> None:
    """Shares add up to one; a change is what more calls cost plus what dearer calls cost."""
    furnish(clinic)
    day_of_work(clinic)
    for days_ago in (4, 3, 2, 1):
        tend(clinic, days_ago)
        day_of_work(clinic)
        if days_ago == 3:
            day_of_work(clinic)
    tend(clinic, 0)
    target = Target(database="clinic")
    with clinic.ledger() as ledger:
        top = read_top(ledger, target, days=7, by="time", rows=1000)
        assert abs(sum(one.share for one in top.rows) - 1) < 1e-6
        assert [one.calls for one in top.rows if one.query == BY_PATIENT.format("$1")] == [150]
        assert top.nights == 4
        assert top.quality.startswith("5 nights; 1 baselines;")
        changed = read_comparison(ledger, target, days=2, rows=1000)
        for one in changed.rows:
            assert abs(one.by_calls_ms + one.by_mean_ms - one.change_ms) < 1e-6 + 1e-9 * abs(one.change_ms)
        assert [(one.calls, one.earlier_calls) for one in changed.rows if one.query == BY_PATIENT.format("$1")] == [
            (60, 90)
        ]
        with pytest.raises(UnknownRanking, match="ranked by 'tme'"):
            read_top(ledger, target, days=7, by="tme", rows=1)
        with pytest.raises(NothingRead, match="no night of clinic, replica far was read yet"):
            read_top(ledger, Target(database="clinic", replica="far"), days=7, by="time", rows=1)


def test_a_plan_is_asked_without_running_anything_and_a_reason_is_kept_where_there_is_none(clinic: Clinic) -> None:
    """An UPDATE is planned and changes no row; a statement in somebody else's schema says why it has no plan."""
    furnish(clinic)
    tend(clinic, 1)
    clinic.tell(
        "UPDATE public.visits SET note = 'y' WHERE patient = 1",
        "CREATE SCHEMA apart CREATE TABLE hidden (id int)",
        "SELECT count(*) FROM apart.hidden WHERE id = 3",
        "SET search_path = apart; SELECT id FROM hidden WHERE id = 4",
        "CREATE TABLE public.made AS SELECT 1 AS one",
    )
    before = ask_source(clinic, "SELECT xmin::text || ctid::text FROM public.visits WHERE patient = 1 ORDER BY id")
    tend(clinic, 0, rules(plans=100))
    after = ask_source(clinic, "SELECT xmin::text || ctid::text FROM public.visits WHERE patient = 1 ORDER BY id")
    assert before == after
    text = "SELECT query || ' -> ' || coalesce(plan ->> 'Node Type', remark) FROM reporting.statement_plans JOIN {}"
    known = "(SELECT DISTINCT fingerprint, query FROM reporting.statement_days) AS texts USING (fingerprint)"
    told = {str(line) for line in clinic.asked(text.format(known))}
    assert "UPDATE public.visits SET note = $1 WHERE patient = $2 -> ModifyTable" in told
    assert "SELECT count(*) FROM apart.hidden WHERE id = $1 -> Aggregate" in told
    assert (
        "SELECT id FROM hidden WHERE id = $1 -> the server gives no plan for it [postgres.statement_rejected]" in told
    )


def test_a_table_that_somebody_locks_keeps_no_night_from_being_judged(clinic: Clinic) -> None:
    """Its statement has no plan that night, and the reason is kept; those of other tables have theirs."""
    furnish(clinic)
    tend(clinic, 1)
    clinic.tell(BY_PATIENT.format(1), OF_KIND.format(1))
    with clinic.source.session() as owner:
        tell(owner, "BEGIN", "LOCK TABLE public.visits")
        impatient = rules(plans=100).model_copy(update={"limits": Limits(lock_timeout=timedelta(milliseconds=200))})
        (verdict,) = tend(clinic, 0, impatient).verdicts
        tell(owner, "ROLLBACK")
    assert verdict.night.calls > 0
    remarks = clinic.asked("SELECT remark FROM reporting.statement_plans WHERE plan IS NULL")
    assert "the server gives no plan for it [postgres.locked_out]" in remarks


def ask_source(clinic: Clinic, text: str) -> list[object]:
    """Ask the counted database."""
    with clinic.source.session() as session:
        return ask(session, text)


@pytest.mark.pg("== 18")
def test_what_the_server_logs_is_compared_and_set_where_asked(clinic: Clinic) -> None:
    """Said first, set for the database alone when the fleet file says so, and refused with the statement that helps."""
    lines: list[str] = []
    wanted: Mapping[str, object] = {"statements_from": "250 ms", "plans_from": "1 s"}

    def go(apply: Mapping[str, object], *, as_tender: bool = False) -> None:
        address = clinic.tender if as_tender else clinic.source.superuser
        with clinic.ledger() as ledger:
            subject = Subject("clinic", "statements", "test")
            database = rules(slow_log={**wanted, **apply})
            tend_statements(database, address, ledger, subject, lines.append, moment=NOW)

    go({})
    name = clinic.source.name
    assert any(f"ALTER DATABASE {name} SET log_min_duration_statement = 250;" in line for line in lines)
    assert any("session_preload_libraries" in line for line in lines)
    with pytest.raises(LoggingNotSet) as caught:
        go({"apply": True}, as_tender=True)
    assert f"ALTER DATABASE {name} SET log_min_duration_statement = 250;" in caught.value.hint
    go({"apply": True})
    assert ask_source(clinic, "SELECT current_setting('log_min_duration_statement')") == ["250ms"]
    lines.clear()
    go({"apply": True})
    assert not any("log_min_duration_statement is" in line for line in lines)


@pytest.mark.pg("== 18")
def test_everything_a_server_lacks_is_said_at_once_with_the_statement_to_run(
    server: ThrowawayServer, database: LiveDatabase
) -> None:
    """No library, no extension and no right: three problems, three cures, and nothing was begun in the ledger."""
    blind, subject = database.new_role("blind"), Subject("clinic", "statements", "test")
    with new_ledger(server) as reporting, reporting.session() as session:
        ledger = DatabaseLedger(session)
        with pytest.raises(StatementsNotCounted) as caught:
            tend_statements(rules(), blind, ledger, subject, lambda _: None, moment=NOW)
        assert ask(session, "SELECT count(*) FROM reporting.statement_nights") == [0]
    hints = [problem.hint for problem in caught.value.problems]
    assert hints[1:] == ["CREATE EXTENSION pg_stat_statements;", f"GRANT pg_monitor TO {blind.user};"]
    assert "shared_preload_libraries" in hints[0]


@pytest.mark.pg("== 18")
def test_a_server_that_counts_nothing_is_refused(clinic: Clinic) -> None:
    """Settings that make every figure a zero are found before a zero is believed."""
    name = clinic.source.name
    clinic.tell(f"ALTER DATABASE {name} SET pg_stat_statements.track = none")
    clinic.tell(f"ALTER DATABASE {name} SET compute_query_id = off")
    with pytest.raises(StatementsNotCounted) as caught:
        clinic.night()
    assert [problem.what for problem in caught.value.problems] == [
        "pg_stat_statements.track is none: nothing is counted",
        "compute_query_id is off: nothing is counted",
    ]
    assert all("SELECT pg_reload_conf();" in problem.hint for problem in caught.value.problems)


@pytest.mark.pg("== 18")
def test_a_folder_cannot_count(clinic: Clinic, tmp_path: Path) -> None:
    """Differences of counters need a database; whoever has none is told so before anything is read."""
    subject = Subject("clinic", "statements", "test")
    ledger = FolderLedger(tmp_path / "ledger")
    with pytest.raises(LedgerCannotCount) as caught:
        tend_statements(rules(), clinic.tender, ledger, subject, lambda _: None, moment=NOW)
    assert "pgtend ledger migrate" in caught.value.hint
    assert not isinstance(caught.value, Refusal)


def test_a_night_is_named_after_the_day_most_of_it_lies_in() -> None:
    """In the zone of the database's window: a reading just after midnight belongs to the day that ended."""
    here = rules()
    there = Database.model_validate(
        {"name": "a", "connection": "a", "window": {**ALWAYS, "timezone": "Pacific/Auckland"}}
    )
    assert str(night_of(datetime(2026, 11, 21, 0, 5, tzinfo=UTC), here)) == "2026-11-20"
    assert str(night_of(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), here)) == "2026-11-20"
    assert str(night_of(datetime(2026, 11, 20, 12, 30, tzinfo=UTC), there)) == "2026-11-20"


@pytest.mark.pg("== 18")
def test_a_replica_is_a_target_of_its_own(clinic: Clinic) -> None:
    """What is read over the replica's connection is counted under its name, and judged by itself."""
    database = rules(replicas={"far": {"connection": "clinic_far"}})
    subject = Subject("clinic", "statements", "test")
    for moment in (NOW - timedelta(days=1), NOW):
        with clinic.ledger() as ledger:
            places = {"far": clinic.tender}
            report = tend_statements(
                database, clinic.tender, ledger, subject, lambda _: None, replicas=places, moment=moment
            )
        clinic.work(visits=4)
    assert [str(target) for target in report.nights] == ["clinic", "clinic, replica far"]
    assert [verdict.judgement.remark for verdict in report.verdicts] == [
        "only 0 nights to compare with, 7 are needed",
        "only 0 nights to compare with, 7 are needed",
    ]
    clinic.day = (NOW + timedelta(days=1)).date()
    clinic.night(target=Target(database="clinic"))
    clinic.night(0, target=Target(database="clinic", replica="far"))
    assert clinic.counted() == clinic.counted("far") == {"visits": 8}
