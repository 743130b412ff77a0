"""What servers say about themselves, row by row, before anything is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pgtend.sqlfiles import query

_ROOM: Final = __package__ or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What all sessions do at this moment."""

    hidden: int
    sessions: int
    active: int
    idle: int
    sessions_here: int
    places: int
    idle_in_transaction: float | None
    idle_in_transaction_who: str
    longest_query: float | None
    longest_query_who: str
    longest_transaction: float | None
    longest_transaction_who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The sessions of one application and role in this database."""

    application: str
    role: str
    sessions: int
    active: int
    idle: int
    idle_in_transaction: int
    idle_long: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockQueue:
    """Who waits for locks."""

    waiting: int
    waited: float | None
    who: str
    blockers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCounters:
    """What the server counted for this database so far."""

    blks_hit: int
    blks_read: int
    xact_commit: int
    xact_rollback: int
    deadlocks: int
    temp_bytes: int
    checksum_failures: int | None
    counted_since: str
    transaction_age: int
    multixact_age: int
    freeze_max_age: int
    has_checksums: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Who keeps dead rows from being removed."""

    is_hidden: bool
    kind: str
    holder: str
    behind: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The prepared transactions of this database."""

    amount: int
    oldest: float | None
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A standby as its primary sees it."""

    name: str
    is_hidden: bool
    behind: float | None
    lag: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How late this server is, when it is a standby."""

    is_standby: bool
    delay: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A replication slot."""

    name: str
    is_active: bool
    retained: float | None
    wal_status: str
    inactive: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Archiver:
    """Whether WAL reaches its archive."""

    is_on: bool
    is_failing: bool
    since_success: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveBacklog:
    """WAL files that wait for the archive."""

    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What lies on the server's disk."""

    database: int
    databases: int
    wal: int
    data_directory: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """A table: how large it is, and how far VACUUM and ANALYZE are behind with it."""

    name: str
    size: int
    rows: int
    dead: int
    modified: int
    dead_ratio: float
    stale_ratio: float
    vacuumed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexBlocks:
    """Blocks of indexes found in the cache, and not."""

    hit: int
    read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidIndexes:
    """Indexes that a failed build left behind."""

    amount: int
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """Tables that are partitioned by time, and how long the one that ends first has partitions."""

    amount: int
    seconds: float | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """How near the fullest sequence is to its end."""

    amount: int
    hidden: int
    percent: float | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Settings that wait for a restart, and unsafe ones."""

    pending: int
    pending_names: str
    unsafe: int
    unsafe_names: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Checkpoints by the clock, and forced ones."""

    timed: int | None
    forced: int | None


READ_ACTIVITY = query(_ROOM, "read_activity", Activity)
READ_POOLS = query(_ROOM, "read_pools", Pool)
READ_LOCKS = query(_ROOM, "read_locks", LockQueue)
READ_COUNTERS = query(_ROOM, "read_counters", DatabaseCounters)
READ_HORIZON = query(_ROOM, "read_horizon", Horizon)
READ_PREPARED = query(_ROOM, "read_prepared", Prepared)
READ_REPLICAS = query(_ROOM, "read_replicas", Replica)
READ_REPLAY = query(_ROOM, "read_replay", Replay)
READ_SLOTS = query(_ROOM, "read_slots", Slot)
READ_ARCHIVER = query(_ROOM, "read_archiver", Archiver)
READ_ARCHIVE_BACKLOG = query(_ROOM, "read_archive_backlog", ArchiveBacklog)
READ_SIZES = query(_ROOM, "read_sizes", Sizes)
READ_TABLES = query(_ROOM, "read_tables", TableState)
READ_INDEX_BLOCKS = query(_ROOM, "read_index_blocks", IndexBlocks)
READ_INVALID_INDEXES = query(_ROOM, "read_invalid_indexes", InvalidIndexes)
READ_PARTITIONS = query(_ROOM, "read_partitions", Partitions)
READ_SEQUENCES = query(_ROOM, "read_sequences", Sequences)
READ_SETTINGS = query(_ROOM, "read_settings", ServerSettings)
READ_CHECKPOINTS = query(_ROOM, "read_checkpoints", Checkpoints)
READ_CHECKPOINTER = query(_ROOM, "read_checkpointer", Checkpoints)
