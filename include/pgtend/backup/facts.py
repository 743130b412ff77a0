"""What a backup asks of the database it copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgtend.postgres.rowhash import HashedColumn
from pgtend.sqlfiles import command, query

_HERE = __package__ or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Something that a dump reads, and whether our role may."""

    oid: int
    schema: str
    name: str
    kind: str
    sql_name: str
    sql_schema: str
    is_partition: bool
    dealt_by: int | None
    """The table above it that deals out its rows anew when they are restored, so that they may land beside it."""
    is_unlogged: bool
    belongs_to_extension: bool
    size: int
    may_use_schema: bool
    may_select: bool
    is_filtered: bool
    columns: list[str]
    types: list[str]
    required: list[bool]
    key: list[str]

    @property
    def holds_rows(self) -> bool:
        """Whether rows of it are dumped: those of a partitioned table are in its partitions."""
        return self.kind == "table"

    @property
    def hashed(self) -> list[HashedColumn]:
        """All columns, by name, as rows are hashed by them."""
        each = zip(self.columns, self.types, self.required, strict=True)
        return [HashedColumn(name=name, type=kind, is_required=required) for name, kind, required in each]

    @property
    def is_locked_by_dumps(self) -> bool:
        """Whether it must not change while it is dumped."""
        return self.kind in {"table", "partitioned table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a dump by our role cannot hold, and what the role may do."""

    is_superuser: bool
    may_bypass_rls: bool
    sql_role: str
    role_names: list[bytes]
    """As they are kept; they need not be in the encoding of this database."""
    subscriptions: int
    user_mappings: int
    large_objects: int
    large_objects_size: int
    closed_objects: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReading:
    """What is true of the whole database."""

    database: str
    owner: str
    version: int
    system_identifier: str
    is_standby: bool
    encoding: str
    collation: str
    ctype: str
    locale_provider: str
    locale: str
    collation_version: str
    size: int
    settings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedSnapshot:
    """The one moment that all readers share."""

    name: str
    taken_at: datetime
    lsn: str
    timeline: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsHashed:
    """What a table holds."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledColumn:
    """A column without NULL, as far as statistics know."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceReading:
    """Where a sequence is."""

    schema: str
    name: str
    last_value: int | None
    increment: int
    cycles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionReading:
    """An extension that is there."""

    name: str
    version: str
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryReading:
    """All objects of one kind."""

    kind: str
    count: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """How many settings were changed."""

    settings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingPinned:
    """A setting as the server took it."""

    value: str


READ_RELATIONS = query(_HERE, "read_relations", Relation)
READ_FILLED = query(_HERE, "read_filled", FilledColumn)
READ_OUTSIDE = query(_HERE, "read_outside", Outside)
READ_SOURCE = query(_HERE, "read_source", SourceReading)
READ_SEQUENCES = query(_HERE, "read_sequences", SequenceReading)
READ_EXTENSIONS = query(_HERE, "read_extensions", ExtensionReading)
READ_INVENTORY = query(_HERE, "read_inventory", InventoryReading)
READ_OTHERS = query(_HERE, "read_others", InventoryReading)
READ_RIGHTS = query(_HERE, "read_rights", InventoryReading)
EXPORT_SNAPSHOT = query(_HERE, "export_snapshot", ExportedSnapshot)
HOLD_STILL = query(_HERE, "hold_still", SettingsChanged)
PIN_SETTING = query(_HERE, "pin_setting", SettingPinned)
FINGERPRINT_TABLE = query(_HERE, "fingerprint_table", RowsHashed)
FINGERPRINT_SAMPLE = query(_HERE, "fingerprint_sample", RowsHashed)
COUNT_ROWS = query(_HERE, "count_rows", RowsHashed)
FINGERPRINT_LARGE_OBJECTS = query(_HERE, "fingerprint_large_objects", RowsHashed)
LARGE_OBJECTS = 2613
"""The number of the catalogue they lie in, which is the same in every database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which server this is, and in which role."""

    system_identifier: str
    is_standby: bool
    timeline: int


READ_STANDING = query(_HERE, "read_standing", Standing)
LOCK_TABLES = command(_HERE, "lock_tables")
BEGIN_LOOKING = command(_HERE, "begin_looking")
BEGIN_SHARING = command(_HERE, "begin_sharing")
SHARE_SNAPSHOT = command(_HERE, "share_snapshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLock:
    """A relation that we hold."""

    oid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Who waits for a table that we hold, and keeps our dumps out of it."""

    who: str
    sql_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockable:
    """A table that must not change while it is dumped."""

    oid: int
    schema: str
    name: str


READ_LOCKABLE = query(_HERE, "read_lockable", Lockable)
FORGET_ACTIVITY = command(_HERE, "forget_activity")
READ_STUCK = query(_HERE, "read_stuck", Stuck)
LIMIT_LOCK_WAIT = query(_HERE, "limit_lock_wait", SettingPinned)
READ_OWN_LOCKS = query(_HERE, "read_own_locks", HeldLock)
