"""The demo has a past before anybody looks: its nights were worked and read, and tonight is judged by them."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from bed.clusters import Clusters
from bed.counted_clinic import counting_server
from bed.ledgers import new_ledger
from demo.databases.create import create_fleet
from demo.databases.nights import NIGHTS, Past
from demo.databases.roster import TEAMS, TENDER, at_database, login_roles
from demo.databases.seed import seed_fleet
from pgtend.fleet.model import Database
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.overview.model import Light
from pgtend.overview.statements import judged_nights, statements_cell
from pgtend.statements.causes import Cause
from pgtend.statements.job import tend_statements
from pgtend.statements.judging import READ_NIGHTS
from pgtend.statements.model import Kind

NAME = "vaxtrace"
NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)
RULES = yaml.safe_load((Path(__file__).parents[3] / "demo" / "fleet.yaml").read_text())["databases"][NAME]


@pytest.fixture
def past(clusters: Clusters) -> Generator[Past]:
    """Create and seed the database whose team breaks something, on the oldest server, as the demo does."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles([NAME])}
    team = TEAMS[NAME]
    with counting_server(15) as server, new_ledger(clusters.server(18)) as reporting, reporting.session() as session:
        admin = server.superuser().conninfo
        create_fleet(admin, passwords, [NAME], progress=str)
        seed_fleet(admin, databases=[NAME], progress=str)
        yield Past(
            team=team,
            database=Database.model_validate({"name": NAME, "connection": NAME, "statements": RULES["statements"]}),
            application=f"{at_database(admin, NAME)} user={team.app} password={passwords[team.app]}",
            superuser=at_database(admin, NAME),
            tender=server.role(TENDER, SecretStr(passwords[TENDER]), NAME),
            ledger=DatabaseLedger(session),
            actor="test",
        )


def test_tonight_is_judged_by_the_nights_that_were_lived_through(past: Past) -> None:
    """Nine nights are read once, also when somebody interrupts; what the team broke is yellow, with its cause."""
    assert past.missing(NOW) == [date(2026, 11, day) for day in range(12, 21)]
    past.read(date(2026, 11, 12), plans=False)
    assert past.missing(NOW) == [date(2026, 11, day) for day in range(13, 21)]
    traffic = past.make(NOW)
    assert traffic.errors == []
    assert past.missing(NOW) == []
    assert past.make(NOW).done.total() == 0
    past.suffer()
    assert past.last_day().errors == []

    named = {"database": NAME, "replica": "", "day": date.max, "nights": 100}
    nights = past.ledger.reach(lambda session: session.rows(READ_NIGHTS, named))
    assert [night.is_baseline for night in nights] == [False] * (NIGHTS - 1) + [True]
    assert {night.missed_nights for night in nights} == {0}

    subject = Subject(NAME, "statements", "test")
    report = tend_statements(past.database, past.tender, past.ledger, subject, str, moment=NOW)
    (verdict,) = report.verdicts
    assert verdict.judgement.nights == NIGHTS - 1
    (slower,) = (told for told in verdict.told if "FROM telemetry" in told.query)
    assert slower.finding.kind is Kind.REGRESSION
    assert slower.finding.first_bad_day == date(2026, 11, 21)
    assert slower.explanation is not None
    assert slower.explanation.cause is Cause.ANOTHER_PLAN
    known = past.ledger.reach(lambda session: judged_nights(session, [NAME], utc_now()))
    assert statements_cell(NAME, known[NAME], utc_now()).light is Light.WATCH
