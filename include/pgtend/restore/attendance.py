"""Watches that what is read for a session is taken by it: a server that answers nothing is not waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from typing_extensions import override

from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import say_span
from pgtend.postgres.process import Stalled
from pgtend.postgres.session import Session
from pgtend.vault.model import Readable


class Attended(Readable):
    """A stream whose reader is watched, and its line broken when it does not come back for more."""

    def __init__(self, raw: Readable, session: Session, silence: timedelta) -> None:
        self._raw = raw
        self._session = session
        self._silence = silence.total_seconds()
        self._is_over = threading.Event()
        self._given_at = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name="attendance", daemon=True)
        self.has_stalled = False

    @override
    def read(self, size: int = -1, /) -> bytes:
        chunk = self._raw.read(size)
        self._given_at = time.monotonic()
        return chunk

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def end(self) -> None:
        """Watch no longer."""
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(max(0.0, self._given_at + self._silence - time.monotonic())):
            if time.monotonic() - self._given_at >= self._silence:
                self.has_stalled = True
                self._session.abandon()
                return


@contextmanager
def attended(stream: Readable, session: Session, silence: timedelta) -> Generator[Attended]:
    """Give a stream to whoever hands it to a session, which may be silent for so long and no longer."""
    watched = Attended(stream, session, silence)
    watched.start()
    try:
        yield watched
    except PgtendError as error:
        if watched.has_stalled:
            raise Stalled(
                f"the server took no row for {say_span(silence)}",
                detail="The connection did not break, and nothing went through it.",
                hint="Look at the network and the server; see docs/runbooks/database-unreachable.md.",
            ) from error
        raise
    finally:
        watched.end()
