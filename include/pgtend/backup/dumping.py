"""One pg_dump on its way into the vault: from its output through zstd and age, with no file in between."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from pgtend.backup.crew import Crew
from pgtend.backup.facts import Relation
from pgtend.backup.model import Shard, digest_of_name
from pgtend.backup.record import Part, Role, TableName
from pgtend.backup.rowfile import Origin, Table, tables_of
from pgtend.fleet.model import Limits
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.address import Address
from pgtend.postgres.command import Command, client
from pgtend.postgres.encodings import as_argument
from pgtend.postgres.process import CheckedPipe, ToolFailed, reading
from pgtend.postgres.tools import ClientTools
from pgtend.vault.agekeys import PublicKey
from pgtend.vault.model import Readable, Vault
from pgtend.vault.sealing import Sealed, seal

_BESIDE_EACH_OTHER = 2


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
    origin: Origin
    encoding: str
    """Of the database, as the server calls it."""

    @property
    def application(self) -> str:
        """The name under which the server shows the dumps."""
        return self.address.params.get("application_name", "")

    @contextmanager
    def started(self, shard: Shard) -> Generator[OpenDump]:
        """Start the dump of one shard, to be read later."""
        with reading(self._pg_dump(shard), silence=self.silence) as pipe:
            yield OpenDump(shard, pipe)

    def store(self, dump: OpenDump, crew: Crew, keep: Callable[[Part], None]) -> None:
        """Read a dump to its end, and tell each object as it is stored: one a table, or one of all there is."""
        with closing(dump.pipe), crew.stoppable(dump.pipe.stop):
            if dump.shard.tables:
                self._store_tables(dump, keep)
            else:
                keep(self.sealed(dump.pipe, f"{dump.shard.name}.dump", dump.shard.role))

    def _store_tables(self, dump: OpenDump, keep: Callable[[Part], None]) -> None:
        """Store one table after the other; while the end of one still goes into the vault, the next is read."""
        missing = {(one.schema, one.name) for one in dump.shard.tables}

        def work(table: Table, archive: Readable) -> None:
            name = f"{dump.shard.name}-{digest_of_name(*table)}.dump"
            keep(self.sealed(archive, name, Role.TABLE, (TableName(schema=table.schema, name=table.name),)))

        with ThreadPoolExecutor(max_workers=_BESIDE_EACH_OTHER, thread_name_prefix="store") as hands:
            storing: list[Future[None]] = []
            for table, archive in tables_of(dump.pipe, self.origin):
                storing.append(hands.submit(work, table, archive))
                archive.await_end_or(storing[-1])
                storing = [one for one in storing if not one.done() or one.result()]
                missing.discard(table)
            for one in storing:
                one.result()
        if missing:
            raise ToolFailed(
                f"pg_dump left out {'.'.join(min(missing))}, which it was asked for",
                hint="See docs/runbooks/tool-failed.md.",
            )

    def dump_globals(self, crew: Crew) -> Part:
        """Store roles and tablespaces, without passwords: those are no business of a backup."""
        command = client(
            self.tools,
            "pg_dumpall",
            self.address,
            # As a connection string: a name with an equals sign in it would be taken for one.
            f"--database={Address(params={'dbname': self.address.database}).conninfo}",
            "--globals-only",
            "--no-role-passwords",
            f"--encoding={self.encoding}",
            "--no-password",
            f"--lock-wait-timeout={self._lock_patience}",
        )
        with reading(command, silence=self.silence) as pipe, crew.stoppable(pipe.stop):
            return self.sealed(pipe, "globals.sql", Role.GLOBALS)

    def keep(self, name: str, role: Role, content: bytes) -> Part:
        """Store something that is in memory."""
        return self.sealed(io.BytesIO(content), name, role)

    def sealed(self, stream: Readable, name: str, role: Role, tables: tuple[TableName, ...] = ()) -> Part:
        """Store a stream."""
        file = f"{name}{self._suffix}"
        return _part(file, role, tables, seal(self.vault, f"{self.folder}{file}", stream, self.recipients))

    def _pg_dump(self, shard: Shard) -> Command:
        return client(
            self.tools,
            "pg_dump",
            self.address,
            # Of a few tables as text, which costs pg_dump less, and which we make archives of.
            f"--format={'plain' if shard.tables else 'custom'}",
            "--compress=0",
            f"--section={shard.section}",
            # Whatever the sessions of an application are set to speak.
            f"--encoding={self.encoding}",
            f"--snapshot={self.snapshot}",
            f"--lock-wait-timeout={self._lock_patience}",
            "--no-password",
            *(f"--table={self._argument(one)}" for one in shard.tables),
            # Without their rows, but with the numbers of their sequences.
            *(f"--exclude-table-data={self._argument(one)}" for one in shard.without),
        )

    def _argument(self, table: Relation) -> str:
        return as_argument(pattern(table.schema, table.name), self.encoding)

    @property
    def _suffix(self) -> str:
        return ".zst.age" if self.recipients else ".zst"

    @property
    def _lock_patience(self) -> int:
        return max(1, round(self.limits.lock_timeout.total_seconds() * 1000))


def pattern(schema: str, name: str) -> str:
    """Write a table's name as a pattern that fits it alone: in quotes nothing has a special meaning."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))


def _part(file: str, role: Role, tables: tuple[TableName, ...], sealed: Sealed) -> Part:
    return Part(
        name=file,
        role=role,
        tables=tables,
        plain_size=sealed.plain_size,
        stored_sha256=sealed.stored.sha256 or "",
        stored_size=Bytes(sealed.stored.size),
        compression="zstd",
        read_back=False,
    )
