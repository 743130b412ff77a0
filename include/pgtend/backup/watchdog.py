"""Breaks the lines to a server that answers nothing: nobody else watches while a backup takes its locks."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import say_span
from pgtend.postgres.process import Stalled
from pgtend.postgres.session import Session


class Watchdog:
    """Waits for a sign that all went well, and breaks the lines when none comes in time."""

    def __init__(self, sessions: Sequence[Session], within: timedelta) -> None:
        self._sessions = sessions
        self._timer = threading.Timer(within.total_seconds(), self._bite)
        self._timer.daemon = True
        self.has_bitten = False

    def start(self) -> None:
        """Begin to wait."""
        self._timer.start()

    def calm(self) -> None:
        """Say that all went well."""
        self._timer.cancel()

    def _bite(self) -> None:
        self.has_bitten = True
        for session in self._sessions:
            session.abandon()


@contextmanager
def watched(sessions: Sequence[Session], within: timedelta) -> Generator[Watchdog]:
    """Let a piece of work take so long and no longer, unless it calms the dog before."""
    dog = Watchdog(sessions, within)
    dog.start()
    try:
        yield dog
    except PgtendError as error:
        if dog.has_bitten:
            raise Stalled(
                f"the server gave no answer for {say_span(within)}",
                detail="The connections did not break, and nothing came through them.",
                hint="Look at the network and the server; see docs/runbooks/database-unreachable.md.",
            ) from error
        raise
    finally:
        dog.calm()
