"""What must be right before a backup begins: everything that is wrong is said at once, each with what would cure it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pgtend.backup.advisories import Version
from pgtend.backup.errors import NotReady
from pgtend.backup.facts import Outside, Relation, SourceReading
from pgtend.fleet.model import Fleet
from pgtend.kernel.errors import Problem
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.vault.agekeys import PublicKey

_SHOWN = 20
_ADVISED = 2
_NOTHING = Bytes(0)
_GROWTH = 1.1
"""A backup may take so many times as much as the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """All that is known before anything is dumped."""

    source: SourceReading
    outside: Outside
    relations: Sequence[Relation]
    client: Version
    recipients: Sequence[PublicKey]
    unencrypted: bool
    room: Bytes | None = None
    """What is left in the vault, where that can be known."""
    last_size: Bytes = _NOTHING
    """What the newest backup takes there."""

    HINT: ClassVar[str] = "Each problem names its cure; statements are for a superuser. Then try again: pgtend backup."

    def raise_if_not_ready(self) -> None:
        """Refuse to begin when anything is wrong, and say all of it."""
        NotReady.raise_if_any(f"{self.source.database} cannot be backed up yet", tuple(self.problems()), hint=self.HINT)

    def problems(self) -> Iterator[Problem]:
        """List what stands in the way."""
        yield from self._versions()
        yield from self._keys()
        yield from self._room()
        yield from self._role_names()
        yield from self._schemas()
        yield from self._relations(
            "table", [one for one in self.relations if one.kind in {"table", "partitioned table"}]
        )
        yield from self._relations("sequence", [one for one in self.relations if one.kind == "sequence"])
        yield from self._filters()
        yield from self._large_objects()

    def remarks(self) -> Iterator[str]:
        """List what a person should know before relying on this backup."""
        if self.unencrypted:
            yield "It is not encrypted: whoever can read the vault can read every row."
        elif len(self.recipients) < _ADVISED:
            yield "It is sealed for one recipient only: if that private key is lost, so is the backup."
        if self.client.is_before_sound_dumps:
            known = "; ".join(f"{one.what} ({one.name})" for one in self.client.advisories)
            yield f"pg_dump {self.client} has known defects that are repaired in {self.client.sound}: {known}."
        if self.source.encoding == "SQL_ASCII":
            yield "The database has no encoding (SQL_ASCII): restore it into one without, or invalid text gets in."
        if self.outside.subscriptions and not self.outside.is_superuser:
            yield f"{self.outside.subscriptions} subscriptions are not in it: only a superuser's dump holds them."
        if self.outside.user_mappings and not self.outside.is_superuser:
            yield "The options of user mappings, such as passwords, are not in it."
        foreign = sum(one.kind == "foreign table" for one in self.relations)
        if foreign:
            yield f"The rows of {counted(foreign, 'foreign table')} are not in it: they live on other servers."

    @property
    def server(self) -> Version:
        """The server's version."""
        return Version(self.source.version // 10000, self.source.version % 10000)

    def _versions(self) -> Iterator[Problem]:
        server = self.server
        if self.client.major < server.major:
            hint = f"apt install postgresql-client-{server.major}"
            yield Problem(f"pg_dump {self.client}", f"it is older than the server, PostgreSQL {server}", hint)
        if self.client.is_before_safe_restores:
            what = "what it writes may run commands where it is restored (CVE-2025-8714, CVE-2025-8715)"
            yield Problem(f"pg_dump {self.client}", what, f"upgrade the client tools to {self.client.sound}")
        if self.source.is_standby and server.is_before_sound_dumps:
            what = "sharing a snapshot on this standby may damage the dump and the standby"
            yield Problem(f"PostgreSQL {server}", what, f"upgrade to {server.sound}, or back up the primary")

    def _keys(self) -> Iterator[Problem]:
        if not self.recipients and not self.unencrypted:
            yield Problem(
                "keys.recipients",
                "nobody is named for whom backups are sealed",
                "make a pair with `pgtend keys new` and name its public key there, or say `unencrypted: true`",
            )

    def _room(self) -> Iterator[Problem]:
        if self.room is not None and self.room < self.last_size * _GROWTH:
            yield Problem(
                "vault",
                f"{self.room} are left, and the last backup took {self.last_size}",
                "free room where it lies, or name another vault; see docs/runbooks/vault-full.md",
            )

    def _role_names(self) -> Iterator[Problem]:
        for name in self.outside.role_names:
            seen = name.decode(errors="backslashreplace")
            if seen.encode() != name:
                what = "its name was given in a database of another encoding, and pg_dumpall stops at it"
                yield Problem(f"role {seen}", what, "ALTER ROLE ... RENAME TO ..., in a database of that encoding")

    def _schemas(self) -> Iterator[Problem]:
        for schema in sorted({one.sql_schema for one in self.relations if not one.may_use_schema}):
            grant = f"GRANT USAGE ON SCHEMA {schema} TO {self.outside.sql_role};"
            yield Problem(f"schema {schema}", "the role may not look inside", grant)

    def _relations(self, what: str, relations: Sequence[Relation]) -> Iterator[Problem]:
        closed: dict[str, list[Relation]] = defaultdict(list)
        for one in relations:
            if not one.may_select:
                closed[one.sql_schema].append(one)
        for schema, theirs in sorted(closed.items()):
            everything = sum(one.sql_schema == schema for one in relations)
            if len(theirs) == everything and everything > 1:
                grant = f"GRANT SELECT ON ALL {what.upper()}S IN SCHEMA {schema} TO {self.outside.sql_role};"
                yield Problem(f"{everything} {what}s in {schema}", "the role may read none of them", grant)
                continue
            on = "SEQUENCE " if what == "sequence" else ""
            for one in theirs:
                grant = f"GRANT SELECT ON {on}{one.sql_name} TO {self.outside.sql_role};"
                yield Problem(f"{what} {one.sql_name}", "the role may not read it", grant)

    def _filters(self) -> Iterator[Problem]:
        filtered = [one.sql_name for one in self.relations if one.is_filtered]
        if filtered and not self.outside.may_bypass_rls:
            grant = f"ALTER ROLE {self.outside.sql_role} BYPASSRLS;"
            yield Problem(_some(filtered), "row-level security hides rows from the role", grant)

    def _large_objects(self) -> Iterator[Problem]:
        closed = self.outside.closed_objects
        for oid in closed[:_SHOWN]:
            grant = f"GRANT SELECT ON LARGE OBJECT {oid} TO {self.outside.sql_role};"
            yield Problem(f"large object {oid}", "the role may not open it", grant)
        if len(closed) > _SHOWN:
            what = f"the role may not open them, and {len(closed) - _SHOWN} more"
            yield Problem("large objects", what, "grant each in a loop over pg_largeobject_metadata")


def recipients_of(fleet: Fleet, database: str) -> tuple[PublicKey, ...]:
    """Find for whom the backups of a database are sealed; for nobody when it says so itself."""
    rules = fleet.databases[database].backup
    if rules.unencrypted:
        return ()
    known = fleet.keys.recipients
    return tuple(PublicKey(name, known[name]) for name in rules.encrypt_to or known)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
