"""What a server says about a table whose old rows shall leave, row by row, before anything is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgtend.archive.convertible import Obstacle
from pgtend.archive.model import DueMonth
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """One table, and what we may do there."""

    oid: int
    schema: str
    name: str
    sql_name: str
    is_partitioned: bool
    is_partition: bool
    is_fleeting: bool
    has_heirs: bool
    has_policies: bool
    hides_rows: bool
    owner: str
    sql_owner: str
    sql_role: str
    sql_schema: str
    sql_database: str
    acts_as_owner: bool
    may_give_to_owner: bool
    may_create_here: bool
    owner_may_create_here: bool
    may_remember: bool
    key: Sequence[str]
    partitioned_by: str
    has_default: bool
    rules: Sequence[str]
    publications: Sequence[str]
    lacks_identity: bool
    views: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column."""

    name: str
    declared: str
    type: str
    hashed_as: str
    is_required: bool
    is_identity: bool
    generated: str
    place: int

    @property
    def described(self) -> str:
        """The column as the ledger remembers it."""
        return f"{self.name} {self.declared}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFacts:
    """A foreign key of another table that points at ours."""

    name: str
    child: str
    on_delete: str
    child_schema: str
    child_name: str
    columns: Sequence[str]
    referenced: Sequence[str]
    is_indexed: bool
    may_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFacts:
    """A trigger that a DELETE or an INSERT fires."""

    name: str
    moment: str
    is_per_row: bool
    on_delete: bool
    on_insert: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafFacts:
    """A table that really holds rows: the table itself, or one of its partitions."""

    oid: int
    schema: str
    name: str
    sql_owner: str
    acts_as_owner: bool
    size: int
    index_size: int
    blocks: int
    is_pending: bool
    is_first_level: bool
    low: str
    high: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """What others would feel."""

    replica_lag: timedelta
    wal_backlog: int
    lsn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long somebody has waited for us."""

    longest: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved which rule."""

    source_id: int
    rule_digest: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """A month that stays as it is."""

    month: date
    is_legal: bool
    reason: str
    placed_by: str
    placed_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Whether our tables are there, and how their checksums were made."""

    is_there: bool
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The settings of a session that reads and moves rows."""

    row_security: str
    float_digits: str
    intervals: str
    bytes: str
    money: str
    memory: str
    statistics: str
    plans: str
    workers: str
    indexers: str
    archiving: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitMode:
    """How far a commit waits."""

    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How far a walk through a table came."""

    next_block: int
    last_block: int
    moved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMonth:
    """A month that rows are of."""

    month: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedMonth:
    """How many rows of a month the ledger was told of."""

    month: date
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """That rows were locked, and are remembered."""

    is_remembered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A page of a table."""

    block: int


READ_SOURCE = query(__package__ or "", "read_source", SourceFacts)
READ_COLUMNS = query(__package__ or "", "read_columns", ColumnFacts)
READ_REFERENCES = query(__package__ or "", "read_references", ReferenceFacts)
READ_TRIGGERS = query(__package__ or "", "read_triggers", TriggerFacts)
READ_OBSTACLES = query(__package__ or "", "read_obstacles", Obstacle)
READ_LEAVES = query(__package__ or "", "read_leaves", LeafFacts)
READ_PRESSURE = query(__package__ or "", "read_pressure", Pressure)
READ_WAITING = query(__package__ or "", "read_waiting", Waiting)
COUNT_DUE = query(__package__ or "", "count_due", DueMonth)
PIN_SESSION = query(__package__ or "", "pin_session", Pinned)
LET_COMMITS_BE_QUICK = query(__package__ or "", "let_commits_be_quick", CommitMode)
BEGIN_PASS = query(__package__ or "", "begin_pass", Walk)
READ_PASS = query(__package__ or "", "read_pass", Walk)
ADVANCE_PASS = query(__package__ or "", "advance_pass", Walk)
COPY_BATCH = command(__package__ or "", "copy_batch")
NOTE_BATCH = query(__package__ or "", "note_batch", NotedMonth)
DELETE_BATCH = command(__package__ or "", "delete_batch")
FIND_MONTHS = query(__package__ or "", "find_months", FoundMonth)
MOVE_ROWS = command(__package__ or "", "move_rows")
LOCK_ROWS = query(__package__ or "", "lock_rows", Locked)
FIND_STRAGGLERS = query(__package__ or "", "find_stragglers", Block)
CREATE_MEMORY = command(__package__ or "", "create_memory")
