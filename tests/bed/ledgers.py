"""Ledgers of tests: roles that may only do what they were made for, and evidence to write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from psycopg.rows import scalar_row

from bed.clusters import LiveDatabase, statement
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
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
