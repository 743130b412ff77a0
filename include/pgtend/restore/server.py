"""The server that a backup is restored to: what it must have, and the databases that come and go on it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgtend.backup.manifest import Manifest
from pgtend.backup.record import Source
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import PgtendError, Problem
from pgtend.kernel.names import new_run_id
from pgtend.kernel.progress import Progress
from pgtend.postgres.address import Address
from pgtend.postgres.encodings import decoded
from pgtend.postgres.errors import MissingRight, StatementRejected
from pgtend.postgres.identifiers import Composable, database, text
from pgtend.postgres.session import Session, open_session
from pgtend.restore.errors import OlderServer, TargetExists, TargetUnsuited
from pgtend.restore.model import UNFINISHED
from pgtend.sqlfiles import command, query

APPLICATION = "pgtend:restore"
LIMITS = Limits(statement_timeout=timedelta(hours=12), lock_timeout=timedelta(seconds=30))
_ROOM = "" if __package__ is None else __package__
_SINCE_PROVIDERS = 15
_SINCE_LOGIN_TRIGGERS = 17
_OURS_END_WITHIN = 1.0
_FAREWELL = 10.0
_LONG_FAREWELL = 600.0
_ABANDONED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerNames:
    """What a server knows by name, and what our role may do there."""

    kept_roles: list[bytes]
    tablespaces: list[str]
    extensions: list[str]
    may_create_databases: bool
    may_create_roles: bool

    @property
    def roles(self) -> frozenset[str]:
        """The names of all roles, for comparison."""
        return frozenset(decoded(name, "UTF8") for name in self.kept_roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDatabase:
    """A database of a server, and how many sessions are in it."""

    kept_name: bytes
    sessions: int

    @property
    def name(self) -> str:
        """Its name, for comparison."""
        return decoded(self.kept_name, "UTF8")


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """How many sessions were told to end, or are still there."""

    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """What a session may take to build indexes."""

    kilobytes: int
    workers: int

    @property
    def settings(self) -> Mapping[str, str]:
        """In the server's words."""
        return {
            "maintenance_work_mem": f"{self.kilobytes}kB",
            "max_parallel_maintenance_workers": str(self.workers),
        }


READ_BUILDING = query(_ROOM, "read_building", Building)
READ_ROLE_NAMES = query(_ROOM, "read_role_names", ServerNames)
READ_DATABASES = query(_ROOM, "read_databases", OneDatabase)
END_SESSIONS = query(_ROOM, "end_sessions", SessionsEnded)
DROP_DATABASE = command(_ROOM, "drop_database")
RENAME_DATABASE = command(_ROOM, "rename_database")
CREATE_ROLE = command(_ROOM, "create_role")
_CREATE = {
    "": command(_ROOM, "create_database"),
    "libc": command(_ROOM, "create_database_libc"),
    "icu": command(_ROOM, "create_database_icu"),
    "builtin": command(_ROOM, "create_database_builtin"),
}
CREATE_DATABASE_ICU_RULES = command(_ROOM, "create_database_icu_rules")


@contextmanager
def entered(address: Address) -> Generator[Session]:
    """Open a session that may take its time."""
    with open_session(address, LIMITS, application=APPLICATION) as session:
        yield session


def known_cores(address: Address) -> int:
    """Tell how many cores a server has: reached by a socket it is on this machine. 0 stands for not known."""
    return len(os.sched_getaffinity(0)) if address.is_local_socket else 0


def free_kilobytes(address: Address) -> int:
    """Tell how much memory a server could still take, where it is on this machine. 0 stands for not known."""
    if not address.is_local_socket:
        return 0
    lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return next((int(words[1]) for words in lines if words[0] == "MemAvailable:"), 0)


def read_building(session: Session, jobs: int) -> Building:
    """Decide what each of several sessions may take to build indexes."""
    known = {"cores": known_cores(session.address), "free": free_kilobytes(session.address)}
    return session.row(READ_BUILDING, {"jobs": jobs, **known})


def refuse_older(session: Session, source: Source) -> None:
    """Refuse a server that is older than the backup: newer SQL would fail on it half-way."""
    if session.facts.major < source.major:
        raise OlderServer(
            f"a backup of PostgreSQL {source.version_text} cannot be restored on {session.facts.version_text}",
            detail=f"This was {session.address.place}.",
            hint=f"Restore on PostgreSQL {source.major} or newer.",
        )


def refuse_taken(session: Session, name: str) -> None:
    """Refuse a name that is in use, even by an empty database: nothing is ever restored over anything."""
    if any(found.name == name for found in session.rows(READ_DATABASES)):
        raise TargetExists(
            f"there is a database '{name}' already",
            detail=f"This was {session.address.place}. A restore never writes into a database that was there before.",
            hint="Choose another name with --database, or replace the original with --in-place.",
        )


