"""A small server that is easily strained, and a database on it that is watched by a role that may monitor."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import ExitStack

import pytest

from bed.clusters import Clusters, LiveDatabase, new_database, tools_of
from bed.ledgers import new_ledger
from bed.watching import Ward
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.throwaway import ThrowawayServer

# Few connections, little cache, and an archive that refuses.
STRAINED = {
    "max_connections": "23",
    "shared_buffers": "1MB",
    "max_prepared_transactions": "5",
    "max_slot_wal_keep_size": "1MB",
    "deadlock_timeout": "30ms",
    "archive_mode": "on",
    "archive_command": "false",
    "autovacuum_naptime": "1d",
}


@pytest.fixture(scope="session")
def strained() -> Generator[Callable[[int], ThrowawayServer]]:
    """Give the strained server of a major version, started when first asked for."""
    with ExitStack() as life:
        running: dict[int, ThrowawayServer] = {}

        def of(major: int) -> ThrowawayServer:
            if major not in running:
                running[major] = life.enter_context(ThrowawayServer(tools=tools_of(major), settings=STRAINED))
                # A fast shutdown would wait for the archive, which takes nothing.
                life.callback(running[major].stop, signal.SIGQUIT)
            return running[major]

        yield of


@pytest.fixture(scope="module")
def ledgers(clusters: Clusters) -> Generator[Callable[[int], LiveDatabase]]:
    """Give the migrated ledger of a major version, on another server than the one that is watched."""
    with ExitStack() as life:
        made: dict[int, LiveDatabase] = {}

        def of(major: int) -> LiveDatabase:
            if major not in made:
                made[major] = life.enter_context(new_ledger(clusters.server(major)))
            return made[major]

        yield of


@pytest.fixture
def reporting(server: ThrowawayServer, ledgers: Callable[[int], LiveDatabase]) -> LiveDatabase:
    """Give a migrated ledger that the tests of a file share: each of them watches a database of its own."""
    return ledgers(server.tools.major)


@pytest.fixture
def ward(
    server: ThrowawayServer, strained: Callable[[int], ThrowawayServer], reporting: LiveDatabase
) -> Generator[Ward]:
    """Give a watched database, looked at once already."""
    with new_database(strained(server.tools.major)) as live, reporting.session() as memory:
        monitor = live.new_role("monitor")
        live.run(f'GRANT pg_monitor TO "{monitor.user}"')
        made = Ward(live, monitor, DatabaseLedger(memory))
        made.look()
        yield made
