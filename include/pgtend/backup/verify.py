"""Verifies a backup from the stored bytes alone: with a private key to the last row, without one as far as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pgtend.backup.errors import BackupBroken, UnreadableManifest
from pgtend.backup.manifest import Manifest, parse_fingerprints
from pgtend.backup.record import Part, Role, Table, TableKind
from pgtend.backup.rowcount import RowCount
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted as say_amount
from pgtend.kernel.progress import Progress
from pgtend.postgres.command import Command
from pgtend.postgres.process import ToolFailed, ToolKilled, filtering
from pgtend.postgres.tools import ClientTools
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.errors import ObjectDamaged, ObjectMissing
from pgtend.vault.model import Readable, Vault
from pgtend.vault.parts import MIB
from pgtend.vault.sealing import unseal

PIPELINE = "verify"
_DUMPS = (Role.PRE_DATA, Role.TABLE, Role.REST, Role.POST_DATA)
_DATA = (Role.TABLE, Role.REST)
_SILENCE = timedelta(minutes=5)
_AGE = b"age-encryption.org/v1\n-> X25519 "
_GLOBALS_END = b"-- PostgreSQL database cluster dump complete"
_SCRIPT_END = b"-- PostgreSQL database dump complete"
_LAST_WORDS = 400


class Depth(StrEnum):
    """How far a backup was looked into. Shown to people as written."""

    STORED = "every stored byte; without a private key nobody can say more"
    ROWS = "every stored byte, opened, and every row counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a backup."""

    part: str
    what: str

    def __str__(self) -> str:
        return f"{self.part}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying a backup showed."""

    manifest: Manifest
    depth: Depth
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def raise_if_broken(self) -> None:
        """Page someone when a backup is not what was stored."""
        if self.faults:
            raise BackupBroken(
                f"backup {self.manifest.backup_id} of {self.manifest.database} is damaged",
                detail="\n".join(["", *(f"  - {fault}" for fault in self.faults)]),
                hint="Take another backup now, restore from another copy, and see docs/runbooks/backup-damaged.md.",
            )


def verify_backup(vault: Vault, manifest: Manifest, keys: PrivateKeys | None, progress: Progress) -> Verdict:
    """Read every object to its last byte and hold it against the manifest, and say everything that is wrong."""
    opens = keys is not None or not manifest.encryption.is_sealed
    faults: list[Fault] = []
    counted = RowCount(manifest.source.encoding)
    for part in manifest.parts:
        try:
            if opens:
                _look_inside(vault, manifest, part, keys, counted)
            else:
                _look_at(vault, manifest, part)
        except ToolKilled:
            raise
        except (ObjectDamaged, ObjectMissing, ToolFailed, UnreadableManifest, _Different) as error:
            faults.append(Fault(part=part.name, what=_say(error)))
        progress(
            f"{manifest.database}: {part.name}: {'damaged' if faults and faults[-1].part == part.name else 'sound'}"
        )
    if opens and not faults:
        faults.extend(_missing_rows(manifest, counted))
    return Verdict(manifest=manifest, depth=Depth.ROWS if opens else Depth.STORED, faults=tuple(faults))


class _Different(Exception):
    """A part is whole and yet not the one that the manifest speaks of."""


def _say(error: Exception) -> str:
    return f"{error.message}. {error.detail}".strip() if isinstance(error, PgtendError) else str(error)


def _look_at(vault: Vault, manifest: Manifest, part: Part) -> None:
    """Judge the stored bytes without opening them."""
    with vault.open(manifest.key_of(part), sha256=part.stored_sha256) as stream:
        head, size = b"", 0
        while chunk := stream.read(MIB):
            head, size = head or chunk[: len(_AGE)], size + len(chunk)
    _agree("size", size, part.stored_size)
    if not head.startswith(_AGE):
        raise _Different("it does not begin as something sealed by age does")


