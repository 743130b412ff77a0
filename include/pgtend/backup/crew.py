"""Several hands at one backup: dumps and looks at tables side by side, and all of them stop when one fails."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias, TypeVar

from pgtend.kernel.errors import PgtendError
from pgtend.postgres.session import Session

Dump: TypeAlias = Callable[[], None]
Look: TypeAlias = Callable[[Session], None]
Job = TypeVar("Job")
_PATIENCE = 0.2


class Crew:
    """Works off two lists: dumps, of which only so many are drained at once, and looks, one a session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stoppers: set[Callable[[], None]] = set()
        self._troubles: list[BaseException] = []

    @contextmanager
    def stoppable(self, stop: Callable[[], None]) -> Generator[None]:
        """Let the crew end what would otherwise be waited for."""
        with self._lock:
            self._stoppers.add(stop)
        try:
            if self._troubles:
                stop()
            yield
        finally:
            with self._lock:
                self._stoppers.discard(stop)

    def work(self, dumps: Iterable[Dump], looks: Iterable[Look], *, parallel: int, readers: Sequence[Session]) -> None:
        """Do it all, or stop everything and raise what went wrong first."""
        waiting, unseen = deque(dumps), deque(looks)
        hands = [partial(self._drain, waiting) for _ in range(parallel)]
        eyes = [partial(self._watch, unseen, reader) for reader in readers]
        threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"backup-{number}", daemon=True)
            for number, work in enumerate([*hands, *eyes])
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                # A wait in slices: a signal for the main thread is seen between two of them.
                while thread.is_alive():
                    thread.join(_PATIENCE)
        except BaseException as error:
            self._fail(error)
            for thread in threads:
                thread.join()
            raise
        if self._troubles:
            raise self._troubles[0]

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is not swallowed: the main thread raises it
            self._fail(error)

    def _drain(self, waiting: deque[Dump]) -> None:
        while not self._troubles and (dump := _next(waiting)):
            dump()

    def _watch(self, unseen: deque[Look], reader: Session) -> None:
        while not self._troubles and (look := _next(unseen)):
            with self.stoppable(lambda: _cancel(reader)):
                look(reader)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._troubles.append(error)
            stoppers = tuple(self._stoppers)
        for stop in stoppers:
            self._stop(stop)

    def _stop(self, stop: Callable[[], None]) -> None:
        try:
            stop()
        except Exception as error:  # noqa: BLE001 - the others are to be stopped too, and what went wrong first counts
            what = error.message if isinstance(error, PgtendError) else type(error).__name__
            self._troubles[0].add_note(f"Not all of the work could be stopped: {what}.")


def _next(jobs: deque[Job]) -> Job | None:
    try:
        return jobs.popleft()
    except IndexError:
        return None


def _cancel(session: Session) -> None:
    """Cancel what a session does, and break the line to a server that does not even listen to that."""
    try:
        session.cancel()
    except PgtendError:
        session.abandon()
