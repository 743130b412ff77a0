"""Watches a rebuild from a second connection, and sacrifices it before the application has to wait.

A rebuild waits for every older transaction. When one of those then wants a lock that the rebuild holds, somebody must
give way; left to the server that is often the application, by "deadlock detected". So whoever begins to wait for us has
priority: our statement is cancelled at once, and tried again later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from pgtend.indexes.errors import GaveWay, GivenUp, WaitedTooLong
from pgtend.indexes.facts import READ_NODE
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import TransactionLost
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

# The server looks for deadlocks after one second; the application must be free well before.
_LOOK = 0.1
_SLOW_LOOK = 1.0
_SAY_EVERY = 10.0
_WAITING = "waiting for"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session that waits behind ours."""

    pid: int
    application: str


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far a build is."""

    phase: str
    percent: float
    locker: int
    locker_application: str


@dataclass(frozen=True, slots=True)
class StandbyState:
    """How a standby stands."""

    is_standby: bool
    lag: float
    is_read: bool


READ_WAITING_BEHIND = query(__package__ or "", "read_waiting_behind", Waiting)
READ_BUILD_PROGRESS = query(__package__ or "", "read_build_progress", BuildProgress)
READ_STANDBY = query(__package__ or "", "read_standby", StandbyState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a rebuild may not exceed."""

    longest_wait: timedelta
    lag: timedelta
    storage: int | None = None
    ends_at: float | None = None
    """By the monotonic clock: when the window closes."""


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Looks every tenth of a second, from a thread and a session of its own."""

    watcher: Session
    worker: Session
    bounds: Bounds
    progress: Progress
    what: str
    standbys: Sequence[Session] = ()
    verdict: Outage | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)
    _waits_since: float | None = None
    _said: tuple[str, float] = ("", 0.0)

    @contextmanager
    def watching(self) -> Generator[None]:
        """Watch what happens inside; an error that our own cancelling caused is replaced by the reason for it."""
        thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        thread.start()
        try:
            yield
        except TransactionLost as error:
            # The server saw the deadlock before we did, and ended our statement for it: the application went first.
            raise self.verdict or self._gave_way("The server ended it by deadlock.") from error
        except Outage as error:
            if self.verdict is not None:
                raise self.verdict from error
            raise
        finally:
            self._is_over.set()
            thread.join()

    def _watch(self) -> None:
        slow_look = time.monotonic()
        while not self._is_over.wait(_LOOK):
            try:
                verdict = self._look_behind()
                if verdict is None and time.monotonic() >= slow_look:
                    slow_look = time.monotonic() + _SLOW_LOOK
                    verdict = self._look_around()
            except PgtendError as error:
                verdict = _blind(self.what, error)
            if verdict is not None:
                self._sacrifice(verdict)
                return

    def _sacrifice(self, verdict: Outage) -> None:
        self.verdict = verdict
        while not self._is_over.is_set():
            # A server that cannot be told notices by itself that we are gone.
            with suppress(PgtendError):
                self.worker.cancel()
            # Again: a cancel that arrives between two transactions of the rebuild stops neither.
            self._is_over.wait(0.2)

    def _look_behind(self) -> Outage | None:
        pid = self.worker.facts.backend_pid
        ours = [pid, self.watcher.facts.backend_pid]
        waiting = self.watcher.rows(READ_WAITING_BEHIND, {"ours": ours, "worker": pid})
        if not waiting:
            return None
        return self._gave_way(f"Session {waiting[0].pid} ({waiting[0].application or 'without a name'}) wanted a lock.")

    def _gave_way(self, detail: str) -> GaveWay:
        return GaveWay(
            f"{self.what} was given up, because the application had begun to wait for it",
            detail=detail,
            hint="It is tried again by itself. See docs/runbooks/index-not-rebuilt.md if it never succeeds.",
        )

    def _look_around(self) -> Outage | None:
        now = time.monotonic()
        if self.bounds.ends_at is not None and now >= self.bounds.ends_at:
            return self._given_up("the window closed")
        found = self.watcher.rows(READ_BUILD_PROGRESS, {"worker": self.worker.facts.backend_pid})
        self._say(found, now)
        return self._judge_wait(found, now) or self._judge_room() or self._judge_standbys()

    def _judge_wait(self, found: Sequence[BuildProgress], now: float) -> Outage | None:
        if not found or not found[0].phase.startswith(_WAITING):
            self._waits_since = None
            return None
        self._waits_since = self._waits_since or now
        if now - self._waits_since < self.bounds.longest_wait.total_seconds():
            return None
        locker = found[0].locker_application or "without a name"
        return WaitedTooLong(
            f"{self.what} was given up after waiting {say_span(self.bounds.longest_wait)} for another session",
            detail=f"It was {found[0].phase}: session {found[0].locker} ({locker}).",
            hint="Have that application end its transactions; see docs/runbooks/index-not-rebuilt.md.",
        )

    def _judge_room(self) -> Outage | None:
        if self.bounds.storage is None:
            return None
        size = self.watcher.row(READ_NODE).server_size
        if size <= self.bounds.storage:
            return None
        return self._given_up(f"the databases have grown to {Bytes(size)}, above indexes.storage")

    def _judge_standbys(self) -> Outage | None:
        for standby in self.standbys:
            state = standby.row(READ_STANDBY, {"table": 0})
            if state.is_standby and state.lag > self.bounds.lag.total_seconds():
                lag = say_span(timedelta(seconds=state.lag))
                return self._given_up(f"the standby at {standby.address.place} is {lag} behind")
        return None

    def _given_up(self, why: str) -> GivenUp:
        return GivenUp(
            f"{self.what} was given up: {why}",
            detail="The old index is untouched.",
            hint="It is tried again in the next window; see docs/runbooks/index-not-rebuilt.md.",
        )

    def _say(self, found: Sequence[BuildProgress], now: float) -> None:
        if not found:
            return
        phase, at = self._said
        if found[0].phase != phase or now - at >= _SAY_EVERY:
            self._said = (found[0].phase, now)
            self.progress(f"{self.what}: {found[0].phase}, {found[0].percent:.0f} %")


def _blind(what: str, error: PgtendError) -> GivenUp:
    return GivenUp(
        f"{what} was given up: nobody could watch it any longer",
        detail=f"The watching session said: {error.message}.",
        hint=error.hint or "It is tried again in the next window.",
    )
