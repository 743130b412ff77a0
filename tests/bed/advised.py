"""The demo fleet after some work of its applications, and the indexes its teams want, for advice to find by itself."""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from bed.clusters import tools_of
from demo.databases.create import create_fleet
from demo.databases.roster import TEAMS, at_database, login_roles
from demo.databases.seed import seed_fleet
from demo.databases.traffic import Application
from pgtend.fleet.model import Database
from pgtend.indexes.advice_model import Advice, Kind, Status
from pgtend.indexes.advise import AdviceReport, Inquiry, advise_on_indexes
from pgtend.indexes.job import rebuild_bloated_indexes
from pgtend.indexes.report import RebuildReport
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer

COUNTING = {
    "shared_preload_libraries": "pg_stat_statements",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "autovacuum": "off",
}


# Rows that find no room on their page get new entries in every index; triggers of the applications stay out of it.
CHURN = """DO $$ DECLARE one record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT c.oid::regclass AS named, a.attname
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attgenerated = ''
            AND a.attidentity <> 'a' AND NOT a.attisdropped
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            AND a.attnum = (SELECT min(b.attnum) FROM pg_attribute AS b WHERE b.attrelid = c.oid AND b.attnum > 0
                AND b.attgenerated = '' AND b.attidentity <> 'a' AND NOT b.attisdropped)
    LOOP
        FOR round IN 1..2 LOOP
            EXECUTE format('UPDATE %s SET %I = %I', one.named, one.attname, one.attname);
        END LOOP;
    END LOOP;
END $$"""


@dataclass(frozen=True, slots=True)
class Wish:
    """An index that a team wants: on which table, and with which columns in front."""

    table: str
    columns: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Wish:
        """Read `table: one, two`."""
        table, _, columns = text.partition(": ")
        return cls(table, tuple(columns.split(", ")))

    def is_served_by(self, advice: Advice) -> bool:
        """Tell whether an index begins with the same columns, whatever else it has."""
        keys = keys_of(advice)[: len(self.columns)]
        return advice.candidate.table == self.table and sorted(keys) == sorted(self.columns)

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.columns)})"


# What HealthMate's summary names for its sixteen index migrations, column by column, and KAN's list of nine.
WISHES = {
    "healthmate": tuple(
        Wish.read(f"{table}: {columns}")
        for table, lists in {
            "users": ("email", "role", "created_at"),
            "health_data": ("user_id", "data_type", "timestamp", "user_id, data_type, timestamp"),
            "symptom_logs": ("user_id", "timestamp", "severity"),
            "medication_logs": ("user_id", "taken_at", "medication_name"),
            "health_goals": ("user_id", "is_active", "goal_type"),
            "health_alerts": ("user_id", "acknowledged", "triggered_at"),
            "conversations": ("user_id", "timestamp", "feedback"),
        }.items()
        for columns in lists
    ),
    "heliotrope": tuple(
        map(
            Wish.read,
            (
                "users: username",
                "users: role",
                "workshop_step_data: user_id, workshop_type",
                "workshop_step_data: step_id",
                "users: navigation_progress",
                "user_assessments: user_id, assessment_type",
                "user_assessments: created_at",
                "users: created_at, role",
                "users: ast_workshop_completed, ia_workshop_completed",
            ),
        )
    ),
}


def keys_of(advice: Advice) -> tuple[str, ...]:
    """Name the columns an index is searched by, in their order."""
    keys = re.match(r"USING \w+ \((.*?)\)(?: INCLUDE| WITH| WHERE|$)", advice.candidate.shape)
    words = keys.group(1).split(", ") if keys else []
    return tuple(word.split(" ")[0].strip('"') for word in words)


@dataclass(frozen=True, slots=True)
class Worked:
    """A server with databases of the demo on which their applications have worked."""

    server: ThrowawayServer
    passwords: dict[str, str]

    def work(self, name: str, actions: int) -> None:
        """Let the application of a database do so many things, counted from zero."""
        team = TEAMS[name]
        mine = make_conninfo(self._at(name), user=team.app, password=self.passwords[team.app])
        with psycopg.connect(mine, autocommit=True, row_factory=dict_row) as connection:
            application = Application(team, connection, seed=0)
            self.tell(name, "SELECT public.pg_stat_statements_reset()")
            for _ in range(actions):
                application.perform(application.choose())

    def advise(self, name: str, folder: Path, *, statements: int = 50) -> AdviceReport:
        """Work out advice from what the server counted, and prove it on a copy of the database."""
        with self.copy_of(name) as copy:
            inquiry = Inquiry(
                address=self.server.superuser(name), copy=self.server.superuser(copy), folder=folder, live=True
            )
            database = Database.model_validate(
                {"name": name, "connection": name, "indexes": {"statements": statements}}
            )
            ledger = FolderLedger(folder / "ledger")
            return advise_on_indexes(database, inquiry, ledger, Subject(name, "index_advice", "test"), lambda _: None)

    def rebuild(self, name: str, folder: Path) -> RebuildReport:
        """Change every row of every table twice, and rebuild what that bloated, however small."""
        self.tell(name, CHURN, "VACUUM ANALYZE")
        rules = {"smallest": "64 kB", "least_gain": "64 kB"}
        database = Database.model_validate(
            {"name": name, "connection": name, "indexes": rules, "window": {"start": "00:00", "end": "00:00"}}
        )
        addresses = {name: self.server.superuser(name)}
        ledger = FolderLedger(folder / "ledger")
        return rebuild_bloated_indexes(database, addresses, ledger, Subject(name, "reindex", "test"), lambda _: None)

    @contextmanager
    def copy_of(self, name: str) -> Generator[str]:
        """Make a copy of a database, with all its rows."""
        copy = f"{name}_{secrets.token_hex(3)}"
        self.tell("postgres", f"CREATE DATABASE {copy} TEMPLATE {name} STRATEGY file_copy")
        try:
            yield copy
        finally:
            self.tell("postgres", f"DROP DATABASE {copy} WITH (FORCE)")

    def tell(self, database: str, *texts: str) -> None:
        """Run statements as superuser."""
        with psycopg.connect(self._at(database), autocommit=True) as connection:
            for text in texts:
                connection.execute(text.encode())

    def _at(self, database: str) -> str:
        return at_database(self.server.superuser().conninfo, database)


@contextmanager
def worked_fleet(major: int, names: Sequence[str], *, size: str) -> Generator[Worked]:
    """Create and seed databases of the demo on a server that counts statements."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(major), settings=COUNTING) as server:
        admin = server.superuser().conninfo
        create_fleet(admin, passwords, names, progress=str)
        seed_fleet(admin, size=size, databases=names, progress=str)
        worked = Worked(server, passwords)
        for name in names:
            worked.tell(name, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public", "VACUUM ANALYZE")
        yield worked


SERVED = "another advised index helps the same statements as much"


def served(report: AdviceReport, wish: Wish) -> str:
    """Say what became of a team's wish: advised, found and refuted with the reason, or not found."""
    new = [one for one in report.advices if one.candidate.kind in {Kind.MISSING, Kind.FOREIGN_KEY}]
    found = sorted((one for one in new if wish.is_served_by(one)), key=lambda one: one.status is not Status.ADVISED)
    if not found:
        return "not found: no statement of the traffic asks for it, or its table is read in a moment"
    if found[0].status is Status.ADVISED:
        return f"advised: {found[0].candidate.shape.removeprefix('USING ')}"
    if any(SERVED in one.why for one in found):
        return f"needless: {SERVED}"
    return f"refuted: {found[0].why}"
