"""What the server says about its tables, row by row, before anything is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """One table as its server's catalogue and counters describe it."""

    oid: int
    schema: str
    name: str
    sql_name: str
    sql_schema: str
    owner: str
    sql_owner: str
    owner_is_superuser: bool
    kind: str
    is_temporary: bool
    rows: int | None
    size: int
    holds_rows: bool
    modified: int
    analyzed_at: datetime | None
    has_children: bool
    children_rows: int
    children_size: int
    children_hold_rows: bool
    children_modified: int
    children_reanalyzed: int
    children_analyzed_at: datetime | None
    ancestor_oids: Sequence[int]
    ancestor_names: Sequence[str]
    hides_rows_from_owner: bool
    may_use_schema: bool
    may_alter: bool
    may_analyze: bool
    may_see_statistics: bool
    autovacuum_fraction: float
    server_started_at: datetime
    read_at: datetime

    @property
    def is_partitioned(self) -> bool:
        """Whether all its rows are in its partitions."""
        return self.kind == "partitioned table"

    @property
    def can_have_statistics(self) -> bool:
        """Whether its statistics are our business at all."""
        return not self.is_temporary and self.kind != "foreign table"

    @property
    def changed_below(self) -> int:
        """Changes in its children; one that autovacuum analyzed since had changed by autovacuum's share at least."""
        return self.children_modified + int(self.children_reanalyzed * self.autovacuum_fraction)

    @property
    def children_changed_since(self) -> bool:
        """Whether anything happened in its children after its own last ANALYZE."""
        if self.analyzed_at is None or self.children_analyzed_at is None:
            return self.children_modified > 0
        return self.children_modified > 0 or self.children_analyzed_at > self.analyzed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingStatistics:
    """What the planner has no statistics for, by table."""

    oid: int
    columns: Sequence[str]
    inherited: Sequence[str]
    expressions: Sequence[str]
    extended: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTarget:
    """How many values of a column the planner remembers now."""

    oid: int
    column_name: str
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRights:
    """Who we are, and whether we may see which statistics exist."""

    role: str
    sql_role: str
    may_read_columns: bool
    may_read_extended: bool

    @property
    def may_read_keys(self) -> bool:
        """Whether the keys of all statistics are open to us."""
        return self.may_read_columns and self.may_read_extended


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The server's own account of ANALYZE on one table."""

    oid: int
    schema: str
    name: str
    analyzed: int
    analyzed_at: datetime | None
    rows: int


READ_TABLES = query(__package__ or "", "read_tables", TableFacts)
READ_OWN_RIGHTS = query(__package__ or "", "read_own_rights", OwnRights)
READ_STATISTICS_TARGETS = query(__package__ or "", "read_statistics_targets", ColumnTarget)
READ_PROOF = query(__package__ or "", "read_proof", Proof)
FIND_MISSING_STATISTICS = query(__package__ or "", "find_missing_statistics", MissingStatistics)
FIND_MISSING_VISIBLE_STATISTICS = query(__package__ or "", "find_missing_visible_statistics", MissingStatistics)
ANALYZE_TABLE = command(__package__ or "", "analyze_table")
ANALYZE_ONLY_TABLE = command(__package__ or "", "analyze_only_table")
SET_STATISTICS_TARGET = command(__package__ or "", "set_statistics_target")
RECORD_TABLE_ANALYSIS = command(__package__ or "", "record_table_analysis")
