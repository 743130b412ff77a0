"""The parts of a backup on their way from the vault into a database: opened, judged, and run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO

from pgtend.backup.catalogue import CatalogueEntry
from pgtend.backup.record import Part, Role
from pgtend.backup.rowfile import RowFile
from pgtend.backup.script import Script
from pgtend.fleet.model import Limits
from pgtend.postgres.address import Address
from pgtend.postgres.command import Command, client
from pgtend.postgres.encodings import as_argument, decoded
from pgtend.postgres.process import Source, feeding, run
from pgtend.postgres.session import Session, open_session
from pgtend.postgres.tools import ClientTools
from pgtend.restore.attendance import attended
from pgtend.restore.errors import KeyNeeded
from pgtend.restore.hands import by_many_hands
from pgtend.restore.model import Load, Owners
from pgtend.restore.rows import fill_tables
from pgtend.restore.statistics import READ_ANALYZABLE, analyze_tables, bundled
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.model import Readable, Vault
from pgtend.vault.parts import MIB
from pgtend.vault.sealing import unseal

SILENCE = timedelta(minutes=30)
LONGEST = timedelta(hours=24)
APPLICATION = "pgtend:restore"
_LIMITS = Limits(statement_timeout=LONGEST, lock_timeout=timedelta(seconds=30))
_SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "default_transaction_read_only": "off",
    # As pg_restore has it: rows of any kind may be written, and parts of documents are documents too.
    "row_security": "off",
    "xmloption": "content",
    # The rename at the end is a commit that waits for the disk, and everything before it gets there with it.
    "synchronous_commit": "off",
    "client_connection_check_interval": "2000",
}


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that can be read: where it lies, what it says of itself, and the keys that open it."""

    vault: Vault
    entry: CatalogueEntry
    keys: PrivateKeys | None = None

    def __post_init__(self) -> None:
        encryption = self.entry.manifest.encryption
        if encryption.is_sealed and self.keys is None:
            names = ", ".join(f"{one.name} ({one.public_key})" for one in encryption.recipients)
            raise KeyNeeded(
                f"backup {self.entry.backup_id} is sealed, and no private key was named",
                detail=f"It is sealed for {names}.",
                hint="Name the file with one of their private keys: --key FILE.",
            )

    @contextmanager
    def opened(self, part: Part) -> Generator[Readable]:
        """Read a part as it was before it was stored. It raises, instead of ending, when it is not what was stored."""
        manifest = self.entry.manifest
        keys = self.keys if manifest.encryption.is_sealed else None
        with unseal(self.vault, manifest.key_of(part), keys, sha256=part.stored_sha256) as plain:
            yield plain

    def content(self, role: Role) -> bytes:
        """Read the small part of a role whole; nothing when the backup has none."""
        content = b""
        for part in self.entry.manifest.parts_of(role):
            with self.opened(part) as plain:
                content += b"".join(iter(lambda stream=plain: stream.read(MIB), b""))
        return content

    @contextmanager
    def spooled(self, *roles: Role) -> Generator[tuple[Spool, ...]]:
        """Keep the parts of each role in a file without a name, which holds no rows and is gone with us.

        pg_restore needs to jump about in an archive to build indexes in parallel and to tell what is in it. From a
        file that has a name only through our process nothing stays behind, even after a kill.
        """
        with ExitStack() as life:
            encoding = self.entry.manifest.source.encoding
            spools = tuple(Spool(life.enter_context(tempfile.TemporaryFile()), encoding) for _ in roles)
            with ThreadPoolExecutor(max_workers=len(roles), thread_name_prefix="fetch") as crew:
                for _ in crew.map(self._fetch, roles, spools):
                    pass
            yield spools

    def _fetch(self, role: Role, spool: Spool) -> None:
        for part in self.entry.manifest.parts_of(role):
            with self.opened(part) as plain:
                for chunk in iter(lambda stream=plain: stream.read(MIB), b""):
                    spool.file.write(chunk)
        spool.file.flush()


