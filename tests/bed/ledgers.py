"""Ledgers of tests: roles that may only do what they were made for, and evidence to write down."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from psycopg.rows import scalar_row

from bed.clusters import LiveDatabase, asked, new_database, statement
from pgtend.ledger.migrate import migrate
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.sqlfiles import Query

KGC = Subject("kgc", "analyze", "airflow", "http://airflow.test/runs/1")
Value = TypeVar("Value")

RECORD = Query(
    name="record_evidence",
    text=(
        "INSERT INTO reporting.table_analysis"
        " (run_id, database, schema_name, table_name, decision, reason, outcome, took, rows_before)"
        " VALUES (%(run_id)s, 'kgc', 'public', %(table_name)s, 'analyze', 'changed', 'proved', %(took)s,"
        " %(rows_before)s)"
    ),
    row=type(None),
    purpose="test",
    on="ledger",
)


@dataclass(frozen=True, slots=True)
class Looked:
    """Evidence of a test."""

    table_name: str
    took: timedelta = timedelta(seconds=1.5)
    rows_before: int = 10


@contextmanager
def new_ledger(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Make an empty ledger for one test: a copy of one that was migrated once on this server, a tenth of the time."""
    with new_database(server, template=_migrated(server)) as made:
        yield made


def _migrated(server: ThrowawayServer) -> str:
    """Migrate a ledger that nobody uses but as a template; it goes with its server."""
    name = "migrated_ledger"
    exists = asked("SELECT datname::text AS word FROM pg_database WHERE datname = %(name)s")
    with server.session() as session:
        if session.rows(exists, {"name": name}):
            return name
        session.run(statement("CREATE DATABASE migrated_ledger STRATEGY file_copy"))
    with server.session(name) as session:
        migrate(session)
    return name


def member_of(reporting: LiveDatabase, group: str) -> Address:
    """Make a role that may do what the group may and nothing else."""
    address = reporting.new_role(group.removeprefix("pgtend_"))
    reporting.run(f'GRANT {group} TO "{address.user}"')
    return address


def ask(session: Session, text: str, params: Mapping[str, object] | None = None) -> list[object]:
    """Ask for one column of values."""
    with session.connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(text, params).fetchall()  # type: ignore[arg-type]


def tell(session: Session, *texts: str) -> None:
    """Run statements of a test in a session that is open."""
    for text in texts:
        session.run(statement(text))


def outcomes(session: Session) -> Sequence[object]:
    """Tell how the runs of a ledger stand, oldest first."""
    return ask(session, "SELECT outcome FROM reporting.runs ORDER BY started_at")
