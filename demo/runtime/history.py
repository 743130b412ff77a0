"""What happened in the fleet before anybody looks: what tonight is judged by, all of it done by pgtend."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from psycopg import sql

from demo.databases.nights import Past
from demo.databases.roster import TEAMS, TENDER, UNDECIDED, Team
from demo.runtime.cluster import Cluster
from demo.runtime.places import Places
from pgtend.archive.job import PIPELINE, ArchiveSite, Wishes, archive_database
from pgtend.cli.desk import Desk
from pgtend.fleet.model import Database
from pgtend.health.job import examine, stale_after
from pgtend.health.store import HealthStore
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.services import LibpqServices
from pgtend.statements.snapshot import require_database

ACTOR = "make demo"


def make_history(places: Places, cluster: Cluster) -> None:
    """Give every database of the fleet a past, two at a time; one that has it is left alone."""
    desk = Desk(places.fleet, LibpqServices({"PGSERVICEFILE": str(places.state / "pg_service.conf")}))
    _in_pairs(_History(desk, cluster, database) for database in desk.fleet.databases.values())


@dataclass(frozen=True, slots=True)
class _History:
    """The past of one database."""

    desk: Desk
    cluster: Cluster
    database: Database

    def make(self) -> None:
        """Archive by its rules for the first time, live through its nights, and look at it before the last day."""
        with self.desk.ledger() as kept:
            ledger = require_database(kept)
            past = self.past(ledger)
            if not past.missing(utc_now()):
                return
            self.let_archive()
            if self.database.name != UNDECIDED:
                self.archive(ledger)
            past.make(utc_now())
            past.suffer()
            self.look(ledger)
            past.last_day()

    @property
    def team(self) -> Team:
        """Whose it is."""
        return TEAMS[self.database.name]

    def past(self, ledger: DatabaseLedger) -> Past:
        """Say who works in it, and who reads its counters."""
        return Past(
            team=self.team,
            database=self.database,
            application=self.cluster.conninfo(self.team.app, self.team.name),
            superuser=self.cluster.conninfo("postgres", self.team.name),
            tender=self.desk.address(self.database),
            ledger=ledger,
            actor=ACTOR,
        )

    def look(self, ledger: DatabaseLedger) -> None:
        """Look how it is, so that the next look has something to compare with; whoever is told of it looks then."""
        store = HealthStore(ledger)
        exam = examine(self.database, self.desk.address(self.database), store)
        if not exam.bad:
            store.keep(exam, stale_after(self.database))

    def let_archive(self) -> None:
        """Give the tender what `pgtend archive plan` asks for: to archive it has to be a member of the owner."""
        with self.cluster.connect(self.team.name) as admin:
            admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(self.team.owner), sql.Identifier(TENDER)))

    def archive(self, ledger: DatabaseLedger) -> None:
        """Say yes to its archive rules, and let them run for the first time."""
        address = self.desk.address(self.database)
        site = ArchiveSite(fleet=self.desk.fleet, database=self.database, address=address, vault=self.desk.vault)
        wishes = Wishes(approved_by=ACTOR, ignore_window=True)
        subject = Subject(self.database.name, PIPELINE, ACTOR)
        archive_database(site, ledger, subject, lambda _: None, wishes=wishes)


def _in_pairs(histories: Iterable[_History]) -> None:
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(_History.make, histories))
