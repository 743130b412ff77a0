"""The demo's month of nights is written by the code that writes real ones, and real ones go on behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bed.counted_clinic import Clinic
from demo.databases.nights import NIGHTS, make_nights
from pgtend.fleet.model import Database
from pgtend.ledger.model import Subject
from pgtend.statements.job import tend_statements
from pgtend.statements.judging import judge_night
from pgtend.statements.model import Kind
from pgtend.statements.snapshot import Target

YESTERDAY = date(2026, 11, 19)


@pytest.mark.pg("== 18")
def test_a_month_of_nights_is_judged_and_the_next_real_night_begins_anew(clinic: Clinic) -> None:
    """The statement that was made worse on purpose is found with its cause; the real server's counts stay its own."""
    clinic.work(**{f"table{number}": 5 for number in range(12)})
    clinic.work(visits=40)
    rules = Database.model_validate({"name": "clinic", "connection": "clinic"})
    with clinic.ledger() as ledger:
        with clinic.source.session() as source:
            make_nights("clinic", source, ledger, YESTERDAY)
        subject = Subject("clinic", "statements", "test")
        with ledger.run(subject) as run:
            verdict = judge_night(rules, Target(database="clinic"), ledger, run)
        assert verdict is not None
        assert verdict.judgement.nights == 28
        worse = [told for told in verdict.told if told.finding.kind is Kind.REGRESSION and told.finding.is_alert]
        assert [told.finding.first_bad_day for told in worse] == [YESTERDAY - timedelta(days=2)]
        assert worse[0].explanation is not None
        assert "many more blocks" in worse[0].explanation.cause
        moment = datetime(2026, 11, 21, 1, tzinfo=UTC)
        report = tend_statements(rules, clinic.tender, ledger, subject, lambda _: None, moment=moment)
    night = next(iter(report.nights.values()))
    assert (night.is_baseline, night.baseline_reason) == (True, "another cluster answers")
    assert clinic.asked("SELECT count(*) FROM reporting.statement_nights") == [NIGHTS + 1]
    assert clinic.asked("SELECT count(*) FROM reporting.statement_nights WHERE calls > 0") == [NIGHTS - 1]


# The nights that were made up are those of a 15, and nights are compared within a major version.
@pytest.mark.pg("== 15")
def test_nothing_is_missed_in_a_night_that_could_not_be_counted_from_its_beginning(clinic: Clinic) -> None:
    """What did not run in the hour since another cluster answered may have run before; the next night is whole."""
    clinic.work(**{f"table{number}": 5 for number in range(12)})
    rules = Database.model_validate({"name": "clinic", "connection": "clinic"})
    with clinic.ledger() as ledger:
        with clinic.source.session() as source:
            make_nights("clinic", source, ledger, YESTERDAY)
        subject = Subject("clinic", "statements", "test")

        def missed(moment: datetime) -> list[str]:
            report = tend_statements(rules, clinic.tender, ledger, subject, lambda _: None, moment=moment)
            return [told.query for told in report.verdicts[0].told if told.finding.kind is Kind.DISAPPEARED]

        assert missed(datetime(2026, 11, 21, 1, tzinfo=UTC)) == []
        assert missed(datetime(2026, 11, 21, 2, tzinfo=UTC)) == []
        assert any("table7" in query for query in missed(datetime(2026, 11, 22, 1, tzinfo=UTC)))
