"""Brings the `reporting` schema up to what this version of pgtend needs, one plain SQL file after the other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import LiteralString, cast

from pgtend.ledger.chain import detail_text
from pgtend.ledger.errors import (
    LedgerNotMigrated,
    LedgerRefused,
    LedgerTooNew,
    LedgerUnsuited,
    MigrationChanged,
    MigrationGap,
    RolesMissing,
)
from pgtend.ledger.model import AuditHead
from pgtend.postgres.facts import ServerFacts
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Query, command, query

MONTHS_AHEAD = 2
_OLDEST_MAJOR = 15
_PATIENCE = timedelta(minutes=1)
_FILE = re.compile(r"(\d{4})_[a-z_]+\.sql")


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration as the ledger remembers it."""

    number: int
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration as it lies in this package; the digest does not depend on how a checkout ends its lines."""

    number: int
    name: str
    sha256: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Whether a database is a ledger, and what of it the role we log in as may read."""

    is_begun: bool
    is_ours: bool
    is_readable: bool


@dataclass(frozen=True, slots=True)
class MissingRole:
    """A role the ledger needs and the cluster lacks."""

    name: str
    may_create: bool


@dataclass(frozen=True, slots=True)
class Created:
    """How many partitions were made."""

    created: int


READ_LEDGER_STATE = query(__package__ or "", "read_ledger_state", LedgerState)
READ_MIGRATIONS = query(__package__ or "", "read_migrations", Applied)
READ_APPLIED = query(__package__ or "", "read_applied", Applied)
READ_MISSING_ROLES = query(__package__ or "", "read_missing_roles", MissingRole)
ENSURE_PARTITIONS = query(__package__ or "", "ensure_partitions", Created)
APPEND_AUDIT = query(__package__ or "", "append_audit", AuditHead)
RECORD_MIGRATION = command(__package__ or "", "record_migration")
CREATE_ROLES = {
    "pgtend_reader": command(__package__ or "", "create_reader"),
    "pgtend_writer": command(__package__ or "", "create_writer"),
}


def known_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """Read the migrations of this package, in their order."""
    folder = folder or files(__package__ or "") / "migrations"
    found = [item for item in folder.iterdir() if _FILE.fullmatch(item.name)]
    return tuple(_read(item) for item in sorted(found, key=lambda item: item.name))


def migrate(session: Session, known: Sequence[Migration] | None = None) -> tuple[Migration, ...]:
    """Apply what is pending and make the partitions of the coming months; who comes second waits and finds it done."""
    _refuse_unsuited(session.facts)
    with session.hold("pgtend ledger migrate", patience=_PATIENCE):
        todo = pending(session, known)
        if todo:
            _ensure_roles(session)
        for migration in todo:
            _apply(session, migration)
        session.row(ENSURE_PARTITIONS, {"months_ahead": MONTHS_AHEAD})
    return todo


def pending(session: Session, known: Sequence[Migration] | None = None) -> tuple[Migration, ...]:
    """Tell what `migrate` would apply, or refuse a ledger that is not what this package knows."""
    return still_to_apply(_applied(session), known_migrations() if known is None else known)


def require_current(session: Session) -> None:
    """Refuse to write into a ledger that lacks a migration."""
    missing = pending(session)
    if missing:
        raise LedgerNotMigrated(
            f"the ledger lacks {len(missing)} migrations",
            detail=f"The next one is {missing[0].name}. This was {session.address.place} as {session.address.user}.",
            hint="Run `pgtend ledger migrate` as the role that owns the reporting database.",
        )


