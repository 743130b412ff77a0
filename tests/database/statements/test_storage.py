"""Nights become months, old months go, and what was counted stays counted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bed.clusters import Clusters
from bed.counted_clinic import Clinic
from bed.ledgers import ask, new_ledger, tell
from pgtend.postgres.errors import MissingRight, StatementRejected

# What becomes of nights in the ledger; where they were counted is all the same.
pytestmark = pytest.mark.pg("== 18")

MONTHS = (
    "SELECT to_char(month, 'YYYY-MM') || ' ' || calls FROM reporting.statement_months"
    " WHERE query LIKE '%%visits WHERE%%'"
)
PARTS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reporting.statement_day'::regclass ORDER BY 1"
)

TARGET = "INSERT INTO reporting.statement_target (database) VALUES ('clinic')"
SERIES = (
    "INSERT INTO reporting.statement_series (target_id, database_oid, role_oid, is_toplevel, queryid, role,"
    " fingerprint, first_seen, last_seen)"
    " SELECT 1, 1, 1, true, n, 'app', md5(n::text), '2026-01-01', '2026-10-31' FROM generate_series(1, 300) AS n"
)
MAKE_MONTH = (
    "SELECT reporting.create_partition('statement_day', 'day', timestamptz '2026-10-01Z' - interval '{back} months')"
)
FILL_MONTH = (
    "INSERT INTO reporting.statement_day (day, target_id, flags, series_id, calls, exec_ms)"
    " SELECT night, 1, 0, n, n, n * 1.5"
    " FROM generate_series(timestamp '2026-10-01' - interval '{back} months',"
    " timestamp '2026-11-01' - interval '{back} months 1 day', '1 day') AS night, generate_series(1, 300) AS n"
    " ON CONFLICT DO NOTHING"
)
DEAREST = (
    "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT *"
    " FROM reporting.dearest_statements('clinic', '', '2026-10-25', '2026-10-31', 'exec_ms', 20)"
)


def test_a_month_that_is_over_becomes_one_row_a_statement_once(clinic: Clinic) -> None:
    """The sum of its nights, kept when the nights themselves are forgotten."""
    clinic.day = date(2024, 3, 27)
    clinic.night()
    for _ in range(2):
        clinic.work(visits=3)
        clinic.night()
    assert clinic.asked(MONTHS) == []
    clinic.work(visits=5)
    clinic.night(5)
    clinic.night()
    assert clinic.asked(MONTHS) == ["2024-03 6"]
    assert [str(name)[-7:] for name in clinic.asked(PARTS)][:2] == ["2024_03", "2024_04"]
    with clinic.ledger() as ledger:
        gone = ledger.forget(keep=timedelta(days=365), actor="me")
    assert gone == ("statement_day_2024_03", "statement_day_2024_04")
    assert clinic.asked(MONTHS) == ["2024-03 6"]
    assert clinic.counted() == {}


def test_texts_that_nobody_used_for_as_long_as_things_are_kept_are_forgotten(clinic: Clinic) -> None:
    """What still runs stays; the figures of what is gone stay too, without their text."""
    clinic.night()
    clinic.work(visits=3, patients=3)
    clinic.night()
    clinic.tell("SELECT public.pg_stat_statements_reset()")
    clinic.work(patients=1)
    clinic.night(400)
    text = "SELECT count(*) FROM reporting.statement_days WHERE query LIKE '%%public.visits WHERE%%'"
    assert clinic.asked(text) == [1]
    with clinic.ledger() as ledger, clinic.at() as session:
        clinic.day += timedelta(days=1)
        clinic.reading(session).into(ledger, keep=timedelta(days=90))
    assert clinic.asked(text) == [0]
    assert clinic.asked(text.replace("visits", "patients")) == [2]
    assert clinic.asked("SELECT sum(calls)::int FROM reporting.statement_days WHERE query IS NULL AND calls = 3") == [3]


def test_a_writer_cannot_change_a_night_and_a_reader_cannot_begin_one(clinic: Clinic) -> None:
    """Tables are closed to both; a stage that somebody else made is not believed."""
    clinic.night()
    with clinic.reporting.session(clinic.writer) as session:
        for text in ("UPDATE reporting.statement_day SET calls = 0", "DELETE FROM reporting.statement_snapshot"):
            refused(lambda text=text: tell(session, text), MissingRight)
        tell(session, "CREATE TEMPORARY TABLE pgtend_statement_stage (queryid bigint)")
        refused(lambda: tell(session, "SELECT reporting.unknown_statements(1::smallint)"), StatementRejected)


def refused(work: object, kind: type[Exception]) -> None:
    """Do something that must be refused."""
    assert callable(work)
    try:
        work()
    except kind:
        return
    raise AssertionError("it was allowed")


def test_a_night_that_was_counted_stays_counted_when_another_server_answers(clinic: Clinic) -> None:
    """A failover on the same day begins a new count; what was counted before it keeps its span and its sums."""
    clinic.night()
    clinic.work(visits=4)
    before = clinic.night()
    with clinic.reporting.session() as owner:
        tell(owner, "UPDATE reporting.statement_snapshot SET timeline = 9, postmaster_started_at = '2020-01-01'")
    clinic.work(visits=7)
    after = clinic.night(0)
    assert after.baseline_reason == "another server answers: a standby was promoted"
    assert (after.since, after.is_baseline) == (before.since, False)
    assert clinic.counted() == {"visits": 4}
    clinic.work(visits=2)
    clinic.night()
    assert clinic.counted() == {"visits": 6}


def test_a_question_costs_as_many_blocks_however_many_months_are_kept(clusters: Clusters) -> None:
    """The dearest of a week, of two months and of twelve: no block of a month that was not asked for is touched."""
    with new_ledger(clusters.server(18)) as reporting, reporting.session() as session:
        tell(session, TARGET, SERIES)
        touched: list[int] = []
        for months in (2, 12):
            for back in range(months):
                tell(session, MAKE_MONTH.format(back=back), FILL_MONTH.format(back=back))
            tell(session, "VACUUM ANALYZE reporting.statement_day")
            # The first time the session reads its catalogue too, and after five the server may plan for any span.
            found = [ask(session, DEAREST)[0] for _ in range(7)][-1]
            plan = found[0]["Plan"]  # type: ignore[index]
            touched.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
            assert plan["Actual Rows"] == 20
    assert touched[1] <= touched[0] * 1.2, touched
