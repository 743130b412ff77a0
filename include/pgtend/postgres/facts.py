"""What is true of a server while we are connected to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pgtend.postgres.errors import PoolerInTheWay, UnsupportedServer
from pgtend.sqlfiles import query

OLDEST_MAJOR = 13
SEARCH_PATH = "pg_catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The server, the database and the role of one session."""

    version: int
    is_standby: bool
    system_identifier: str
    database: str
    role: str
    is_superuser: bool
    extensions: Mapping[str, str]
    started_at: datetime
    encoding: str
    collation: str
    database_connection_limit: int
    role_connection_limit: int
    max_connections: int
    has_checksums: bool
    backend_pid: int
    application: str
    search_path: str

    @property
    def major(self) -> int:
        """The major version: 15 of 150018."""
        return self.version // 10000

    @property
    def version_text(self) -> str:
        """The version as PostgreSQL writes it: 15.18."""
        return f"{self.major}.{self.version % 10000}"

    @property
    def connection_limit(self) -> int:
        """How many connections this role can have in this database at most."""
        limits = (self.max_connections, self.database_connection_limit, self.role_connection_limit)
        return min(limit for limit in limits if limit >= 0)


READ_FACTS = query(__package__ or "", "read_facts", ServerFacts)


def refuse_unsupported(facts: ServerFacts) -> None:
    """Refuse a server older than any we test with."""
    if facts.major < OLDEST_MAJOR:
        raise UnsupportedServer(
            f"PostgreSQL {facts.version_text} is not supported",
            detail=f"The oldest supported server is PostgreSQL {OLDEST_MAJOR}.",
            hint="Upgrade the server: its own maintenance has ended too.",
        )


def refuse_pooler(facts: ServerFacts, *, promised_pid: int, application: str) -> None:
    """Refuse to work through a connection pooler.

    A pooler hands out cancel keys of its own, so that the process libpq was promised is not the one that answers, and
    in transaction mode it drops settings or gives them to the next client.
    """
    signs: list[str] = []
    if facts.backend_pid != promised_pid:
        signs.append(f"process {facts.backend_pid} answers where {promised_pid} was promised")
    if facts.search_path != SEARCH_PATH:
        signs.append("our settings were dropped")
    if facts.application != application:
        signs.append("our application_name was dropped")
    if signs:
        raise PoolerInTheWay(
            "a connection pooler stands between us and the server",
            detail=f"Through it settings leak and advisory locks lie; seen: {', and '.join(signs)}.",
            hint="Give the connection the server's own host and port instead of the pooler's.",
        )
