"""Killed at random moments, the archive loses nothing: after the rerun the same rows are there, each once."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import pytest

from bed.archiving import METRICS, Attic, clinic
from bed.clusters import MAJORS, new_database, statement, tools_of
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.throwaway import ThrowawayServer

ALL = "public.health_metrics_all"
ROUNDS = 6
END_OURS = (
    "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name LIKE 'pgtend:archive:%%' OR application_name LIKE 'pgtend:lookout:%%'; END $$"
)


@pytest.fixture(params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def attic(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Attic]:
    """Give a clinic on a server that this test may kill, with batches small enough to be interrupted."""
    server = ThrowawayServer(tools=tools_of(request.param))
    with server, new_database(server) as live:
        made = clinic(live, tmp_path, rows=20_000)
        made.rules = {"batch": "1 ms"}
        yield made


def work(attic: Attic) -> None:
    """Archive in a process of its own; an error is what is wanted."""
    with suppress(PgtendError, OSError):
        attic.run()


def kill_client(_attic: Attic, client: int) -> None:
    """Kill the process that archives."""
    os.kill(client, signal.SIGKILL)


def kill_backends(attic: Attic, _client: int) -> None:
    """End the sessions in the server."""
    with attic.live.session() as session:
        session.run(statement(END_OURS))


def kill_server(attic: Attic, _client: int) -> None:
    """Kill the server as a whole, and start it again: it recovers from a crash."""
    attic.live.server.stop(how=signal.SIGKILL)
    attic.live.server.start()


KILLS: tuple[Callable[[Attic, int], None], ...] = (kill_client, kill_backends, kill_server)


def test_whatever_is_killed_no_row_is_lost_or_doubled(attic: Attic) -> None:
    """Client, sessions and server by turns; each time live and archive together are what the table was."""
    before = attic.content(METRICS)
    dice = random.Random(6)  # noqa: S311 - moments, and no secrets
    for number in range(ROUNDS):
        client = multiprocessing.get_context("fork").Process(target=work, args=(attic,))
        client.start()
        time.sleep(dice.uniform(0.1, 1.5))
        KILLS[number % len(KILLS)](attic, client.pid or 0)
        client.join(60)
        if attic.ask(f"SELECT to_regclass('{ALL}') IS NOT NULL") == "true":
            assert attic.content(ALL) == before, f"after {KILLS[number % len(KILLS)].__name__}"
    assert attic.run().is_finished
    assert attic.content(ALL) == before
    assert attic.ask("SELECT min(date) >= '2025-11-01' FROM public.health_metrics") == "true"
    assert {unit.state for unit in attic.units()} == {"sealed"}
    assert attic.run().rows == 0
