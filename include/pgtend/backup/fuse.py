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


class Fuse:
    """Waits for a sign that all went well, and breaks the lines when none comes in time."""

    def __init__(self, sessions: Sequence[Session], within: timedelta) -> None:
        self._sessions = sessions
        self._timer = threading.Timer(within.total_seconds(), self._blow)
        self._timer.daemon = True
        self.has_blown = False

    def start(self) -> None:
        """Begin to wait."""
        self._timer.start()

    def calm(self) -> None:
        """Say that all went well."""
        self._timer.cancel()

    def _blow(self) -> None:
        self.has_blown = True
        for session in self._sessions:
            session.abandon()


@contextmanager
def fused(sessions: Sequence[Session], within: timedelta) -> Generator[Fuse]:
    """Let a piece of work take so long and no longer, unless it says before that all went well."""
    fuse = Fuse(sessions, within)
    fuse.start()
    try:
        yield fuse
    except PgtendError as error:
        if fuse.has_blown:
            raise Stalled(
                f"the server gave no answer for {say_span(within)}",
                detail="The connections did not break, and nothing came through them.",
                hint="Look at the network and the server; see docs/runbooks/database-unreachable.md.",
            ) from error
        raise
    finally:
        fuse.calm()