def still_to_apply(applied: Sequence[Applied], known: Sequence[Migration]) -> tuple[Migration, ...]:
    """Compare what a ledger remembers with the files: the same numbers without a gap, and the same bytes."""
    _refuse_gap([migration.number for migration in known], "this package")
    if len(applied) > len(known):
        raise LedgerTooNew(
            f"the ledger is at migration {applied[-1].number}, this pgtend knows {len(known)}",
            detail=f"The newest one there is {applied[-1].name}.",
            hint="Install the version of pgtend that migrated the ledger, or a newer one, on this machine too.",
        )
    _refuse_gap([migration.number for migration in applied], "the ledger")
    for old, file in zip(applied, known, strict=False):
        if old.sha256 != file.sha256:
            raise MigrationChanged(
                f"migration {old.name} is no longer the file that was applied",
                detail=f"The ledger remembers sha256 {old.sha256}, the file {file.name} has {file.sha256}.",
                hint="Restore the file as it was released, and put the change into a new migration.",
            )
    return tuple(known[len(applied) :])


def _read(item: Traversable) -> Migration:
    content = item.read_bytes().replace(b"\r\n", b"\n")
    name = item.name.removesuffix(".sql")
    return Migration(int(name[:4]), name, hashlib.sha256(content).hexdigest(), content.decode())


def _applied(session: Session) -> list[Applied]:
    state = session.row(READ_LEDGER_STATE)
    if not state.is_begun:
        return []
    if state.is_ours:
        return session.rows(READ_MIGRATIONS)
    if state.is_readable:
        return session.rows(READ_APPLIED)
    role = session.facts.role
    raise LedgerRefused(
        f"the role {role} may not use the ledger",
        detail=f"This was {session.address.place}.",
        hint=f'Run as the owner of the ledger: GRANT pgtend_writer TO "{role}";',
    )


def _apply(session: Session, migration: Migration) -> None:
    # A percent sign is SQL here, not the beginning of a parameter; without parameters psycopg sends the text as it is,
    # in one message, which is what lets a file hold many statements.
    text = cast("LiteralString", migration.text.replace("%", "%%"))
    script = Query(name=migration.name, text=text, row=type(None), purpose="a migration", on="ledger")
    detail = detail_text({"name": migration.name, "sha256": migration.sha256})
    with session.transaction():
        session.run(script)
        session.run(RECORD_MIGRATION, {"number": migration.number, "name": migration.name, "sha256": migration.sha256})
        session.row(
            APPEND_AUDIT,
            {"actor": session.facts.role, "action": "ledger.migrated", "target": "reporting", "detail": detail},
        )


def _ensure_roles(session: Session) -> None:
    missing = session.rows(READ_MISSING_ROLES)
    if any(not role.may_create for role in missing):
        raise RolesMissing(
            f"the roles of the ledger do not exist, and {session.facts.role} may not make them",
            detail=f"Missing: {', '.join(role.name for role in missing)}.",
            hint=f"Run as a superuser: {' '.join(f'CREATE ROLE {role.name} NOLOGIN;' for role in missing)}",
        )
    for role in missing:
        session.run(CREATE_ROLES[role.name])


def _refuse_unsuited(facts: ServerFacts) -> None:
    if facts.encoding != "UTF8":
        raise LedgerUnsuited(
            f"the encoding of the ledger's database is {facts.encoding}, not UTF8",
            detail="Names from every database have to fit, and the hashes of the audit are those of UTF-8.",
            hint="CREATE DATABASE reporting TEMPLATE template0 ENCODING 'UTF8';",
        )
    if facts.major < _OLDEST_MAJOR:
        raise LedgerUnsuited(
            f"the ledger needs PostgreSQL {_OLDEST_MAJOR} or newer, not {facts.version_text}",
            hint="Put the reporting database on a newer server.",
        )


def _refuse_gap(numbers: Sequence[int], where: str) -> None:
    wanted = list(range(1, len(numbers) + 1))
    if list(numbers) != wanted:
        first = next(number for number in wanted if number not in numbers)
        raise MigrationGap(
            f"migration {first} is missing in {where}",
            detail=f"Found: {', '.join(map(str, numbers))}.",
            hint="Install a complete release of pgtend; see docs/runbooks/ledger-migrations.md.",
        )
