"""What could be smaller: indexes that are bloated or useless, and old rows that wait to leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

INDEXES = Column(
    key="indexes",
    title="Indexes",
    meaning="Bloat that a rebuild would give back, as the last run of the index pipeline judged it.",
)
ARCHIVE = Column(
    key="archive",
    title="Archive",
    meaning="Months of old rows that wait to leave, as the last run of the archive pipeline planned it, or left it.",
)
REMEMBERED = timedelta(days=40)
_STALE = timedelta(days=15)
_MUCH = Bytes.parse("1 GB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What waits in one database."""

    database: str
    looked_at: datetime | None
    waiting: int
    bloat: int
    judged_at: datetime | None
    months: int
    planned_rows: int
    unapproved: int
    refusals: str
    planned_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """What was decided for one index, and what came of it."""

    run_id: str
    at: datetime
    schema_name: str
    table_name: str
    index_name: str
    decision: str
    reason: str
    outcome: str
    method: str
    size_before: int
    size_predicted: int | None
    size_after: int | None
    took: timedelta | None
    yielded: int
    error_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A change of indexes, and what was proved about it."""

    schema_name: str
    table_name: str
    index_name: str
    kind: str
    status: str
    priority: str
    up_sql: str
    down_sql: str
    why: str
    gain: float | None
    worst_harm: float | None
    write_cost: float | None
    size: int | None
    took_to_build: timedelta | None
    at: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """What waits to leave one table."""

    at: datetime
    schema_name: str
    table_name: str
    mode: str
    cutoff: date
    months: int
    planned_rows: int
    approved_by: str
    refusals: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMonth:
    """Where one archived month stands."""

    schema_name: str
    table_name: str
    month: date
    step: str
    row_count: int | None
    bytes: int | None
    at: datetime
    run_id: str


READ_CARE = query(__package__ or "", "read_care", Care)
READ_REBUILDS = query(__package__ or "", "read_rebuilds", Rebuild)
READ_ADVICES = query(__package__ or "", "read_advices", Advice)
READ_ARCHIVE_PLANS = query(__package__ or "", "read_archive_plans", ArchivePlan)
READ_ARCHIVE_MONTHS = query(__package__ or "", "read_archive_months", ArchivedMonth)


def care(session: Session, databases: Sequence[str], now: datetime) -> Mapping[str, Care]:
    """Read what the first page says of indexes and archives, by database."""
    found = session.rows(READ_CARE, {"databases": list(databases), "since": now - REMEMBERED})
    return {row.database: row for row in found}


def rebuilds(session: Session, database: str, since: datetime, *, decided: str = "", most: int = 100) -> list[Rebuild]:
    """Read what was decided for indexes, newest first."""
    return session.rows(READ_REBUILDS, {"database": database, "since": since, "decided": decided, "most": most})


def advices(session: Session, database: str, since: datetime, *, most: int = 100) -> list[Advice]:
    """Read what could be changed about indexes, proved changes first."""
    return session.rows(READ_ADVICES, {"database": database, "since": since, "most": most})


def archive_plans(session: Session, database: str, since: datetime) -> list[ArchivePlan]:
    """Read what waits to leave, table by table."""
    return session.rows(READ_ARCHIVE_PLANS, {"database": database, "since": since})


def archive_months(session: Session, database: str, *, most: int = 400) -> list[ArchivedMonth]:
    """Read where each archived month stands."""
    return session.rows(READ_ARCHIVE_MONTHS, {"database": database, "most": most})


def indexes_cell(database: str, known: Care | None, now: datetime) -> Cell:
    """Judge the bloat that the last run left."""
    page = f"page:{database}/indexes"
    if known is None or known.judged_at is None:
        return Cell(light=Light.UNKNOWN, says="not judged", why="No run has judged its indexes yet.", link=page)
    ago = say_age(now - known.judged_at)
    if now - known.judged_at > _STALE:
        return Cell(light=Light.UNKNOWN, says="not judged", why=f"The last run was {ago} ago.", link=page)
    if not known.waiting:
        return Cell(light=Light.GOOD, says="lean", why=f"Nothing is worth a rebuild, as of {ago} ago.", link=page)
    size = Bytes(known.bloat)
    why = f"{counted(known.waiting, 'index')} to rebuild, which would give back {size}."
    light = Light.WATCH if known.bloat >= _MUCH else Light.GOOD
    return Cell(light=light, says=f"{size} bloat", why=why, link=page)


def archive_cell(database: str, known: Care | None, *, has_rules: bool) -> Cell:
    """Judge what waits to leave."""
    page = f"page:{database}/archive"
    if not has_rules:
        return Cell(light=Light.GOOD, says="no rules", why="The fleet file archives nothing of it.", link=page)
    if known is None or known.planned_at is None:
        return Cell(light=Light.UNKNOWN, says="not planned", why="No run has looked what may leave yet.", link=page)
    if known.refusals:
        return Cell(light=Light.WATCH, says="refused", why=f"Nothing may leave: {known.refusals}.", link=page)
    if known.months:
        who = "somebody must approve the rule first" if known.unapproved else "the next run moves them"
        verb = "waits" if known.months == 1 else "wait"
        # Once its rule was approved, a large table is planned from a part of its pages.
        about = "" if known.unapproved else "about "
        why = f"{counted(known.months, 'month')} with {about}{counted(known.planned_rows, 'row')} {verb}, and {who}."
        return Cell(light=Light.WATCH, says=f"{counted(known.months, 'month')} {verb}", why=why, link=page)
    return Cell(light=Light.GOOD, says="nothing waits", why="All that is old enough has left.", link=page)
