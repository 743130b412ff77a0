"""What another cluster serves since last night is counted anew, and nothing is concluded from what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from bed.counted_clinic import Clinic
from bed.ledgers import tell
from pgtend.fleet.model import Database
from pgtend.ledger.model import Subject
from pgtend.statements.job import tend_statements
from pgtend.statements.judging import Verdict
from pgtend.statements.model import Kind

RULES = Database.model_validate({"name": "clinic", "connection": "clinic"})


def judged(clinic: Clinic, after: timedelta) -> Verdict:
    """Read and judge as a run does that starts so long after the last day of the clinic is over."""
    moment = datetime.combine(clinic.day + timedelta(days=1), time(), UTC) + after
    with clinic.ledger() as ledger:
        subject = Subject("clinic", "statements", "test")
        return tend_statements(RULES, clinic.tender, ledger, subject, str, moment=moment).verdicts[0]


def missed(verdict: Verdict) -> list[str]:
    """List the statements that are told to have disappeared."""
    return [told.query for told in verdict.told if told.finding.kind is Kind.DISAPPEARED]


@pytest.mark.pg(">= 18")
def test_nothing_is_missed_in_a_night_that_could_not_be_counted_from_its_beginning(clinic: Clinic) -> None:
    """What did not run in the hour since another cluster answered may have run before; the next night is whole."""
    for _ in range(9):
        clinic.work(**{f"table{number}": 2 for number in range(12)})
        clinic.tell("SELECT pg_sleep(0.05)")  # among the dearest on any machine
        clinic.night()
    with clinic.reporting.session() as ledger:
        tell(ledger, "UPDATE reporting.statement_snapshot SET system_identifier = 'that of a server that is gone'")
    anew = judged(clinic, timedelta(days=1))
    assert (anew.night.is_baseline, anew.night.baseline_reason) == (True, "another cluster answers")
    assert (anew.judgement.judged, anew.judgement.remark) == (0, "nothing was counted: another cluster answers")
    an_hour = judged(clinic, timedelta(days=1, hours=1))
    assert (an_hour.night.is_baseline, an_hour.judgement.remark, missed(an_hour)) == (False, "", [])
    assert any("pg_sleep" in query for query in missed(judged(clinic, timedelta(days=2))))
