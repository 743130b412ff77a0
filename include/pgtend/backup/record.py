"""What a manifest is made of: facts about one backup, frozen, and readable by people as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """One fact of a manifest. Frozen, and strict about names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class State(StrEnum):
    """How far a backup was checked when its manifest was written. Shown to people as written."""

    STORED = "STORED"
    """Every object was confirmed by the vault, and some of them were read back."""
    VERIFIED = "VERIFIED"
    """Every object was read back to its last byte and was the one that was sent."""


class Role(StrEnum):
    """What a part holds; the order here is the order of a restore."""

    GLOBALS = "globals"
    """SQL text: roles without passwords, and tablespaces."""
    PRE_DATA = "pre-data"
    """pg_dump archive: everything that must exist before rows do, and the database's own settings."""
    TABLE = "table"
    """SQL text: the rows of one large table, or of some. In formats 1 and 2 a pg_dump archive (`.dump`)."""
    REST = "rest"
    """pg_dump archive: the rows of all other tables, sequences and large objects."""
    POST_DATA = "post-data"
    """pg_dump archive: indexes, constraints, triggers, and whatever else comes after the rows."""
    FINGERPRINTS = "fingerprints"
    """JSON: one `Fingerprint` for each table. Sealed like rows, because the hash of a tiny table can be guessed."""


class TableKind(StrEnum):
    """What holds the rows."""

    TABLE = "table"
    PARTITION = "partition"
    EXTENSION = "extension's own table"
    """Its extension decides which of its rows are dumped, so its rows are not counted."""


class Coverage(StrEnum):
    """How much of a table its fingerprint covers. Shown to people as written."""

    FULL = "every row"
    SAMPLE = "a sample of rows, chosen by their primary key"
    ROWS = "the number of rows only"
    NONE = "nothing: an extension decides which of the rows are dumped"


HASHED = frozenset({Coverage.FULL, Coverage.SAMPLE})
"""What tells more of a table than how many rows it has."""


class TableName(Record):
    """A table's name as the catalogue has it, not quoted."""

    schema_name: str = Field(alias="schema")
    name: str

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    def __str__(self) -> str:
        return f"{self.schema_name}.{self.name}"


class Table(TableName):
    """One table of the snapshot. Partitioned tables hold no rows of their own and are not here; their leaves are."""

    kind: TableKind
    rows: int
    size: int
    """Bytes on the server's disk, without indexes, at the time of the snapshot."""
    part: str
    """Name of the part that holds its rows."""
    coverage: Coverage
    one_in: int = 1
    """Of a sample: one key of so many was taken."""


class Fingerprint(TableName):
    """What a table held, as a number that does not depend on the order of its rows."""

    digest: str
    """The sum of the hashes of the covered rows; empty where only rows were counted."""
    one_in: int = 1
    key: tuple[str, ...] = ()
    """Of a sample: the columns whose hash decides which rows belong to it."""

    # Fingerprints of formats 1 and 2 say how they were made, which the manifest does now.
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)


class Sequence(TableName):
    """A sequence. It is in no snapshot: after a restore it is at this value or later, never before."""

    last_value: int | None
    """None when it was never used."""
    increment: int


class Inventory(Record):
    """All objects of one kind: how many, and one digest of what they are."""

    kind: str
    count: int
    sha256: str


class Extension(Record):
    """An extension that must be installed where this is restored."""

    name: str
    version: str
    schema_name: str = Field(alias="schema")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Source(Record):
    """The server and the database this was taken from."""

    database: str
    owner: str
    version: int
    version_text: str
    system_identifier: str
    is_standby: bool
    encoding: str
    collation: str
    ctype: str
    locale_provider: str
    """`libc`, `icu` or `builtin`."""
    locale: str
    """Of ICU or the built-in provider; empty for libc."""
    collation_version: str
    size: int
    settings: tuple[str, ...]
    """The database's own settings, as `name=value`, without those that could hold a secret."""

    @property
    def major(self) -> int:
        """The major version: 15 of 150018."""
        return self.version // 10000


class Snapshot(Record):
    """The moment that every part shows."""

    taken_at: datetime
    lsn: str
    """Position in the write-ahead log: on a standby the last one replayed."""
    timeline: int
    name: str
    """The name under which the readers shared it."""
    locked: int
    """How many tables were locked, in ACCESS SHARE, before it was taken."""


class Part(Record):
    """One object of the backup."""

    name: str
    """Of the object, inside the backup's folder."""
    role: Role
    tables: tuple[TableName, ...] = ()
    """Whose rows it holds; of tables without a part of their own only the manifest's `tables` tell."""
    plain_size: int
    stored_sha256: str
    stored_size: int
    compression: str
    """`zstd`."""
    read_back: bool
    """Whether its stored bytes were read back to the last one before the manifest was written."""

    # Up to format 3 there was a digest of the plain bytes beside the one of the stored bytes, which decides over both.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @property
    def is_script(self) -> bool:
        """Whether it holds SQL text, as rows of large tables did in format 3."""
        return ".sql" in self.name


class Recipient(Record):
    """Whoever can open the parts."""

    name: str
    public_key: str


class Encryption(Record):
    """How the parts are sealed: `age` for these recipients, or `none`."""

    method: str
    recipients: tuple[Recipient, ...] = ()

    @property
    def is_sealed(self) -> bool:
        """Whether a private key is needed to read the parts."""
        return self.method != "none"


class Tools(Record):
    """What wrote the parts."""

    pgtend: str
    pg_dump: str
    zstd: str
    pyrage: str


class Timing(Record):
    """What the backup cost the source, in seconds."""

    total: float
    snapshot_held: float
    """From the first lock to the end of the last reader: how long vacuum and strong locks were held up."""


PINNED_SETTINGS: dict[str, str] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmloption": "content",
    "row_security": "off",
    "search_path": "pg_catalog",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
}
"""What a session must be set to before fingerprints are computed: rows and definitions are hashed as text, and these
decide it."""
