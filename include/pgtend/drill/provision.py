"""The place of a drill: a throwaway server between walls, the roles of the backup, and empty databases."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pydantic import SecretStr

from pgtend.backup.manifest import Manifest
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.address import Address
from pgtend.postgres.encodings import unquoted
from pgtend.postgres.identifiers import database, text, written
from pgtend.postgres.sandbox import Sandbox
from pgtend.postgres.session import Session, open_session
from pgtend.postgres.throwaway import SUPERUSER, ThrowawayServer
from pgtend.postgres.tools import ClientTools
from pgtend.restore.names import roles_of
from pgtend.restore.server import create_database
from pgtend.sqlfiles import command

_ROOM = __package__ or ""
COPY = "drill"
RESTORER = "pgtend_restorer"
APPLICATION = "pgtend:drill"
LIMITS = Limits(statement_timeout=timedelta(hours=12), lock_timeout=timedelta(minutes=5))
# Nothing outlives a drill, so nothing is made to last; nothing speaks to anybody; nothing runs of its own accord. The
# log takes no statement and no row.
_SETTINGS = {
    "archive_mode": "off",
    "archive_command": "",
    "primary_conninfo": "",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "cron.launch_active_jobs": "off",
    "unix_socket_permissions": "0700",
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_size": "4GB",
    "wal_buffers": "16MB",
    "wal_init_zero": "off",
    "checkpoint_timeout": "1h",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}
_SINCE = {
    "event_triggers": (17, "off"),
    # What was just written is in memory: to have others fetch it costs more than to copy it.
    "io_method": (18, "sync"),
}
_ROOM_TO_MOVE = 1.3
_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)'
_MEMBER = re.compile(rf"^GRANT ({_NAME}) TO ({_NAME})(?: WITH ([A-Z, ]+?))?(?: GRANTED BY {_NAME})?;$", re.MULTILINE)
_ATTRIBUTES = re.compile(rf"^ALTER ROLE ({_NAME}) WITH ([A-Z ]+)", re.MULTILINE)
CREATE_RESTORER = command(_ROOM, "create_restorer")
CREATE_SOURCE_ROLE = command(_ROOM, "create_source_role")
GIVE_DATABASE = command(_ROOM, "give_database")
LET_IN = command(_ROOM, "let_in")
RUN_AS_WRITTEN = command(_ROOM, "run_as_written")


class ScratchTooSmall(Misconfigured):
    """There is not enough room on the disk for the restored copy."""

    code = "drill.scratch_too_small"


@dataclass(slots=True, kw_only=True)
class Copy:
    """A database on the server of the drill, and the ways into it."""

    server: ThrowawayServer
    name: str
    restorer_password: SecretStr
    roles: tuple[str, ...] = ()
    """The roles of the backup, as they are called there."""
    _keys: dict[str, SecretStr] = field(default_factory=dict[str, SecretStr])

    @property
    def tools(self) -> ClientTools:
        """The tools of the server's version."""
        return self.server.tools

    @property
    def superuser(self) -> Address:
        """The way in as superuser, for what nobody else may do."""
        return self.server.superuser(self.name)

    @property
    def restorer(self) -> Address:
        """The way in for who loads rows and builds indexes."""
        return self.server.role(RESTORER, self.restorer_password, self.name)

    def role(self, name: str) -> Address:
        """Let a role of the application in."""
        if name not in self._keys:
            self._keys[name] = new_password()
            with self.session() as session:
                session.run(LET_IN, role=database(name), password=text(self._keys[name].get_secret_value()))
        return self.server.role(name, self._keys[name], self.name)

    def called(self, name: str) -> Copy:
        """Give the same place with another database in it."""
        return replace(self, name=name)

    @contextmanager
    def session(self) -> Generator[Session]:
        """Open a session as superuser, with time to work."""
        with open_session(self.superuser, LIMITS, application=APPLICATION) as session:
            yield session


def new_password() -> SecretStr:
    """Make a password that lives as long as the drill."""
    return SecretStr(secrets.token_urlsafe(18))


@contextmanager
def server_for(tools: ClientTools, sandbox: Sandbox, jobs: int) -> Generator[ThrowawayServer]:
    """Start the server of a drill between its walls; indexes are built by the cores that `jobs` of them leave idle."""
    helpers = max(0, len(os.sched_getaffinity(0)) // jobs - 1)
    settings = {**_SETTINGS, "max_parallel_maintenance_workers": str(helpers)}
    settings |= {name: value for name, (major, value) in _SINCE.items() if tools.major >= major}
    # What a checksum would show, the fingerprints of all rows show too, and a page is written once and read thrice.
    with ThrowawayServer(tools=tools, sandbox=sandbox, settings=settings, page_checksums=False) as server:
        yield server


def refuse_full_disk(server: ThrowawayServer, manifest: Manifest, copies: int) -> None:
    """Refuse before anything is fetched when the copies cannot fit."""
    free = Bytes(shutil.disk_usage(server.folder).free)
    needed = Bytes(int(manifest.source.size * _ROOM_TO_MOVE * copies))
    if free < needed:
        raise ScratchTooSmall(
            f"a drill of this backup needs {needed} of disk, and {free} are free",
            detail=f"The copy would lie below {server.folder.parent}.",
            hint="Free room, or let TMPDIR name a larger disk.",
        )


def prepare(server: ThrowawayServer, global_sql: str) -> Copy:
    """Make the roles, without passwords or rights of a superuser, and say where the copy is to be."""
    password = new_password()
    roles = tuple(sorted(roles_of(global_sql)))
    with open_session(server.superuser(), LIMITS, application=APPLICATION) as session:
        session.run(CREATE_RESTORER, role=database(RESTORER), password=text(password.get_secret_value()))
        for role in roles:
            if role not in {SUPERUSER, RESTORER}:
                session.run(CREATE_SOURCE_ROLE, role=database(role))
        for statement in role_statements(global_sql):
            session.run(RUN_AS_WRITTEN, written=written(statement))
    return Copy(server=server, name=COPY, restorer_password=password, roles=roles)


def make_empty(copy: Copy, manifest: Manifest, sorting_rules: str) -> None:
    """Make an empty database in the place of a copy, which sorts as the one that was backed up."""
    with open_session(copy.server.superuser(), LIMITS, application=APPLICATION) as session:
        create_database(session, copy.name, manifest.source, sorting_rules)
        session.run(GIVE_DATABASE, database=database(copy.name), role=database(RESTORER))


def memberships_of(global_sql: str) -> tuple[tuple[str, str], ...]:
    """Read who is a member of what in the cluster that was backed up."""
    return tuple(sorted({(unquoted(group), unquoted(member)) for group, member, _ in _MEMBER.findall(global_sql)}))


def role_statements(global_sql: str) -> Sequence[str]:
    """Take from the globals who is a member of what, and who may look past row-level security, and nothing else."""
    found = [
        f"ALTER ROLE {name} {'BYPASSRLS' if ' BYPASSRLS' in attributes else 'NOBYPASSRLS'} "
        f"{'NOINHERIT' if ' NOINHERIT' in attributes else 'INHERIT'}"
        for name, attributes in _ATTRIBUTES.findall(global_sql)
        if unquoted(name) not in {SUPERUSER, RESTORER}
    ]
    # As a superuser's own grant: whoever granted it in production may not even exist here.
    found += [
        f"GRANT {group} TO {member}" + (f" WITH {options}" if options else "")
        for group, member, options in _MEMBER.findall(global_sql)
    ]
    return found
