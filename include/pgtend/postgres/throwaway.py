"""Servers that live for one test or one drill: made in a moment, reachable by us alone, gone without a trace."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg import sql
from pydantic import SecretStr

from pgtend.fleet.model import Limits
from pgtend.kernel.errors import Outage
from pgtend.postgres.accounts import Account, server_account
from pgtend.postgres.address import Address
from pgtend.postgres.command import Command, Running, started
from pgtend.postgres.errors import ServerStarting, ServerUnreachable
from pgtend.postgres.leftovers import claimed_folder
from pgtend.postgres.process import run
from pgtend.postgres.sandbox import Sandbox, Walls
from pgtend.postgres.session import Session, open_session
from pgtend.postgres.templates import copy_of_template
from pgtend.postgres.tools import ClientTools
from pgtend.sqlfiles import command

SUPERUSER = "postgres"
SET_PASSWORD = command(__package__ or "", "set_password")

_LAST_CHANCE = timedelta(seconds=10)
_OLD_SESSIONS = "pre-existing shared memory block"
_TRIES_FOR_A_PORT = 5
# Nothing here has to survive a power cut, but a commit does survive kill -9: it reaches the kernel.
_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "max_connections": "60",
    "log_min_messages": "warning",
    "log_line_prefix": "",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}
# Between walls nobody is who the kernel says, and the code that is restored runs as the server's own account.
_ACCESS_RULES_INSIDE = "\nlocal all all scram-sha-256\n"
# Our own account is the superuser by the kernel's word; everybody else shows a password.
_ACCESS_RULES = f"""
local all {SUPERUSER} peer map=tend
local all,replication all scram-sha-256
host all,replication all 127.0.0.1/32 scram-sha-256
"""


class ServerDidNotStart(Outage):
    """A throwaway server did not come up; the detail is the redacted end of its log."""

    code = "postgres.did_not_start"


@dataclass(slots=True, kw_only=True)
class ThrowawayServer:
    """A server of one version in a folder of its own; a context manager.

    It listens on a socket that only we can reach, and on TCP of this machine when asked to. `files` are placed into
    its data folder before it starts, and `access_rules` come before our own in pg_hba.conf.
    """

    tools: ClientTools
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    access_rules: str = ""
    listens_on_tcp: bool = False
    parent: Path | None = None
    patience: timedelta = timedelta(seconds=60)
    page_checksums: bool = True
    sandbox: Sandbox | None = None
    """Walls to run it between. Then the superuser has a password, and what `settings` say nothing can change."""
    port: int = field(init=False, default=5432)
    password: SecretStr = field(init=False)
    folder: Path = field(init=False)
    _account: Account | None = field(init=False, default=None)
    _running: Running | None = field(init=False, default=None)
    _process: ExitStack = field(init=False, default_factory=ExitStack)
    _life: ExitStack = field(init=False, default_factory=ExitStack)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._account = server_account()
            self.password = SecretStr(secrets.token_urlsafe(18))
            self.folder = undo.enter_context(claimed_folder(self.parent))
            undo.callback(self._end)
            self._furnish()
            if self.sandbox:
                self._set_password_alone()
            self.start()
            if not self.sandbox:
                with self.session() as session:
                    set_password(session, SUPERUSER, self.password)
            self._life = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._life.close()

    @property
    def data(self) -> Path:
        """The server's data folder."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._alive.process.pid

    @property
    def log(self) -> str:
        """What the server wrote since its last start; it may hold the content of rows."""
        return self._alive.everything_said()

    def superuser(self, database: str = SUPERUSER) -> Address:
        """Give the way in as superuser: by the socket, as our own account, between walls with a password."""
        return self._address(SUPERUSER, self.password if self.sandbox else None, database, host=str(self.folder))

    def role(self, name: str, password: SecretStr, database: str) -> Address:
        """Give the way in for a role: by the socket, with a password."""
        return self._address(name, password, database, host=str(self.folder))

    def tcp_role(self, name: str, password: SecretStr, database: str) -> Address:
        """Give the way in for a role by TCP; the caller says what it demands of TLS."""
        return self._address(name, password, database, host="127.0.0.1")

    @contextmanager
    def session(self, database: str = SUPERUSER) -> Generator[Session]:
        """Open a session as superuser."""
        limits = Limits(connect_timeout=timedelta(seconds=5))
        with open_session(self.superuser(database), limits, application="pgtend:throwaway") as session:
            yield session

    def start(self) -> None:
        """Start it, as when the machine comes up again; another port is tried when somebody took ours."""
        deadline = time.monotonic() + self.patience.total_seconds()
        ports = 1
        while True:
            try:
                return self._start()
            except ServerDidNotStart as error:
                if _OLD_SESSIONS in error.detail and time.monotonic() < deadline:
                    # After a crash its old sessions finish what they do, and it may not begin before they are gone.
                    time.sleep(0.1)
                elif self.listens_on_tcp and "in use" in error.detail and ports < _TRIES_FOR_A_PORT:
                    ports += 1
                else:
                    raise

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is a fast shutdown, SIGQUIT an immediate one, SIGKILL a crash."""
        process = self._alive.process
        process.send_signal(how)
        process.wait(timeout=self.patience.total_seconds())
        self._running = None
        self._process.close()

    @property
    def _alive(self) -> Running:
        if self._running is None:
            raise ServerDidNotStart("the throwaway server is stopped", hint="Start it first.")
        return self._running

    def _furnish(self) -> None:
        if self._account:
            self._account.own(self.folder)
            self._account.must_reach(self.data)
            self._account.must_reach(self.tools.folder / "postgres")
        copy_of_template(self.tools, self._account, self.data, page_checksums=self.page_checksums)
        me = pwd.getpwuid(os.geteuid()).pw_name
        rules = _ACCESS_RULES_INSIDE if self.sandbox else _ACCESS_RULES
        self._place("pg_hba.conf", f"{self.access_rules}\n{rules}".encode())
        self._place("pg_ident.conf", f"tend {me} {SUPERUSER}\n".encode())
        for name, content in self.files.items():
            self._place(name, content)
        settings = {**_SETTINGS, **self.settings}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
        self._place("conf.d.pgtend", "\n".join(lines).encode())
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("\ninclude 'conf.d.pgtend'\n")

    def _set_password_alone(self) -> None:
        """Give the superuser a password while nobody can connect; it is in no argument and in no log."""
        self._place("../passwd", f"{pwd.getpwuid(self._ids[0]).pw_name}:x:{self._ids[0]}:{self._ids[1]}::/:\n".encode())
        (self.folder / "root").mkdir(mode=0o755)
        if self._account:
            self._account.own(self.folder / "root")
        said = f"ALTER ROLE {SUPERUSER} PASSWORD '{self.password.get_secret_value()}';\n"
        alone = (self.tools.path("postgres"), "--single", "-D", str(self.data), SUPERUSER)
        run(Command(argv=alone, account=self._account), within=self.patience, feed=said.encode())

    @property
    def _ids(self) -> tuple[int, int]:
        account = self._account
        return (account.uid, account.gid) if account else (os.geteuid(), os.getegid())

    def _place(self, name: str, content: bytes) -> None:
        path = self.data / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        if self._account:
            self._account.own(path)

    def _start(self) -> None:
        if self.listens_on_tcp:
            self.port = _free_port()
        with ExitStack() as undo:
            self._running = undo.enter_context(started(self._postgres()))
            self._await_readiness(self._running)
            self._process = undo.pop_all()

    def _postgres(self) -> Command:
        """Run it in the foreground as our child, so that it dies with us: pg_ctl would make it a daemon."""
        listen = "127.0.0.1" if self.listens_on_tcp else ""
        argv = (
            self.tools.path("postgres"),
            *("-D", str(self.data)),
            *("-k", str(self.folder)),
            *("-p", str(self.port)),
            *("-c", f"listen_addresses={listen}"),
        )
        if self.sandbox:
            fixed = (option for name, value in self.settings.items() for option in ("-c", f"{name}={value}"))
            walls = Walls(self.folder, self.tools.folder.parent, *self._ids)
            return Command(argv=self.sandbox.wrap((*argv, *fixed), walls), account=self._account)
        # Its immediate shutdown takes the backends along; after SIGKILL they finish their queries first. Between walls
        # the kernel ends every process with the first one.
        return Command(argv=argv, account=self._account, death_signal=signal.SIGQUIT)

    def _await_readiness(self, running: Running) -> None:
        deadline = time.monotonic() + self.patience.total_seconds()
        while True:
            try:
                with self.session():
                    return
            except (ServerStarting, ServerUnreachable) as error:
                if running.process.poll() is not None or time.monotonic() > deadline:
                    raise _did_not_start(running) from error
                time.sleep(0.02)

    def _end(self) -> None:
        if self._running is not None:
            process = self._running.process
            process.send_signal(signal.SIGKILL if self.sandbox else signal.SIGQUIT)
            try:
                process.wait(timeout=_LAST_CHANCE.total_seconds())
            except subprocess.TimeoutExpired:
                process.kill()
            self._process.close()
            self._running = None

    def _address(self, user: str, password: SecretStr | None, database: str, *, host: str) -> Address:
        params = {"host": host, "port": str(self.port), "dbname": database, "user": user}
        return Address(params=params, password=password)


def set_password(session: Session, role: str, password: SecretStr) -> None:
    """Give a role of a throwaway server its password."""
    session.run(SET_PASSWORD, role=sql.Identifier(role), password=sql.Literal(password.get_secret_value()))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _did_not_start(running: Running) -> ServerDidNotStart:
    return ServerDidNotStart(
        "a throwaway server did not start",
        detail=running.last_words() or "It wrote nothing.",
        hint="Check that its settings are known to this version.",
    )