def _look_inside(vault: Vault, manifest: Manifest, part: Part, keys: PrivateKeys | None, counted: RowCount) -> None:
    sealed = keys if manifest.encryption.is_sealed else None
    with unseal(vault, manifest.key_of(part), sealed, sha256=part.stored_sha256) as opened:
        plain = _Counted(opened)
        if part.role in _DUMPS:
            _read_dump(manifest, part, plain, counted)
        else:
            _read_text(manifest, part, plain)
    _agree("size of what was sealed", plain.size, part.plain_size)


def _read_text(manifest: Manifest, part: Part, plain: Readable) -> None:
    content = b"".join(iter(lambda: plain.read(MIB), b""))
    if part.role is Role.GLOBALS and _GLOBALS_END not in content[-200:]:
        raise _Different("it lacks the last line that pg_dumpall writes")
    if part.role is Role.FINGERPRINTS:
        found = {(one.schema_name, one.name) for one in parse_fingerprints(content, part.name)}
        lacking = [str(table) for table in manifest.tables if (table.schema_name, table.name) not in found]
        if lacking:
            raise _Different(f"no fingerprint of {say_amount(len(lacking), 'table')}, first {lacking[0]}")


def _read_dump(manifest: Manifest, part: Part, plain: Readable, counted: RowCount) -> None:
    """Read a dump to its end and count its rows, in what pg_restore makes of it; scripts there were in format 3."""
    own = RowCount(manifest.source.encoding) if part.role in _DATA else None
    if part.is_script:
        last_words = _read_sql(plain, own)
    else:
        tools = ClientTools.find(manifest.source.major)
        command = Command(argv=(tools.path("pg_restore"), "--file=-"))
        with filtering(command, plain, silence=_SILENCE) as sql:
            last_words = _read_sql(sql, own)
    if _SCRIPT_END not in last_words:
        raise _Different("it lacks the last line that pg_dump writes")
    if own:
        if not own.is_between_tables:
            raise _Different("the rows of its last table do not end")
        counted.rows.update(own.rows)


def _read_sql(sql: Readable, own: RowCount | None) -> bytes:
    """Read SQL to its end, counting rows where they are wanted, and give the last of it."""
    last_words = b""
    while chunk := sql.read(MIB // 4):
        last_words = (last_words + chunk[-_LAST_WORDS:])[-_LAST_WORDS:]
        if own:
            own.feed(chunk)
    return last_words


def _missing_rows(manifest: Manifest, counted: RowCount) -> Sequence[Fault]:
    """Hold the rows that were counted in the snapshot against the rows that are in the archives."""
    faults: list[Fault] = []
    dealt = _dealt_out(manifest, counted)
    for table in manifest.tables:
        rows = counted.rows.get((table.schema_name, table.name))
        if table in dealt:
            continue
        if rows is None:
            faults.append(Fault(part=table.part, what=f"it lacks the table {table}"))
        elif rows != table.rows and table.kind is not TableKind.EXTENSION:
            what = f"it holds {say_amount(rows, 'row')} of {table}, and the snapshot had {table.rows:,}"
            faults.append(Fault(part=table.part, what=what))
    return faults


def _dealt_out(manifest: Manifest, counted: RowCount) -> Sequence[Table]:
    """List the partitions whose rows pg_dump gave to the table above them, which deals them out: all are there."""
    named = {(table.schema_name, table.name) for table in manifest.tables}
    above = sum(rows for table, rows in counted.rows.items() if table not in named)
    without = [
        table
        for table in manifest.tables
        if table.kind is TableKind.PARTITION and (table.schema_name, table.name) not in counted.rows
    ]
    return without if above == sum(table.rows for table in without) and counted.rows.keys() - named else []


def _agree(what: str, found: object, promised: object) -> None:
    if found != promised:
        raise _Different(f"the {what} is {found}, and the manifest says {promised}")


class _Counted(Readable):
    """Counts plain bytes while they pass."""

    def __init__(self, raw: Readable) -> None:
        self._raw = raw
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._raw.read(size)
        self.size += len(chunk)
        return chunk
