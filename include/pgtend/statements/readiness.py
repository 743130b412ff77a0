"""Whether the server counts statements in a way that is worth reading; everything missing is said at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgtend.kernel.errors import Problem
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query
from pgtend.statements.columns import NEEDED, STATS_SINCE
from pgtend.statements.errors import StatementsNotCounted

_PRELOAD = (
    "add pg_stat_statements to shared_preload_libraries (on a managed service: in its parameter group), "
    "and restart the server"
)
_RELOAD = "SELECT pg_reload_conf();"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What the server says of its statistics of statements."""

    schema_name: str | None
    extension_version: str | None
    capacity: int | None
    track: str
    save: str
    compute_query_id: str
    times_io: bool
    may_read_all: bool
    database: str
    sql_role: str

    def problems(self) -> Iterator[Problem]:
        """List what makes reading impossible or useless, each with what to do about it."""
        where = f"database {self.database}"
        if self.capacity is None:
            yield Problem("server", "pg_stat_statements is not loaded", _PRELOAD)
        if self.schema_name is None:
            yield Problem(where, "the extension is not installed", "CREATE EXTENSION pg_stat_statements;")
        if not self.may_read_all:
            what = "it sees no statement of other roles"
            yield Problem(f"role {self.sql_role}", what, f"GRANT pg_monitor TO {self.sql_role};")
        if self.track == "none":
            hint = f"ALTER SYSTEM SET pg_stat_statements.track = 'top'; {_RELOAD}"
            yield Problem("server", "pg_stat_statements.track is none: nothing is counted", hint)
        if self.compute_query_id == "off":
            hint = f"ALTER SYSTEM SET compute_query_id = 'auto'; {_RELOAD}"
            yield Problem("server", "compute_query_id is off: nothing is counted", hint)

    def remarks(self) -> Iterator[str]:
        """List what makes the figures poorer than they could be."""
        if not self.times_io:
            yield "track_io_timing is off: times of reading and writing are unknown"
        if self.save == "off":
            yield "pg_stat_statements.save is off: a restart loses what was counted since the night before"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of pg_stat_statements as it is installed here."""

    name: str


READ_READINESS = query(__package__ or "", "read_readiness", Readiness)
READ_COLUMNS = query(__package__ or "", "read_columns", ViewColumn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """A server that counts: where its view lies, what it knows and how much it holds."""

    schema: str
    version: str
    capacity: int
    columns: frozenset[str]
    remarks: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        """Whether each entry says since when it counts."""
        return STATS_SINCE in self.columns

    @property
    def tells_resets(self) -> bool:
        """Whether the server says when everything was reset: from version 1.9 on, which also brought this column."""
        return "toplevel" in self.columns


def require_counting(session: Session) -> Counting:
    """Refuse a server whose counters would tell nothing, and say all that is missing."""
    seen = session.row(READ_READINESS)
    what = f"the statements of {seen.database} cannot be read"
    hint = "Run the statements as a superuser, then try again: pgtend statements."
    StatementsNotCounted.raise_if_any(what, tuple(seen.problems()), hint=hint)
    assert seen.schema_name is not None  # noqa: S101 - was a problem above
    names = frozenset(column.name for column in session.rows(READ_COLUMNS, {"schema": seen.schema_name}))
    if NEEDED not in names:
        where = f"database {seen.database}"
        outdated = f"the extension is still at version {seen.extension_version}"
        old = Problem(where, outdated, "ALTER EXTENSION pg_stat_statements UPDATE;")
        raise StatementsNotCounted(what, (old,), hint=hint)
    return Counting(
        schema=seen.schema_name,
        version=seen.extension_version or "",
        capacity=seen.capacity or 0,
        columns=names,
        remarks=tuple(seen.remarks()),
    )
