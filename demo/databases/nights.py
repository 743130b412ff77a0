"""The nights before a first look: an application works for a short day, what that cost is read, and so on.

The work, the readings and the plans are real, done by the job that does them every night. Only the calendar runs faster
than ours, so that there is a past to compare tonight with.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from demo.databases.roster import HERE, Team
from demo.databases.traffic import Application, Traffic, attempt
from pgtend.fleet.model import Database
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.statements.job import PIPELINE, night_of, tend_statements
from pgtend.statements.judging import READ_NIGHTS

# The first night has nothing to compare with, and tonight is judged when seven before it were counted.
NIGHTS = 9
# Tonight has to show each statement often enough to be judged.
SHORT_DAY, LAST_DAY = 60, 600
_OPTIONS = "-c TimeZone=UTC -c statement_timeout=30s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past of one database: who works in it, who reads its counters, and who breaks it."""

    team: Team
    database: Database
    application: str
    tender: Address
    superuser: str
    ledger: DatabaseLedger
    actor: str

    def make(self, now: datetime) -> Traffic:
        """Live through the nights that are missing."""
        missing, traffic = self.missing(now), Traffic(database=self.team.name)
        with self.at_work() as application:
            for night in missing:
                work(application, SHORT_DAY, traffic)
                self.read(night, plans=night == missing[-1])
        return traffic

    def last_day(self) -> Traffic:
        """Work on the day whose night is to come."""
        traffic = Traffic(database=self.team.name)
        with self.at_work() as application:
            work(application, LAST_DAY, traffic)
        return traffic

    @contextmanager
    def at_work(self) -> Generator[Application]:
        """Let the application connect as it does."""
        place = make_conninfo(self.application, application_name=f"{self.team.name}-api", options=_OPTIONS)
        with psycopg.connect(place, autocommit=True, row_factory=dict_row) as connection:
            yield Application(self.team, connection, 0)

    def missing(self, now: datetime) -> list[date]:
        """List the nights before tonight that nobody read, of a database that has too few of them to be judged."""
        asked = {"database": self.database.name, "replica": "", "day": date.max, "nights": NIGHTS}
        known = self.ledger.reach(lambda session: session.rows(READ_NIGHTS, asked))
        if len(known) == NIGHTS:
            return []
        tonight = night_of(now, self.database)
        before = [tonight - timedelta(days=back) for back in range(NIGHTS - len(known), 0, -1)]
        return [night for night in before if not known or night > known[0].day]

    def read(self, night: date, *, plans: bool) -> None:
        """Read what a night cost as every night is read; plans are asked once, because none changes before."""
        rules = self.database.statements
        asked = rules if plans else rules.model_copy(update={"plans": 0})
        chosen = self.database.model_copy(update={"statements": asked})
        its_end = datetime.combine(night + timedelta(days=1), time(), ZoneInfo(rules.window.timezone))
        subject = Subject(self.database.name, PIPELINE, self.actor)
        tend_statements(chosen, self.tender, self.ledger, subject, lambda _: None, moment=its_end)

    def suffer(self) -> None:
        """Let happen what went wrong at this team on the last day, as its owner."""
        mishap = HERE / self.team.name / "mishap.sql"
        if not mishap.exists():
            return
        with psycopg.connect(self.superuser, autocommit=True) as session:
            session.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.team.owner)))
            session.execute(mishap.read_bytes())


def work(application: Application, actions: int, traffic: Traffic) -> None:
    """Let an application do so many things; it goes on after one that failed, and counts it."""
    for _ in range(actions):
        attempt(application, traffic)
