"""Brings a backup into the empty copy: as a role without rights wherever rows are touched, as superuser after that."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

from pgtend.backup.manifest import Manifest
from pgtend.drill.provision import RESTORER, RUN_AS_WRITTEN, Copy
from pgtend.drill.toc import KEYS, By, Entry, entries, last_ones, names_of, ownerships, privileged_entries, segments
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.identifiers import database, relation, text, written
from pgtend.postgres.process import Source
from pgtend.restore.archive import Restorer, Spool
from pgtend.restore.model import Load, Owners
from pgtend.restore.properties import Property, apply, apply_over_values, properties_of
from pgtend.restore.selection import script_of_database
from pgtend.sqlfiles import Query, command, query

_ROOM = __package__ or ""
_BROKEN_RULES = re.compile(
    r"could not create (?:unique index|exclusion constraint)|violates foreign key constraint|is violated by some row"
    r"|contains null values|contains values that|duplicate key value",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The indexes and constraints that a database has."""

    indexes: list[str]
    constraints: list[str]
    invalid: list[str]


@dataclass(frozen=True, slots=True)
class ExtensionTable:
    """A table that belongs to an extension."""

    schema: str
    name: str


READ_KEYS = query(_ROOM, "read_keys", Keys)
READ_EXTENSION_TABLES = query(_ROOM, "read_extension_tables", ExtensionTable)
CREATE_EXTENSION = command(_ROOM, "create_extension")
OPEN_EXTENSION_TABLES = command(_ROOM, "open_extension_tables")
CLOSE_EXTENSION_TABLES = command(_ROOM, "close_extension_tables")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of building indexes and keys on the restored rows."""

    wanted: int
    missing: tuple[str, ...]
    """Of indexes and constraints that could not be built."""
    failure: PgtendError | None = None

    @property
    def breaks_rules(self) -> bool:
        """Whether rows stood in the way, and not anything else."""
        return self.failure is not None and bool(_BROKEN_RULES.search(self.failure.detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class Archives:
    """The two small archives of a backup, and what is in them."""

    before: Spool
    after: Spool
    first: tuple[Entry, ...]
    last: tuple[Entry, ...]
    privileged: frozenset[str]
    ownership: tuple[str, ...]
    own_properties: str
    """What pg_restore would run to make the database itself."""

    @classmethod
    def read(cls, copy: Copy, before: Spool, after: Spool) -> Archives:
        """Look into both."""
        plain = Restorer(copy.tools, copy.superuser, Owners.KEEP, without_tablespaces=True)
        scripts = plain.script(before), plain.script(after)
        return cls(
            before=before,
            after=after,
            first=entries(plain.contents(before)),
            last=entries(plain.contents(after)),
            privileged=privileged_entries(scripts[0]),
            ownership=(*ownerships(scripts[0]), *ownerships(scripts[1])),
            own_properties=script_of_database(plain, before),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Fills one copy."""

    copy: Copy
    manifest: Manifest
    archives: Archives
    jobs: int

    def make_schema(self) -> None:
        """Make everything that must be there before rows are."""
        with self.copy.session() as session:
            apply_over_values(session, self._properties)
        for by, run in segments(self.archives.first, self.archives.privileged):
            if by is By.SUPERUSER:
                self._install([entry for entry in run if entry.kind == "EXTENSION"])
            with listed(run) as chosen:
                self._as(by).replay(self.archives.before, "pre-data", listed=chosen)
        self._each_extension_table(OPEN_EXTENSION_TABLES)

    def load(self, loads: Sequence[Load], bring: Callable[[Restorer, Load], None]) -> None:
        """Load several parts at a time; after the first failure no further one begins."""
        restorer = self._as(By.RESTORER)
        with ThreadPoolExecutor(max_workers=self.jobs, thread_name_prefix="drill") as crew:
            working = [crew.submit(bring, restorer, load) for load in loads]
            done, waiting = wait(working, return_when=FIRST_EXCEPTION)
            for future in waiting:
                future.cancel()
            for future in done:
                future.result()
        self._each_extension_table(CLOSE_EXTENSION_TABLES)

    def pour(self, stream: Source) -> None:
        """Load all rows from one stream."""
        self._as(By.RESTORER).pour(stream)
        self._each_extension_table(CLOSE_EXTENSION_TABLES)

    def build_keys(self) -> Rebuilt:
        """Build indexes and constraints on the rows, and go on after one that cannot be: all are to be named."""
        failure: PgtendError | None = None
        for by, run in segments(self.archives.last, self.archives.privileged):
            with listed(run) as chosen:
                try:
                    self._as(by).replay(
                        self.archives.after, "post-data", jobs=self._index_jobs, listed=chosen, goes_on=True
                    )
                except PgtendError as error:
                    failure = failure or error
        wanted = self._wanted_keys()
        with self.copy.session() as session:
            found = session.row(READ_KEYS)
        missing = wanted - set(found.indexes) - set(found.constraints)
        return Rebuilt(len(wanted), tuple(sorted(missing)), failure)

    def finish(self) -> None:
        """Give everything to its owner, grant rights, and make what only a superuser may: event triggers last."""
        superuser = self._as(By.SUPERUSER, Owners.KEEP)
        with self.copy.session() as session:
            for statement in self.archives.ownership:
                session.run(RUN_AS_WRITTEN, written=written(statement))
            apply(session, self._properties)
        for section, spool, listing in (
            ("pre-data", self.archives.before, self.archives.first),
            ("post-data", self.archives.after, self.archives.last),
        ):
            late = last_ones(listing, self.archives.privileged)
            if late:
                with listed(late) as chosen:
                    superuser.replay(spool, section, listed=chosen)

    def analyze(self) -> None:
        """Give the planner statistics."""
        self._as(By.SUPERUSER).analyze(self.jobs)

    def _as(self, by: By, owners: Owners = Owners.IGNORE) -> Restorer:
        address = self.copy.restorer if by is By.RESTORER else self.copy.superuser
        return Restorer(self.copy.tools, address, owners, without_tablespaces=True)

    @property
    def _properties(self) -> tuple[Property, ...]:
        return properties_of(self.archives.own_properties, self.copy.name)

    @property
    def _index_jobs(self) -> int:
        """Tell how many indexes may be built at once: indexes of partitions must not be attached side by side."""
        has_partitions = any(one.kind == "partitioned table" and one.count for one in self.manifest.inventory)
        return 1 if has_partitions else self.jobs

    def _install(self, wanted: Iterable[Entry]) -> None:
        """Install extensions in the version that was backed up; pg_restore would take the newest."""
        names = {entry.rest.split()[1] for entry in wanted}
        with self.copy.session() as session:
            for one in self.manifest.extensions:
                if one.name in names:
                    session.run(
                        CREATE_EXTENSION,
                        extension=database(one.name),
                        schema=database(one.schema_name),
                        version=text(one.version),
                    )

    def _each_extension_table(self, statement: Query[None]) -> None:
        with self.copy.session() as session:
            for table in session.rows(READ_EXTENSION_TABLES):
                session.run(statement, table=relation(table.schema, table.name), role=database(RESTORER))

    def _wanted_keys(self) -> frozenset[str]:
        return names_of(self.archives.last, *KEYS)


@contextmanager
def listed(chosen: Iterable[Entry]) -> Generator[Spool]:
    """Write down which entries of an archive are to be run, for pg_restore to follow."""
    with tempfile.TemporaryFile() as file:
        file.write("".join(f"{entry.line}\n" for entry in chosen).encode(errors="surrogateescape"))
        file.flush()
        yield Spool(file)
