"""The watchdog beside a real Airflow whose parts stop one after the other: a message each, and one when it is over."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bed.clusters import tools_of
from bed.ledgers import new_ledger
from bed.watchman import Watchman
from pgtend.postgres.throwaway import ThrowawayServer
from stories.test_killed_tasks import Stage, stage

pytestmark = pytest.mark.long

__all__ = ["stage"]


class Stoppable(Protocol):
    """What can be stopped and started again where it was."""

    def start(self) -> object:
        """Be there."""

    def stop(self) -> object:
        """Be gone."""


@contextmanager
def away(part: Stoppable) -> Generator[None]:
    """Let something be gone until the block ends."""
    part.stop()
    try:
        yield
    finally:
        part.start()


def test_the_watchdog_tells_of_each_part_that_stops_once_and_of_its_return_once(stage: Stage, tmp_path: Path) -> None:
    """Scheduler, api-server, ledger and mailer, one after the other and all of them real, by the real command."""
    with ExitStack() as stack:
        server = stack.enter_context(ThrowawayServer(tools=tools_of(15)))
        reporting = stack.enter_context(new_ledger(server))
        watchman = stack.enter_context(Watchman.on_duty(tmp_path, stage.site.address, reporting))
        parts = {
            "airflow.scheduler": stage.killed("scheduler", signal.SIGTERM),
            "airflow.api-server": stage.killed("api-server"),
            "ledger": away(server),
            "channel.mail": away(watchman.mailer),
        }
        for key, stopped in parts.items():
            with stopped:
                assert watchman.tells(f"BROKEN: {key}") <= 2
                watchman.goes_on(rounds=2)
            watchman.tells(f"WELL AGAIN: {key}")
            watchman.goes_on(rounds=2)
        assert watchman.told == [f"{said}: {key}" for key in parts for said in ("BROKEN", "WELL AGAIN")]
        last_mail = watchman.mailer.sink.texts()[-1]
        assert last_mail.startswith("[watched production] watchdog: channel.mail is well again")
