"""What to restore, and what came of it: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from pgtend.backup.manifest import Manifest
from pgtend.backup.record import Part, Role, Table, TableName
from pgtend.kernel.names import counted, suggestion
from pgtend.kernel.times import say_span
from pgtend.postgres.address import Address
from pgtend.restore.errors import BadName, NothingChosen

LONGEST_NAME = 63
UNFINISHED = "pgtend_restoring_"


class Owners(StrEnum):
    """What to do about the roles that objects belong to and that have rights on them."""

    KEEP = "keep"
    """They must exist on the server; what is missing is listed before anything begins."""
    CREATE = "create"
    """Those that are missing are made, without a login and without a password."""
    IGNORE = "ignore"
    """Everything belongs to whoever restores, and no rights are granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What to restore, where, and under which name."""

    target: Address
    """A database of the server that exists already; it is only used to get in."""
    by: str
    """On whose behalf."""
    name: str
    """Of the database that comes into being; it must not exist."""
    tables: tuple[str, ...] = ()
    """Rows of these tables only, as schema.table with * for any text. Empty means all."""
    schema_only: bool = False
    owners: Owners = Owners.KEEP
    jobs: int = 2
    named_at: datetime | None = None
    """The moment that names made for this restore carry. Asked for again with the same one, it is not done twice."""

    @property
    def is_whole(self) -> bool:
        """Whether everything is restored, so that everything can be compared."""
        return not (self.tables or self.schema_only)

    def refuse_impossible(self) -> None:
        """Say what cannot be done anywhere, before anything is."""
        if not 0 < len(self.name.encode()) <= LONGEST_NAME or self.name.startswith(UNFINISHED):
            raise BadName(
                f"no database can be called '{self.name}'",
                detail=f"PostgreSQL keeps {LONGEST_NAME} bytes of a name; {UNFINISHED}... is what we call remains.",
                hint="Choose another name with --database, or leave it out.",
            )
        if self.tables and self.schema_only:
            raise NothingChosen(
                "rows of some tables were asked for, and no rows at all",
                hint="Leave --table out to get everything but the rows, or --schema-only to get the rows.",
            )


class Aspect(StrEnum):
    """What was compared."""

    ROWS = "rows"
    CONTENT = "content"
    SEQUENCES = "sequences"
    INVENTORY = "inventory"
    RIGHTS = "rights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was in the backup: counts and digests, never the content of a row."""

    aspect: Aspect
    what: str
    backup: str
    restored: str

    def __str__(self) -> str:
        return f"{self.what}: {self.backup} in the backup, {self.restored} restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What came of a restore."""

    backup_id: str
    taken_at: datetime
    database: str
    place: str
    tables: int
    rows: int
    compared: tuple[str, ...]
    """What was compared, in words."""
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]
    stages: tuple[tuple[str, timedelta], ...]

    @property
    def is_identical(self) -> bool:
        """Whether nothing that was compared differs."""
        return not self.differences

    @property
    def took(self) -> timedelta:
        """How long all stages took."""
        return sum((span for _, span in self.stages), timedelta())

    def __str__(self) -> str:
        verdict = (
            f"identical in {', '.join(self.compared)}"
            if self.is_identical
            else f"different in {len(self.differences)} places: {'; '.join(map(str, self.differences[:10]))}"
        )
        return (
            f"{self.place} holds backup {self.backup_id} of {self.taken_at:%Y-%m-%d %H:%M:%S} UTC: "
            f"{counted(self.tables, 'table')}, {counted(self.rows, 'row')}, {verdict}; it took {say_span(self.took)}"
        )


def new_name(database: str, now: datetime, word: str = "restore") -> str:
    """Name a database beside the original: kgc_restore_20261121_134500, cut to what PostgreSQL keeps of a name."""
    ending = f"_{word}_{now:%Y%m%d_%H%M%S}"
    room = LONGEST_NAME - len(ending)
    return f"{database.encode()[:room].decode(errors='ignore')}{ending}"


def chosen_tables(manifest: Manifest, patterns: Sequence[str]) -> tuple[Table, ...]:
    """Find the tables that patterns name; a pattern that names none is a mistake that is said."""
    if not patterns:
        return manifest.tables
    names = [str(table) for table in manifest.tables]
    for pattern in patterns:
        if not any(_is_called(name, pattern) for name in names):
            raise NothingChosen(
                f"no table of the backup is called '{pattern}'",
                detail="Rows lie in tables and partitions; a partitioned table has none of its own.",
                hint=f"{suggestion(pattern, names)} Use * for any text: public.events_*",
            )
    return tuple(table for table in manifest.tables if any(_is_called(str(table), it) for it in patterns))


def _is_called(name: str, pattern: str) -> bool:
    """Compare with the very name first: brackets and question marks may be part of it."""
    return name == pattern or fnmatchcase(name, pattern)


@dataclass(frozen=True, slots=True)
class Load:
    """One part whose rows are loaded, all of them or those of some tables in one schema."""

    part: Part
    schema: str = ""
    tables: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Schema and name of each table, as far as they are known: a part with all that is left names none."""
        if self.tables:
            return tuple((self.schema, name) for name in self.tables)
        return tuple((one.schema_name, one.name) for one in self.part.tables)


def plan_loads(manifest: Manifest, order: RestoreOrder) -> tuple[Load, ...]:
    """Decide which parts are streamed, largest first so that the last one to finish is a small one.

    pg_restore picks tables by schema and name separately, so tables of several schemas take one pass for each.
    """
    if order.schema_only:
        return ()
    parts = sorted(manifest.parts_of(Role.TABLE, Role.REST), key=lambda part: part.plain_size, reverse=True)
    if not order.tables:
        return tuple(Load(part) for part in parts)
    wanted = chosen_tables(manifest, order.tables)
    loads: list[Load] = []
    for part in parts:
        inside = [table for table in wanted if table.part == part.name]
        for schema in sorted({table.schema_name for table in inside}):
            names = tuple(table.name for table in inside if table.schema_name == schema)
            loads.append(Load(part, schema, names))
    return tuple(loads)


def restored_tables(manifest: Manifest, order: RestoreOrder) -> tuple[Table, ...]:
    """List the tables whose rows are restored."""
    return () if order.schema_only else chosen_tables(manifest, order.tables)


def is_among(name: TableName, tables: Sequence[Table]) -> bool:
    """Tell whether a table is one of these."""
    return any((it.schema_name, it.name) == (name.schema_name, name.name) for it in tables)
