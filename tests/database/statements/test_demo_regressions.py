"""Three things that go wrong in real life happen to the demo's data, and the report of the next day names each."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr

from bed.clusters import Clusters, LiveDatabase
from bed.counted_clinic import counting_server
from bed.ledgers import new_ledger
from demo.databases.create import create_fleet
from demo.databases.roster import TEAMS, TENDER, at_database, login_roles
from demo.databases.seed import seed_database
from demo.databases.traffic import Application
from pgtend.fleet.model import Fleet
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.report.job import make_reports
from pgtend.statements.causes import Cause
from pgtend.statements.job import tend_statements
from pgtend.statements.judging import Told
from pgtend.statements.model import Kind

NOW = datetime.now(UTC)
NAME = "vaxtrace"
# What goes wrong here makes ten times and more; what a busy machine makes of a millisecond is no news.
# A night of these tests is milliseconds.
REGRESSIONS = {"ratio": 3.0, "alert_least": "1 ms"}
RULES = {"connection": NAME, "owner": "stock-team", "statements": {"regressions": REGRESSIONS}}
FLEET = Fleet.model_validate({"fleet": "demo", "databases": {NAME: RULES}})
AMOUNTS = {
    "facilities": 60, "days": 60, "snapshot_every": 1, "readings": 30000, "audit_lines": 300, "alerts": 100,
}  # fmt: skip
ASKED = ("current_stock", "temperatures_of_a_day", "audit_of_the_week", "stockouts_of_a_facility")
OFTEN = 25


@dataclass(slots=True)
class Demo:
    """A database of the demo, its application, and the ledger of its nights."""

    live: LiveDatabase
    tender: Address
    place: str
    ledger: DatabaseLedger
    nights_ago: int = 20
    told: list[Told] = field(default_factory=list[Told])

    def day_and_night(self) -> None:
        """Let the application ask what it asks every day, and judge the night after."""
        with closing(psycopg.connect(self.place, autocommit=True, row_factory=dict_row)) as connection:
            application = Application(TEAMS[NAME], connection, 1)
            for action in application.workload.actions:
                if action.name in ASKED:
                    for _ in range(OFTEN):
                        application.perform(action)
        self.nights_ago -= 1
        subject, moment = Subject(NAME, "statements", "test"), NOW - timedelta(days=self.nights_ago)
        report = tend_statements(
            FLEET.databases[NAME], self.tender, self.ledger, subject, lambda _: None, moment=moment
        )
        self.told = [told for told in report.verdicts[0].told if told.finding.kind is Kind.REGRESSION]

    def regression_of(self, part: str) -> Told:
        """Find the one regression of a statement that has this in its text."""
        (found,) = [told for told in self.told if part in told.query]
        return found

    def report(self) -> str:
        """Read what the report of the next morning says, as text."""
        noon = NOW - timedelta(days=self.nights_ago) + timedelta(hours=12)
        made = list(make_reports(FLEET, self.ledger, [FLEET.databases[NAME]], clock=lambda: noon))
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", made[-1].page.decode())).split())


@pytest.fixture
def demo(clusters: Clusters) -> Generator[Demo]:
    """Create and seed a database of the demo on a server that counts, and let nine ordinary days pass."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles([NAME])}
    team = TEAMS[NAME]
    with (
        counting_server(18) as server,
        new_ledger(clusters.server(18)) as reporting,
        reporting.session() as session,
    ):
        admin = server.superuser().conninfo
        create_fleet(admin, passwords, [NAME], progress=str)
        seed_database(at_database(admin, NAME), team, AMOUNTS, NOW.date(), reset=False)
        live = LiveDatabase(server, NAME, server.superuser(NAME))
        # Plans are only given to who may read the tables.
        live.run("VACUUM ANALYZE", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {TENDER}")
        place = psycopg.conninfo.make_conninfo(
            at_database(admin, NAME), user=team.app, password=passwords[team.app], options="-c jit=off"
        )
        tender = server.role(TENDER, SecretStr(passwords[TENDER]), NAME)
        made = Demo(live, tender, place, DatabaseLedger(session))
        for _ in range(9):
            made.day_and_night()
        yield made


def told_well(demo: Demo, part: str, cause: Cause) -> None:
    """See that the verdict and the report name statement, factor and cause of what began last night."""
    told = demo.regression_of(part)
    assert told.explanation is not None
    assert told.explanation.cause is cause
    assert told.finding.ratio is not None
    assert told.finding.ratio > 3
    assert told.finding.is_alert
    assert told.finding.nights == 1
    said = demo.report()
    assert part in said
    assert str(cause) in said
    assert f"{told.finding.ratio:.1f}" in said


def test_what_goes_wrong_in_the_demo_is_in_the_report_of_the_next_day(demo: Demo) -> None:
    """An index is dropped, a table is filled, a setting changes a plan: statement, factor and cause of each."""
    demo.live.run("DROP INDEX public.idx_telemetry_facility_recorded")
    demo.day_and_night()
    told_well(demo, "FROM telemetry", Cause.ANOTHER_PLAN)

    demo.live.run(
        "INSERT INTO public.audit_logs (actor, action, entity) SELECT 'batch', 'exported', 'stock'"
        " FROM generate_series(1, 10000)"
    )
    demo.day_and_night()
    told_well(demo, "FROM audit_logs", Cause.MORE_TO_READ)

    for setting in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"):
        demo.live.run(f"ALTER DATABASE {NAME} SET {setting} = off")
    demo.day_and_night()
    told_well(demo, "SELECT vaccine_id, snapshot_date", Cause.ANOTHER_PLAN)
