"""A first look at a database: how large, how old, who may do what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgtend.fleet.analyze import AnalyzeRules
from pgtend.kernel.errors import Problem
from pgtend.kernel.sizes import Bytes
from pgtend.planner.plan import plan_analyze
from pgtend.postgres.errors import LockedOut, MissingRight, RowsBroken, StatementTimeout
from pgtend.postgres.identifiers import column, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

# When a row came to be; not when somebody was born, or when something ends.
_TELLS_AGE = re.compile(
    r"(^|_)(created|inserted|recorded|measured|logged|occurred|received|at|on|ts|time|timestamp|date)$"
)
_TELLS_NO_AGE = re.compile(r"birth|dob|death|expir|until|due|next|valid|end|updated|modified|deleted|scheduled")
_PREFERRED = ("created_at", "recorded_at", "measured_at", "inserted_at", "occurred_at", "logged_at")
_NO_ANSWER = (LockedOut, MissingRight, RowsBroken, StatementTimeout)


@dataclass(frozen=True, slots=True)
class Overview:
    """How large a database is."""

    size: int
    tables: int


@dataclass(frozen=True, slots=True)
class LargeTable:
    """A large table, and the columns that may tell the age of its rows."""

    schema: str
    name: str
    rows: int
    size: int
    time_columns: Sequence[str]
    indexed_columns: Sequence[str]


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago the oldest row was written."""

    age: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A large table as a person sees it."""

    name: str
    rows: int
    size: Bytes
    time_column: str = ""
    age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a first look at a database showed."""

    database: str
    server: str
    role: str
    is_standby: bool
    connection_limit: int
    size: Bytes
    tables: int
    largest: tuple[Portrait, ...]
    missing_rights: tuple[Problem, ...]
    due: int


READ_OVERVIEW = query(__package__ or "", "read_overview", Overview)
READ_LARGEST_TABLES = query(__package__ or "", "read_largest_tables", LargeTable)
READ_OLDEST_ROW = query(__package__ or "", "read_oldest_row", Age)
READ_OLDEST_BOUND = query(__package__ or "", "read_oldest_bound", Age)


def survey_database(session: Session) -> Survey:
    """Look at a database without reading more of it than the ends of a few indexes."""
    overview = session.row(READ_OVERVIEW)
    facts = session.facts
    plan = None if facts.is_standby else plan_analyze(session, AnalyzeRules())
    return Survey(
        database=facts.database,
        server=facts.version_text,
        role=facts.role,
        is_standby=facts.is_standby,
        connection_limit=facts.connection_limit,
        size=Bytes(overview.size),
        tables=overview.tables,
        largest=tuple(_portray(session, table) for table in session.rows(READ_LARGEST_TABLES)),
        missing_rights=plan.missing_rights if plan else (),
        due=len(plan.due) if plan else 0,
    )


def time_column(table: LargeTable) -> str:
    """Guess which column tells when a row came to be: an indexed one before others, a usual name before a rare one."""
    fitting = [name for name in table.time_columns if _TELLS_AGE.search(name) and not _TELLS_NO_AGE.search(name)]
    ranked = sorted(fitting, key=lambda name: (name not in table.indexed_columns, name not in _PREFERRED))
    return ranked[0] if ranked else ""


def _portray(session: Session, table: LargeTable) -> Portrait:
    found = time_column(table)
    return Portrait(
        name=f"{table.schema}.{table.name}",
        rows=table.rows,
        size=Bytes(table.size),
        time_column=found,
        age=_age(session, table, found) if found else None,
    )


def _age(session: Session, table: LargeTable, time: str) -> timedelta | None:
    """Tell how old the oldest row is where that is cheap; a refusal only means that we do not know."""
    names = {"schema": table.schema, "name": table.name, "column": time}
    try:
        if time in table.indexed_columns:
            where = relation(table.schema, table.name)
            return session.row(READ_OLDEST_ROW, column=column(time), table=where).age
        return next((found.age for found in session.rows(READ_OLDEST_BOUND, names)), None)
    except _NO_ANSWER:
        # Whoever may not look, or would have to wait, leaves it out: it is for people to read, and nothing hangs on it.
        return None
