"""What is watched in every database, and from which value on people are told."""

from __future__ import annotations

import zlib
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self, TypeAlias

from pydantic import Field, Strict, model_validator

from pgtend.fleet.schedules import Cron
from pgtend.fleet.settings import Kind, Settings, Size, Span, Switch, refusal

_EVERY = 5

Amount: TypeAlias = Annotated[float, Strict(), Kind("number"), Field(ge=0)]


class Watched(StrEnum):
    """The names of what is watched: in the fleet file, in views, in metrics and in alerts."""

    REACHABLE = "reachable"
    CONNECTIONS_USED = "connections_used"
    SESSIONS = "sessions"
    SESSIONS_ACTIVE = "sessions_active"
    SESSIONS_IDLE = "sessions_idle"
    SESSIONS_LEAKED = "sessions_leaked"
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    LONGEST_QUERY = "longest_query"
    LONGEST_TRANSACTION = "longest_transaction"
    LOCK_WAIT = "lock_wait"
    LOCK_QUEUE = "lock_queue"
    PREPARED_TRANSACTION = "prepared_transaction"
    HELD_BACK = "held_back"
    CACHE_HIT = "cache_hit"
    TRANSACTIONS = "transactions"
    ROLLBACKS = "rollbacks"
    DEADLOCKS = "deadlocks"
    TEMPORARY_FILES = "temporary_files"
    CHECKSUM_FAILURES = "checksum_failures"
    TRANSACTION_AGE = "transaction_age"
    MULTIXACT_AGE = "multixact_age"
    FREEZE_LAG = "freeze_lag"
    REPLICATION_LAG = "replication_lag"
    REPLICATION_DELAY = "replication_delay"
    REPLAY_DELAY = "replay_delay"
    SLOT_RETAINED = "slot_retained"
    SLOT_INACTIVE = "slot_inactive"
    SLOT_LOST = "slot_lost"
    ARCHIVE_FAILING = "archive_failing"
    ARCHIVE_BACKLOG = "archive_backlog"
    DATABASE_SIZE = "database_size"
    DISK_USED = "disk_used"
    DISK_DAYS = "disk_days"
    INDEX_HIT = "index_hit"
    DEAD_ROWS = "dead_rows"
    STALE_STATISTICS = "stale_statistics"
    INVALID_INDEXES = "invalid_indexes"
    SEQUENCE_USED = "sequence_used"
    PARTITIONS_AHEAD = "partitions_ahead"
    CHECKPOINTS_FORCED = "checkpoints_forced"
    RESTART_PENDING = "restart_pending"
    UNSAFE_SETTINGS = "unsafe_settings"


WatchedName: TypeAlias = Annotated[Watched, Kind("name of a metric")]


class HealthLimit(Settings):
    """From which value on one thing that is watched is worth a message; what is left out keeps its default."""

    warning: Amount | None = Field(default=None, description="Worth a ticket from this value on.")
    critical: Amount | None = Field(default=None, description="Worth a page from this value on.")
    lasting: Span | None = Field(
        default=None, description="How long it must stay so before anybody is told. Default: the metric's own."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.warning is None and self.critical is None and self.lasting is None:
            raise refusal("a limit that says nothing", "write warning:, critical: or lasting: below the name")
        return self


def schedule_of(name: str) -> str:
    """Choose when a database is looked at: every five minutes, each database at its own minute of the five."""
    first = zlib.crc32(name.encode()) % _EVERY
    return f"{first}-59/{_EVERY} * * * *" if first else f"*/{_EVERY} * * * *"


class HealthRules(Settings):
    """What is watched, how often, and when people are told."""

    enabled: Switch = Field(default=True, description="Whether the database is looked at by schedule at all.")
    schedule: Cron | None = Field(
        default=None,
        description=(
            "When it is looked at, in UTC, around the clock. "
            "Default: every five minutes, each database at its own minute of the five."
        ),
    )
    deadline: Span = Field(
        default=timedelta(minutes=15), description="People are alerted when a look has not ended after this long."
    )
    patience: Span = Field(
        default=timedelta(seconds=10), description="How long one question may take; what takes longer is unknown."
    )
    details_every: Span = Field(
        default=timedelta(hours=1),
        description="How often sizes, sequences, indexes and tables are read: they change slowly and cost more.",
    )
    disk: Size | None = Field(
        default=None,
        description=(
            "Size of the disk that holds the data, for warnings before it is full. SQL cannot see it. "
            "Default: asked of the machine when the server is on this one, else not watched."
        ),
    )
    idle_session: Span = Field(
        default=timedelta(hours=1),
        description="Sessions that do nothing for this long are counted as leaked when one application has many.",
    )
    ignore: tuple[WatchedName, ...] = Field(
        default=(), description="What nobody wants to hear of, by name; docs/explanation/health.md lists all."
    )
    limits: dict[WatchedName, HealthLimit] = Field(
        default_factory=dict, description="Other limits than the default ones, by the name of what is watched."
    )

    def limit(self, watched: Watched) -> HealthLimit | None:
        """Find what the fleet file says about one metric."""
        return self.limits.get(watched)
