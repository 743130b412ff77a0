"""Several hands at one backup: dumps and looks at tables side by side, and all of them stop when one fails."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from pgtend.kernel.errors import PgtendError
from pgtend.postgres.session import Session

_PATIENCE = 0.2


@dataclass(slots=True)
class Hand:
    """One thread, with a session of its own that is opened when it is first needed."""

    door: Callable[[], AbstractContextManager[Session]]
    _stack: ExitStack = field(default_factory=ExitStack)
    _session: Session | None = None

    def session(self) -> Session:
        """Give the session in which this hand looks at tables."""
        if self._session is None:
            self._session = self._stack.enter_context(self.door())
        return self._session

    def close(self) -> None:
        """Let go of the session."""
        self._session = None
        self._stack.close()


class Crew:
    """Works off two lists: dumps, of which only so many may run at once, and looks, which fill the time."""

    def __init__(self, *, parallel: int) -> None:
        self._dumps: deque[Callable[[], None]] = deque()
        self._looks: deque[Callable[[Session], None]] = deque()
        self._parallel = parallel
        self._dumping = 0
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

    def work(
        self,
        dumps: Iterable[Callable[[], None]],
        looks: Iterable[Callable[[Session], None]],
        hands: int,
        door: Callable[[], AbstractContextManager[Session]],
    ) -> None:
        """Do it all, or stop everything and raise what went wrong first."""
        self._dumps.extend(dumps)
        self._looks.extend(looks)
        threads = [
            threading.Thread(target=self._lend_a_hand, args=(Hand(door),), name=f"backup-{number}", daemon=True)
            for number in range(hands)
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

    def _lend_a_hand(self, hand: Hand) -> None:
        try:
            while (job := self._next(hand)) is not None:
                job()
        except BaseException as error:  # noqa: BLE001 - it is not swallowed: the main thread raises it
            self._fail(error)
        finally:
            hand.close()

    def _next(self, hand: Hand) -> Callable[[], None] | None:
        with self._lock:
            if self._troubles:
                return None
            if self._dumps and self._dumping < self._parallel:
                self._dumping += 1
                dump = self._dumps.popleft()
                # The session would only hold a connection that another hand's dump may need.
                return lambda: self._dump(hand, dump)
            if self._looks:
                look = self._looks.popleft()
                return lambda: self._look(hand, look)
            return None

    def _dump(self, hand: Hand, dump: Callable[[], None]) -> None:
        try:
            hand.close()
            dump()
        finally:
            with self._lock:
                self._dumping -= 1

    def _look(self, hand: Hand, look: Callable[[Session], None]) -> None:
        session = hand.session()
        with self.stoppable(lambda: _cancel(session)):
            look(session)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._troubles.append(error)
            stoppers = tuple(self._stoppers)
        for stop in stoppers:
            stop()


def _cancel(session: Session) -> None:
    """Cancel what a session does, and break the line to a server that does not even listen to that."""
    try:
        session.cancel()
    except PgtendError:
        session.abandon()
