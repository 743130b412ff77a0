"""Archives that are killed at random moments: the client, its sessions, the whole server, by turns."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from bed.archiving import METRICS, Attic, clinic
from bed.clusters import new_database, statement, tools_of
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.throwaway import ThrowawayServer

ALL = "public.health_metrics_all"
END_OURS = (
    "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name LIKE 'pgtend:archive:%%' OR application_name LIKE 'pgtend:lookout:%%'; END $$"
)


@contextmanager
def doomed_clinic(major: int, folder: Path, mode: str, *, rows: int = 20_000) -> Generator[Attic]:
    """Give a clinic on a server that may be killed, with batches small enough to be interrupted."""
    with ThrowawayServer(tools=tools_of(major)) as server, new_database(server) as live:
        made = clinic(live, folder, rows=rows)
        made.rules = {"batch": "1 ms"}
        made.tables = {METRICS: {"by": "date", "mode": mode}}
        yield made


def killed_rounds(attic: Attic, rounds: int, *, seed: int = 6, latest: float = 1.0) -> Generator[tuple[str, bool]]:
    """Kill so many runs; say each time what was killed, and whether all rows are there, each once."""
    before = attic.content(METRICS)
    dice = random.Random(seed)  # noqa: S311 - moments, and no secrets
    for number in range(rounds):
        kill = KILLS[number % len(KILLS)]
        client = multiprocessing.get_context("fork").Process(target=_work, args=(attic,))
        client.start()
        time.sleep(dice.uniform(0.05, latest))
        kill(attic, client.pid or 0)
        client.join(60)
        whole = ALL if attic.ask(f"SELECT to_regclass('{ALL}') IS NOT NULL") == "true" else METRICS
        yield kill.__name__, attic.content(whole) == before


def _work(attic: Attic) -> None:
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
