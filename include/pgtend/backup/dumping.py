"""One pg_dump on its way into the vault: from its output through zstd and age, with no file in between."""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from pgtend.backup.crew import Crew
from pgtend.backup.model import Shard
from pgtend.backup.record import Part, Role, TableName
from pgtend.fleet.model import Limits
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.address import Address
from pgtend.postgres.command import Command, client
from pgtend.postgres.process import CheckedPipe, reading
from pgtend.postgres.tools import ClientTools
from pgtend.vault.agekeys import PublicKey
from pgtend.vault.model import Vault
from pgtend.vault.sealing import Sealed, seal

_ENDINGS = {"custom": "dump", "plain": "sql"}


@dataclass(frozen=True, slots=True)
class OpenDump:
    """A dump that runs: it holds its locks, and waits with its rows until somebody reads them."""

    shard: Shard
    pipe: CheckedPipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Everything that the dumps of one backup have in common."""

    folder: str
    vault: Vault
    recipients: tuple[PublicKey, ...]
    tools: ClientTools
    address: Address
    limits: Limits
    silence: timedelta
    snapshot: str

    @property
    def application(self) -> str:
        """The name under which the server shows the dumps."""
        return self.address.params.get("application_name", "")

    @contextmanager
    def started(self, shard: Shard) -> Generator[OpenDump]:
        """Start the dump of one shard, to be read later."""
        with reading(self._pg_dump(shard), silence=self.silence) as pipe:
            yield OpenDump(shard, pipe)

    def store(self, dump: OpenDump, crew: Crew) -> Part:
        """Read a dump to its end, store it, and say what was stored."""
        shard = dump.shard
        tables = tuple(TableName(schema=one.schema, name=one.name) for one in shard.tables)
        with closing(dump.pipe):
            return self._sealed(dump.pipe, f"{shard.name}.{_ENDINGS[_form(shard)]}", shard.role, crew, tables)

    def dump_globals(self, crew: Crew) -> Part:
        """Store roles and tablespaces, without passwords: those are no business of a backup."""
        command = client(
            self.tools,
            "pg_dumpall",
            self.address,
            f"--database={self.address.database}",
            "--globals-only",
            "--no-role-passwords",
            "--no-password",
            f"--lock-wait-timeout={self._lock_patience}",
        )
        with reading(command, silence=self.silence) as pipe:
            return self._sealed(pipe, "globals.sql", Role.GLOBALS, crew)

    def keep(self, name: str, role: Role, content: bytes) -> Part:
        """Store something that is in memory."""
        file = f"{name}{self._suffix}"
        return _part(file, role, (), seal(self.vault, f"{self.folder}{file}", io.BytesIO(content), self.recipients))

    def _sealed(self, pipe: CheckedPipe, name: str, role: Role, crew: Crew, tables: tuple[TableName, ...] = ()) -> Part:
        file = f"{name}{self._suffix}"
        with crew.stoppable(pipe.stop):
            sealed = seal(self.vault, f"{self.folder}{file}", pipe, self.recipients)
        return _part(file, role, tables, sealed)

    def _pg_dump(self, shard: Shard) -> Command:
        return client(
            self.tools,
            "pg_dump",
            self.address,
            f"--format={_form(shard)}",
            "--compress=0",
            f"--section={shard.section}",
            f"--snapshot={self.snapshot}",
            f"--lock-wait-timeout={self._lock_patience}",
            "--no-password",
            *(f"--table={pattern(one.schema, one.name)}" for one in shard.tables),
            *(f"--exclude-table={pattern(one.schema, one.name)}" for one in shard.without),
        )

    @property
    def _suffix(self) -> str:
        return ".zst.age" if self.recipients else ".zst"

    @property
    def _lock_patience(self) -> int:
        return max(1, round(self.limits.lock_timeout.total_seconds() * 1000))


def _form(shard: Shard) -> str:
    """Write rows as the text that a session is given, and all else as archives, which can be restored in part."""
    return "plain" if shard.role is Role.TABLE else "custom"


def pattern(schema: str, name: str) -> str:
    """Write a table's name as a pattern that fits it alone: in quotes nothing has a special meaning."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))


def _part(file: str, role: Role, tables: tuple[TableName, ...], sealed: Sealed) -> Part:
    return Part(
        name=file,
        role=role,
        tables=tables,
        plain_sha256=sealed.plain_sha256,
        plain_size=sealed.plain_size,
        stored_sha256=sealed.stored.sha256 or "",
        stored_size=Bytes(sealed.stored.size),
        compression="zstd",
        read_back=False,
    )
