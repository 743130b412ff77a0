"""What a database spends its time on, what of it is slow, and what became slower since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from pgtend.kernel.names import counted
from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

STATEMENTS = Column(
    key="statements",
    title="Statements",
    meaning="Statements that became slower than they usually are, as of the last night that was judged.",
)
_STALE = timedelta(days=2)
_REMEMBERED = timedelta(days=30)


class Order(StrEnum):
    """By what statements are ordered."""

    TIME = "time"
    MEAN = "mean"
    CALLS = "calls"
    READ = "read"
    TEMP = "temp"
    WAL = "wal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one statement cost over some days."""

    fingerprint: str
    role: str
    query: str
    calls: int
    exec_ms: float
    mean_ms: float
    deviation_ms: float
    share: float
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    read_ms: float
    temp_blks: int
    wal_bytes: int
    nights_seen: int
    nights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStatement:
    """A statement that is slow by the limit of the fleet file."""

    fingerprint: str
    role: str
    query: str
    calls: int
    mean_ms: float
    deviation_ms: float
    exec_ms: float
    share: float
    rows: int
    nights_seen: int
    nights: int
    slow_from_ms: float
    plan: str | None
    plan_cost: float | None
    plan_day: date | None
    plan_remark: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One statement in two spans of days."""

    fingerprint: str
    role: str
    query: str
    calls: int
    earlier_calls: int
    mean_ms: float
    earlier_mean_ms: float
    exec_ms: float
    earlier_exec_ms: float
    change_ms: float
    by_calls_ms: float
    by_mean_ms: float
    nights: int
    earlier_nights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Something that got worse, or better, with the cause that was found."""

    day: date
    kind: str
    fingerprint: str
    role: str
    query: str
    calls: int
    mean_ms: float
    usual_ms: float | None
    ratio: float | None
    extra_ms: float
    share: float
    cause: str
    first_bad_day: date | None
    nights: int
    is_alert: bool
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedNight:
    """The newest night of one database, and why it was not judged where it was not."""

    database: str
    day: date
    at: datetime
    judged: int
    remark: str
    regressions: int
    alerts: int
    all_slower: float | None = None
    """How many times as long as usual everything took, where that was much longer."""
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDay:
    """One statement on one day."""

    day: date
    calls: int
    exec_ms: float
    mean_ms: float
    query: str | None


READ_TOP_STATEMENTS = query(__package__ or "", "read_top_statements", Spent)
READ_SLOW_STATEMENTS = query(__package__ or "", "read_slow_statements", SlowStatement)
COMPARE_STATEMENTS = query(__package__ or "", "compare_statements", Changed)
READ_REGRESSIONS = query(__package__ or "", "read_regressions", Regression)
COUNT_REGRESSIONS = query(__package__ or "", "count_regressions", JudgedNight)
READ_STATEMENT_DAYS = query(__package__ or "", "read_statement_days", StatementDay)


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days, both ends included."""

    first: date
    last: date

    def before(self) -> Days:
        """Give the span of the same length just before."""
        length = self.last - self.first + timedelta(days=1)
        return Days(self.first - length, self.last - length)


def top(session: Session, database: str, days: Days, *, by: Order = Order.TIME, most: int = 50) -> list[Spent]:
    """Read what a database spent most on."""
    asked = {"database": database, "first": days.first, "last": days.last, "by": by.value, "most": most}
    return session.rows(READ_TOP_STATEMENTS, asked)


def slow(session: Session, database: str, *, most: int = 50) -> list[SlowStatement]:
    """Read what is slow by the limit of the fleet file, with plans."""
    return session.rows(READ_SLOW_STATEMENTS, {"database": database, "most": most})


def compare(session: Session, database: str, days: Days, *, most: int = 50) -> list[Changed]:
    """Read what changed against the span just before."""
    earlier = days.before()
    asked = {"database": database, "first": days.first, "last": days.last, "most": most}
    return session.rows(COMPARE_STATEMENTS, {**asked, "earlier_first": earlier.first, "earlier_last": earlier.last})


def regressions(session: Session, database: str, since: date, *, most: int = 100) -> list[Regression]:
    """Read what got worse or better since a day."""
    return session.rows(READ_REGRESSIONS, {"database": database, "since": since, "most": most})


def statement_days(session: Session, database: str, fingerprint: str, since: date) -> list[StatementDay]:
    """Read one statement, night by night."""
    return session.rows(READ_STATEMENT_DAYS, {"database": database, "fingerprint": fingerprint, "since": since})


def judged_nights(session: Session, databases: Sequence[str], now: datetime) -> Mapping[str, JudgedNight]:
    """Read what the first page says of statements, by database."""
    found = session.rows(COUNT_REGRESSIONS, {"databases": list(databases), "since": now - _REMEMBERED})
    return {row.database: row for row in found}


def statements_cell(database: str, night: JudgedNight | None, now: datetime) -> Cell:
    """Judge the newest night."""
    page = f"page:{database}/statements"
    if night is None:
        return Cell(light=Light.UNKNOWN, says="not judged", why="No night of it was judged yet.", link=page)
    if now - night.at > _STALE:
        why = f"The last night that was judged is that of {night.day}, {say_age(now - night.at)} ago."
        return Cell(light=Light.UNKNOWN, says="not judged", why=why, link=page)
    if not night.judged:
        why = f"On {night.day} {night.remark or 'no statement had enough nights behind it to say what is usual'}."
        said = "not judged" if night.remark else "too early to tell"
        return Cell(light=Light.UNKNOWN, says=said, why=why, link=page)
    light = Light.BAD if night.alerts else Light.WATCH
    if not night.regressions and night.all_slower:
        why = f"On {night.day} everything together took {night.all_slower:.1f} times as long as usual."
        return Cell(light=light, says="all slower", why=why, link=page)
    if not night.regressions:
        why = f"Of {counted(night.judged, 'statement')} judged on {night.day} none is slower than it usually is."
        return Cell(light=Light.GOOD, says="as usual", why=why, link=page)
    slower = counted(night.regressions, "statement")
    why = f"Slower than usual on {night.day}: {slower}, the worst {night.worst:.1f} times."
    return Cell(light=light, says=f"{night.regressions} slower", why=why, link=page)