@dataclass(frozen=True, slots=True)
class Spool:
    """An archive in a file that only our process can name."""

    file: IO[bytes]
    encoding: str = "UTF8"
    """Of the database that it was made of."""

    @property
    def path(self) -> str:
        """The way to it for a program that we start."""
        return f"/proc/{os.getpid()}/fd/{self.file.fileno()}"

    @property
    def text(self) -> str:
        """What is in it, where that is words."""
        self.file.seek(0)
        return decoded(self.file.read(), self.encoding)


@dataclass(frozen=True, slots=True)
class Restorer:
    """pg_restore of the right version, pointed at one database."""

    tools: ClientTools
    address: Address
    owners: Owners
    without_tablespaces: bool = False
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of its sessions, on top of our own."""

    @contextmanager
    def session(self) -> Generator[Session]:
        """Open a session of our own, with what pg_restore is told too."""
        with open_session(self._entrance, _LIMITS, application=APPLICATION) as session:
            yield session

    def load(self, backup: Backup, load: Load) -> None:
        """Stream the rows of one part into their tables."""
        encoding = backup.entry.manifest.source.encoding
        with backup.opened(load.part) as stream:
            if backup.entry.manifest.is_ours(load.part):
                self._fill(stream, load, encoding)
            else:
                named = (("schema", load.schema), *(("table", name) for name in load.tables)) if load.schema else ()
                self.pour(stream, *(f"--{what}={as_argument(name, encoding)}" for what, name in named))

    def _fill(self, stream: Readable, load: Load, encoding: str) -> None:
        """Fill tables through a session of our own, which may do more for them than pg_restore does."""
        with (
            self.session() as session,
            attended(stream, session, SILENCE) as watched,
            session.transaction(),
        ):
            rows = Script(watched) if load.part.is_script else RowFile(watched)
            fill_tables(session, rows, {(load.schema, name) for name in load.tables}, encoding=encoding)

    def pour(self, stream: Source, *only: str) -> None:
        """Stream rows into their tables, all of them or those that are named.

        One transaction a part: an index or a constraint never sees half of it, and the server syncs once.
        """
        command = self._command("--exit-on-error", "--section=data", "--single-transaction", *only)
        feeding(command, stream, silence=SILENCE)

    def replay(
        self, spool: Spool, section: str, *, jobs: int = 1, listed: Spool | None = None, goes_on: bool = False
    ) -> None:
        """Run what an archive says about one section, several indexes at a time where that is possible.

        One that goes on tries everything else after a failure, and fails at the end.
        """
        ending = () if goes_on else ("--exit-on-error",)
        parallel = (f"--jobs={jobs}",) if jobs > 1 else ()
        chosen = (f"--use-list={listed.path}",) if listed else ()
        run(self._command(*ending, f"--section={section}", *parallel, *chosen, spool.path), within=LONGEST)

    def script(self, spool: Spool, *options: str) -> str:
        """Write out in SQL what an archive would do."""
        command = Command(argv=(self.tools.path("pg_restore"), "--file=-", *options, *self._choices(), spool.path))
        return decoded(run(command, within=LONGEST), spool.encoding)

    def contents(self, spool: Spool, *options: str) -> list[str]:
        """List the entries of an archive as pg_restore does."""
        listing = run(Command(argv=(self.tools.path("pg_restore"), "--list", *options, spool.path)), within=LONGEST)
        return [line for line in decoded(listing, spool.encoding).split("\n") if line and not line.startswith(";")]

    def analyze(self, jobs: int) -> None:
        """Give the planner statistics, several tables at a time."""
        with self.session() as session:
            pieces = bundled(session.rows(READ_ANALYZABLE))
            by_many_hands(pieces, self.session, analyze_tables, jobs=jobs)

    def _command(self, *arguments: str) -> Command:
        fixed = ("--no-password", *self._choices())
        return client(self.tools, "pg_restore", self._entrance, *fixed, *arguments)

    def _choices(self) -> tuple[str, ...]:
        owners = ("--no-owner", "--no-acl") if self.owners is Owners.IGNORE else ()
        return (*owners, "--no-tablespaces") if self.without_tablespaces else owners

    @property
    def _entrance(self) -> Address:
        ours = " ".join(f"-c {name}={value}" for name, value in {**_SETTINGS, **self.settings}.items())
        options = f"{self.address.params.get('options', '')} {ours}".strip()
        return self.address.to(options=options, application_name=APPLICATION)
