"""Statements: what a database spends its time on, what is slow, what changed, what became slower and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, TypeAlias

from fastapi import Path, Query

from pgtend.kernel.times import utc_now
from pgtend.overview import statements
from pgtend.overview.statements import Changed, Days, Order, Regression, SlowStatement, Spent, StatementDay
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import Chosen, DatabasePath, Door, Most
from pgtend_airflow.web.standing import Role

DOOR = Door("statements")

Back: TypeAlias = Annotated[int, Query(ge=1, le=92, description="How many days to look back, yesterday the last.")]


@DOOR.get("/databases/{database}/statements/top", Role.RESEARCHER, "What a database spends most on")
def top(
    database: DatabasePath,
    session: Reading,
    days: Back = 7,
    by: Annotated[Order, Query(description="By what they are ordered.")] = Order.TIME,
    most: Most = 50,
) -> list[Spent]:
    """Read statements with what they cost, from the counters of the server itself, night by night."""
    return statements.top(session, database, _back(days), by=by, most=most)


@DOOR.get("/databases/{database}/statements/compare", Role.RESEARCHER, "What changed against the days before")
def compare(database: DatabasePath, session: Reading, days: Back = 7, most: Most = 50) -> list[Changed]:
    """Tell for each statement how its cost changed, and how much of it comes from more calls or from slower ones."""
    return statements.compare(session, database, _back(days), most=most)


@DOOR.get("/databases/{database}/statements/regressions", Role.RESEARCHER, "What became slower, and why")
def regressions(database: DatabasePath, session: Reading, days: Back = 30, most: Most = 100) -> list[Regression]:
    """Read what was concluded from the nights: regressions, improvements, newcomers, each with its cause."""
    return statements.regressions(session, database, _back(days).first, most=most)


@DOOR.get("/databases/{database}/statements/{fingerprint}", Role.RESEARCHER, "One statement, night by night")
def one(
    database: DatabasePath,
    session: Reading,
    fingerprint: Annotated[str, Path(pattern=r"^[0-9a-zA-Z_-]{1,64}$", description="The statement's fingerprint.")],
    days: Back = 60,
) -> list[StatementDay]:
    """Read how often it ran and how long it took, for a picture of the day on which it changed."""
    return statements.statement_days(session, database, fingerprint, _back(days).first)


@DOOR.get("/database/analysis/slow-queries", Role.RESEARCHER, "Statements that are slow by the fleet file's limit")
def slow_queries(database: Chosen, session: Reading, most: Most = 50) -> list[SlowStatement]:
    """Read slow statements of the last week, with the plan that was caught in the act."""
    return statements.slow(session, database, most=most)


def _back(days: int) -> Days:
    today: date = utc_now().date()
    return Days(today - timedelta(days=days), today)
