"""What a server says about its indexes, row by row, before anything is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFacts:
    """One index as its server's catalogue and counters describe it."""

    oid: int
    table_oid: int
    schema: str
    name: str
    table_name: str
    kind: str
    definition: str
    size: int
    rows: int
    table_rows: int
    table_size: int
    scans: int
    entries_read: int
    is_valid: bool
    is_unique: bool
    is_primary: bool
    is_exclusion: bool
    is_replica_identity: bool
    is_partitioned: bool
    is_temporary: bool
    is_toast: bool
    is_scattered: bool
    may_rebuild: bool
    may_read: bool
    owner: str

    @property
    def full_name(self) -> str:
        """The index's name with its schema."""
        return f"{self.schema}.{self.name}"

    @property
    def full_table(self) -> str:
        """The table's name with its schema, as people write it in the fleet file."""
        return f"{self.schema}.{self.table_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """The server as a whole."""

    server_size: int
    folder: str
    freeze_age: int


@dataclass(frozen=True, slots=True)
class Moment:
    """When a server was asked, by its own clock."""

    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexLook:
    """A look at all indexes of a server, on its way into the ledger: column by column, so that it is one statement."""

    at: datetime
    database: str
    node: str
    system_identifier: str
    is_standby: bool
    server_started_at: datetime
    schemas: Sequence[str]
    tables: Sequence[str]
    names: Sequence[str]
    oids: Sequence[int]
    definitions: Sequence[str]
    sizes: Sequence[int]
    row_counts: Sequence[int]
    scan_counts: Sequence[int]
    entry_counts: Sequence[int]
    valid: Sequence[bool]


READ_MOMENT = query(__package__ or "", "read_moment", Moment)
READ_NODE = query(__package__ or "", "read_node", NodeFacts)
READ_INDEXES = query(__package__ or "", "read_indexes", IndexFacts)
NOTE_INDEXES = command(__package__ or "", "note_indexes")
RECORD_INDEX_REBUILD = command(__package__ or "", "record_index_rebuild")
RECORD_INDEX_CHECK = command(__package__ or "", "record_index_check")
