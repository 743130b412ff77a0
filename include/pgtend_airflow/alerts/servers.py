"""Which databases of the fleet live on one server: when it is down, that is one thing to tell and not twenty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from pgtend.fleet.model import RESERVED, Fleet
from pgtend.kernel.errors import PgtendError
from pgtend.ledger.alerts import OpenAlert
from pgtend_airflow.connections import AirflowConnections

AWAY: Final = frozenset({"postgres.unreachable", "postgres.starting"})
"""What a database says, or does not say, whose server is down."""
ASK_IT: Final = frozenset({"analyze", "archive", "backup", "health", "index_usage", "reindex", "statements"})
"""Pipelines that cannot end well without the server: a drill or a report can."""
_NAMED: Final = 6


_NAME: Final = "server "


@dataclass(frozen=True, slots=True)
class Server:
    """A server with more than one database of ours."""

    address: str
    databases: tuple[str, ...]

    @classmethod
    def of_alert(cls, alert: OpenAlert) -> Self | None:
        """Give the server that an open alert is about, as it was when it was told."""
        is_one = alert.database == RESERVED and alert.pipeline.startswith(_NAME)
        return cls(alert.pipeline.removeprefix(_NAME), tuple(alert.concerns)) if is_one else None

    @property
    def pipeline(self) -> str:
        """Under which name it stands where others have a pipeline."""
        return f"{_NAME}{self.address}"

    @property
    def says(self) -> str:
        """What is wrong when it does not answer."""
        more = len(self.databases) - _NAMED
        names = ", ".join(self.databases[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"{len(self.databases)} databases do not answer: {names}"

    def owners(self, fleet: Fleet) -> str:
        """Name everybody who owns a database on it."""
        known = [fleet.databases[name].owner for name in self.databases if name in fleet.databases]
        return ", ".join(sorted(set(known))) or fleet.owner

    def is_left(self, fleet: Fleet) -> bool:
        """Whether none of its databases is there any more: they moved to another one, or left the fleet."""
        return all(address_of(fleet, name) != self.address for name in self.databases)


def server_of(fleet: Fleet, database: str) -> Server | None:
    """Find the server of a database, when more than this one of ours live there."""
    own = address_of(fleet, database)
    mates = tuple(name for name in fleet.databases if own and address_of(fleet, name) == own)
    return Server(own, mates) if len(mates) > 1 else None


def address_of(fleet: Fleet, database: str) -> str:
    """Say where a database is, or nothing; a connection that is wrong is told by whoever uses it."""
    if database not in fleet.databases:
        return ""
    try:
        found = AirflowConnections().find(fleet.databases[database].connection)
    except PgtendError:
        return ""
    return f"{found.params.get('host', 'localhost')}:{found.params.get('port', '5432')}"
