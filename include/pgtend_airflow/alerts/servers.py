"""Which databases of the fleet live on one server: when it is down, that is one thing to tell and not twenty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pgtend.fleet.model import Database, Fleet
from pgtend.kernel.errors import PgtendError
from pgtend_airflow.connections import AirflowConnections

AWAY: Final = frozenset({"postgres.unreachable", "postgres.starting"})
"""What a database says, or does not say, whose server is down."""
ASK_IT: Final = frozenset({"analyze", "archive", "backup", "health", "index_usage", "reindex", "statements"})
"""Pipelines that cannot end well without the server: a drill or a report can."""
_NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class Server:
    """A server with more than one database of ours."""

    address: str
    databases: tuple[str, ...]

    @property
    def pipeline(self) -> str:
        """Under which name it stands where others have a pipeline."""
        return f"server {self.address}"

    @property
    def says(self) -> str:
        """What is wrong when it does not answer."""
        more = len(self.databases) - _NAMED
        names = ", ".join(self.databases[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"{len(self.databases)} databases do not answer: {names}"

    def owners(self, fleet: Fleet) -> str:
        """Name everybody who owns a database on it."""
        return ", ".join(sorted({fleet.databases[name].owner for name in self.databases}))


def server_of(fleet: Fleet, database: str) -> Server | None:
    """Find the server of a database, when more than this one of ours live there."""
    if database not in fleet.databases:
        return None
    book = AirflowConnections()
    own = _address(book, fleet.databases[database])
    mates = tuple(name for name, one in fleet.databases.items() if own and _address(book, one) == own)
    return Server(own, mates) if len(mates) > 1 else None


def _address(book: AirflowConnections, database: Database) -> str:
    """Say where a database is; a connection that is wrong is told by whoever uses it."""
    try:
        found = book.find(database.connection)
    except PgtendError:
        return ""
    return f"{found.params.get('host', 'localhost')}:{found.params.get('port', '5432')}"
