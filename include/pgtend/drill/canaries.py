"""Things outside that a restored copy must not reach, and what comes of reaching for them from inside, before any row.

Each canary is real and is first reached from outside: a canary that nobody can reach proves nothing.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pgtend.drill.model import Canary
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.postgres.identifiers import text
from pgtend.postgres.leftovers import Kind, claimed_folder
from pgtend.postgres.sandbox import IsolationLevel
from pgtend.postgres.session import open_session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.sqlfiles import command, query

_ROOM = __package__ or ""
_PORT = 5432
# A documentation address: nobody has it, and without a network there is no way to it.
_NOWHERE = "192.0.2.1"
_PATIENCE = Limits(statement_timeout=timedelta(seconds=3))
_QUIET = frozenset({"", "off", "0"})


@dataclass(frozen=True, slots=True)
class Glance:
    """Whether a file of the host could be seen."""

    was_reached: bool


@dataclass(frozen=True, slots=True)
class Outlet:
    """A setting by which a server speaks to others."""

    name: str
    setting: str


REACH_OUT = command(_ROOM, "reach_out")
LOOK_OUTSIDE = query(_ROOM, "look_outside", Glance)
READ_OUTLETS = query(_ROOM, "read_outlets", Outlet)


class CanaryDead(Outage):
    """A canary could not be reached even from outside, so that it would prove nothing."""

    code = "drill.canary_dead"


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket outside that somebody inside might reach."""

    what: str
    host: str
    port: int
    line: socket.socket

    def was_reached(self) -> bool:
        """Tell whether anybody connected since the last time, and hang up."""
        reached = False
        while select.select([self.line], [], [], 0)[0]:
            self.line.accept()[0].close()
            reached = True
        return reached


@dataclass(frozen=True, slots=True)
class Outside:
    """All canaries."""

    listeners: tuple[Listener, ...]
    file: Path

    def reach_from(self, server: ThrowawayServer, level: IsolationLevel) -> tuple[Canary, ...]:
        """Let the server try everything, and tell what it reached."""
        found = [self._reach(server, listener) for listener in self.listeners if _applies(listener, level)]
        if level is IsolationLevel.CONTAINER:
            found.append(_reach_nowhere(server))
        if level is not IsolationLevel.CONTAINER:
            with server.session() as session:
                seen = session.row(LOOK_OUTSIDE, {"path": str(self.file)}).was_reached
            found.append(Canary(what="a file of the host that everybody may read", was_reached=seen))
        return (*found, _archive(server))

    @staticmethod
    def _reach(server: ThrowawayServer, listener: Listener) -> Canary:
        answer = _connect_from(server, listener.host, listener.port)
        return Canary(what=listener.what, was_reached=listener.was_reached(), answer=answer)


def _applies(listener: Listener, level: IsolationLevel) -> bool:
    """Leave out what is inside the same container: there the wall is around the worker itself."""
    return level is not IsolationLevel.CONTAINER or not listener.host


@contextmanager
def outside() -> Generator[Outside]:
    """Put up the canaries, where every account of this machine can reach them."""
    with ExitStack() as life:
        folder = life.enter_context(claimed_folder(kind=Kind.CANARY))
        folder.chmod(0o755)
        file = folder / "anybody.txt"
        file.write_text("a restored copy must not see this\n", encoding="utf-8")
        file.chmod(0o644)
        tcp = life.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
        unix = life.enter_context(closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)))
        path = folder / f".s.PGSQL.{_PORT}"
        unix.bind(str(path))
        path.chmod(0o777)
        unix.listen()
        listeners = (
            Listener("a TCP port of the host", "127.0.0.1", int(tcp.getsockname()[1]), tcp),
            Listener("a unix socket of the host", str(folder), _PORT, unix),
        )
        for listener in listeners:
            _must_live(listener)
        yield Outside(listeners, file)


def _must_live(listener: Listener) -> None:
    with closing(socket.socket(listener.line.family, socket.SOCK_STREAM)) as probe:
        probe.connect(listener.line.getsockname())
    if not listener.was_reached():
        raise CanaryDead(
            f"{listener.what} could not be reached from outside either",
            hint="Something on this machine forbids local connections: look at its firewall.",
        )


def _connect_from(server: ThrowawayServer, host: str, port: int) -> str:
    """Let the server itself connect, and give the code of what came of it."""
    conninfo = f"host={host} port={port} dbname=canary user=canary connect_timeout=2"
    try:
        with open_session(server.superuser(), _PATIENCE, application="pgtend:canary") as session:
            session.run(REACH_OUT, conninfo=text(conninfo))
    except PgtendError as refused:
        return refused.code
    return "connected"


def _reach_nowhere(server: ThrowawayServer) -> Canary:
    """Where a container has no network, the system says at once that there is no way; anything else is one."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.settimeout(2)
        code = probe.connect_ex((_NOWHERE, _PORT))
    answer = _connect_from(server, _NOWHERE, _PORT)
    unreachable = {os.strerror(code)} & {"Network is unreachable", "No route to host"}
    return Canary(what="an address outside the container", was_reached=not unreachable, answer=answer)


def _archive(server: ThrowawayServer) -> Canary:
    with server.session() as session:
        open_ones = [outlet.name for outlet in session.rows(READ_OUTLETS) if outlet.setting not in _QUIET]
    return Canary(
        what="an archive, a primary or a library of others", was_reached=bool(open_ones), answer=", ".join(open_ones)
    )
