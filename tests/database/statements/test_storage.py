"""Nights become months, old months go, and what was counted stays counted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bed.counted_clinic import Clinic
from bed.ledgers import tell
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
