"""The databases beside ours: on a server of the fleet, and in no fleet. Of what nobody looks after nothing is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from pgtend.cli.findings import Finding, note
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class DatabaseName:
    """A database of a server."""

    name: str


READ_DATABASE_NAMES = query(__package__ or "", "read_database_names", DatabaseName)


@dataclass(slots=True)
class Neighbours:
    """What was met on the way through the fleet: servers, and which of their databases are ours."""

    _about: dict[str, str] = field(default_factory=dict[str, str])
    _all: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _ours: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def meet(self, about: str, session: Session) -> None:
        """Remember a database of ours, and who else is on its server."""
        server = session.facts.system_identifier
        self._ours.add((server, session.facts.database))
        if server not in self._all:
            self._about[server] = about
            self._all[server] = [one.name for one in session.rows(READ_DATABASE_NAMES)]

    def strangers(self, left_alone: Collection[str]) -> Iterator[Finding]:
        """Name those that nobody looks after, and that nobody said are to be left alone."""
        for server, names in self._all.items():
            lost = [name for name in names if (server, name) not in self._ours and name not in left_alone]
            if lost:
                more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
                said = f"nobody backs up {', '.join(lost[:_SHOWN])}{more}, on the server of {self._about[server]}"
                hint = "Add them to the databases of the fleet file, or name them in its `left_alone`."
                yield note("fleet", "other databases", said, hint)