def refuse_unsuited(session: Session, manifest: Manifest, missing_roles: Collection[str]) -> None:
    """List everything the server lacks, before anything is done to it."""
    names = session.row(READ_ROLE_NAMES)
    extensions = [one.name for one in manifest.extensions if one.name not in names.extensions]
    problems = [
        Problem(f"extension {name}", "it is not installed on the server", "install the package it comes in")
        for name in extensions
    ]
    problems += [
        Problem(
            f"role {name}", "objects of the backup belong to it or grant it rights", f"CREATE ROLE {_quoted(name)};"
        )
        for name in sorted(missing_roles)
    ]
    if not names.may_create_databases:
        role = session.facts.role
        problems.append(Problem(f"role {role}", "it may not create databases", f"ALTER ROLE {_quoted(role)} CREATEDB;"))
    roles_hint = "Missing roles: --create-roles makes them without a login, --no-owner does without them."
    TargetUnsuited.raise_if_any(
        f"the server at {session.address.place} lacks what the backup needs",
        tuple(problems),
        hint=roles_hint if missing_roles else "Set it right as a superuser of the server, and try again.",
    )


def create_database(session: Session, name: str, source: Source, rules: str = "") -> None:
    """Make an empty database that reads and sorts as the original did, where it has rules of its own by those."""
    provider = source.locale_provider if session.facts.major >= _SINCE_PROVIDERS else ""
    asked = CREATE_DATABASE_ICU_RULES if rules and provider == "icu" else _CREATE[provider]
    parts: dict[str, Composable] = {
        "database": database(name),
        "encoding": text(source.encoding),
        "collate": text(source.collation),
        "ctype": text(source.ctype),
        "locale": text(source.locale),
        "rules": text(rules),
    }
    session.run(asked, {}, **parts)


@contextmanager
def unfinished_database(address: Address, source: Source, now: datetime, rules: str = "") -> Generator[str]:
    """Build a database under a name that says that it is not finished; it is gone unless it was renamed.

    A connection into it is held all the time: one without any belongs to a restore that was killed.
    """
    name = f"{UNFINISHED}{new_run_id(now).lower().replace('-', '_')}"
    with entered(address) as session:
        create_database(session, name, source, rules)
    try:
        yield name
    except BaseException as failure:
        _give_up(address, name, failure)
        raise


def way_inside(session: Session, name: str) -> Address:
    """Give the way into an unfinished database. Its event triggers are its own: one could act on each of our logins."""
    way = session.address.to(dbname=name)
    if session.facts.major < _SINCE_LOGIN_TRIGGERS or not session.facts.is_superuser:
        return way
    return way.to(options=f"{way.params.get('options', '')} -c event_triggers=off".strip())


def sweep_unfinished(session: Session, now: datetime, progress: Progress) -> tuple[str, ...]:
    """Remove what killed restores left: databases with our unfinished name, nobody in them, and not of this moment."""
    swept: list[str] = []
    for found in session.rows(READ_DATABASES):
        if found.name.startswith(UNFINISHED) and not found.sessions and _begun_at(found.name) <= now - _ABANDONED:
            try:
                session.run(DROP_DATABASE, database=database(found.name))
            except (MissingRight, StatementRejected) as refusal:
                # It takes room and nothing else: no reason to keep anybody from restoring.
                progress(f"{found.name} stays, which a restore that was killed left behind: {refusal.message}")
                continue
            progress(f"removed {found.name}, which a restore that was killed left behind")
            swept.append(found.name)
    return tuple(swept)


def await_nobody(session: Session, name: str) -> None:
    """Wait a moment until our own sessions in a database have ended, and send away whoever else came in.

    A monitor that looks into every database of a server must not cost hours of work at the last step. Whom our role may
    not send away is waited for.
    """
    began, pause, patience = time.monotonic(), 0.002, _FAREWELL
    while (waited := time.monotonic() - began) < patience:
        if all(found.sessions == 0 for found in session.rows(READ_DATABASES) if found.name == name):
            return
        if waited > _OURS_END_WITHIN and patience == _FAREWELL:
            try:
                session.row(END_SESSIONS, {"name": name})
            except MissingRight:
                patience = _LONG_FAREWELL
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def _begun_at(name: str) -> datetime:
    """Read from an unfinished name when it was made; one that we did not make is never old enough."""
    stamp = name.removeprefix(UNFINISHED).partition("_")[0]
    try:
        return datetime.strptime(stamp, "%Y%m%dt%H%M%Sz").replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def _give_up(address: Address, name: str, failure: BaseException) -> None:
    """Remove what was begun. The failure stays what it was, and says when even that was impossible."""
    try:
        with entered(address) as session:
            session.run(DROP_DATABASE, database=database(name))
    except PgtendError as trouble:
        sentence = f"The unfinished database {name} could not be removed ({trouble.message}); the next restore does it."
        failure.add_note(sentence)
        if isinstance(failure, PgtendError):
            failure.detail = f"{failure.detail}\n{sentence}".strip()


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
