"""What reports read from the ledger, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pgtend.sqlfiles import query

_ROOM: Final = __package__ or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one metric of one database stands."""

    database: str
    metric: str
    level: str
    value: float | None
    about: str
    reason: str
    since: datetime | None
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """What one day was like in one metric."""

    database: str
    metric: str
    day: datetime
    low: float
    mean: float
    high: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """A metric that got better or worse."""

    at: datetime
    metric: str
    was: str
    level: str
    value: float | None
    about: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGrowth:
    """A table now, and a month ago."""

    name: str
    size: int
    rows: int
    dead: int
    dead_ratio: float
    stale_ratio: float
    vacuumed_at: datetime | None
    earlier_size: int | None
    earlier_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolNow:
    """The sessions of one application and role."""

    application: str
    role: str
    sessions: int
    active: int
    idle: int
    idle_in_transaction: int
    idle_long: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadNight:
    """What all statements cost in one night."""

    day: date
    since: datetime | None
    taken_at: datetime
    baseline_reason: str
    missed_nights: int
    resets: int
    deallocated: int | None
    entries_on_server: int
    capacity: int
    calls: int
    exec_ms: float
    io_ms: float
    blocks_read: int
    wal_bytes: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Costly:
    """A statement, and what it cost in a month."""

    fingerprint: str
    role: str
    query: str | None
    calls: int
    exec_ms: float
    mean_ms: float
    deviation_ms: float | None
    share: float
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    nights_seen: int
    nights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostlyDay:
    """What a statement cost on one day."""

    fingerprint: str
    role: str
    day: date
    exec_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """A statement that got worse, better, new or lost."""

    day: date
    kind: str
    query: str | None
    role: str
    ratio: float | None
    extra_ms: float
    mean_ms: float
    usual_ms: float | None
    cause: str
    first_bad_day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happened to a database."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFact:
    """A backup and what is known of it."""

    database: str
    backup_id: str
    state: str
    taken_at: datetime
    rows: int | None
    stored_bytes: int
    plain_bytes: int | None
    took: timedelta | None
    copies: Sequence[str]
    faults: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillFact:
    """A drill, and how long the restore took in it."""

    backup_id: str
    rule: str
    verdict: str
    failure_class: str
    ended_at: datetime
    rto_target: timedelta | None
    rto_measured: timedelta | None
    rto_predicted: timedelta | None
    rpo_measured: timedelta | None
    not_checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How a pipeline stands."""

    database: str
    pipeline: str
    outcome: str
    started_at: datetime
    took: timedelta | None
    error_code: str
    error_message: str
    run_url: str
    good_at: datetime | None
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrouble:
    """Something that is broken now."""

    database: str
    pipeline: str
    severity: str
    code: str
    message: str
    hint: str
    opened_at: datetime
    times_failed: int


READ_STANDING = query(_ROOM, "read_standing", Standing)
READ_DAILY = query(_ROOM, "read_daily", Daily)
READ_LEVEL_CHANGES = query(_ROOM, "read_level_changes", LevelChange)
READ_TABLE_GROWTH = query(_ROOM, "read_table_growth", TableGrowth)
READ_POOLS_NOW = query(_ROOM, "read_pools_now", PoolNow)
READ_LOAD = query(_ROOM, "read_load", LoadNight)
READ_COSTLY = query(_ROOM, "read_costly", Costly)
READ_COSTLY_DAYS = query(_ROOM, "read_costly_days", CostlyDay)
READ_WORSE = query(_ROOM, "read_worse", Worse)
READ_HAPPENED = query(_ROOM, "read_happened", Happened)
READ_NEWEST_BACKUPS = query(_ROOM, "read_newest_backups", BackupFact)
READ_DRILLS = query(_ROOM, "read_drills", DrillFact)
READ_WORK = query(_ROOM, "read_work", Work)
READ_TROUBLES = query(_ROOM, "read_troubles", OpenTrouble)
