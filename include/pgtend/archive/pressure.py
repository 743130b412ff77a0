"""Yields to whoever waits for a lock of ours, to replicas that fall behind, to write-ahead log that piles up."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from pgtend.archive.facts import READ_PRESSURE, READ_WAITING, Pressure
from pgtend.fleet.model import ArchiveRules
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import StatementCancelled
from pgtend.postgres.session import Session

_LOOK_EVERY = 0.025
_ASK_EVERY = 1.0


@dataclass(slots=True)
class Lookout:
    """Watches, on a session of its own, whether somebody waits for us, and cancels the batch that keeps them."""

    session: Session
    working: Session
    patience: timedelta
    times: int = 0
    longest: timedelta = timedelta()
    trouble: PgtendError | None = None
    _batch: int = 0
    _busy: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _told: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def standing(self) -> Generator[None]:
        """Watch as long as this lasts."""
        thread = threading.Thread(target=self._watch, name="lookout", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._busy.set()
            thread.join()

    @contextmanager
    def over_a_batch(self) -> Generator[None]:
        """Mark the time in which we hold locks; outside of it nobody is cancelled."""
        if self.trouble is not None:
            raise self.trouble
        self._batch += 1
        self._busy.set()
        try:
            yield
        finally:
            with self._told:
                self._busy.clear()

    def _watch(self) -> None:
        ourselves = {"ourselves": self.working.connection.info.backend_pid}
        try:
            while self._busy.wait():
                seen = self._batch
                if self._over.wait(_LOOK_EVERY):
                    return
                # Whom a batch kept that ended meanwhile waits no more.
                if self._batch != seen or not self._busy.is_set():
                    continue
                waited = self.session.row(READ_WAITING, ourselves).longest
                self.longest = max(self.longest, waited)
                if waited > self.patience:
                    self._cancel()
        except PgtendError as error:
            self.trouble = error

    def _cancel(self) -> None:
        with self._told:
            if self._busy.is_set():
                self.times += 1
                self.working.cancel()
                # The next look must see what came of this one.
                time.sleep(_LOOK_EVERY)


@dataclass(slots=True)
class Gauge:
    """Pauses while the server is behind, as far as this role can see."""

    session: Session
    rules: ArchiveRules
    progress: Progress
    paused: timedelta = timedelta()
    _asked_at: float = 0.0

    def wait_for_calm(self, closes_at: float) -> bool:
        """Wait until others are not behind; tell whether there is time left."""
        began = time.monotonic()
        said = ""
        while time.monotonic() < closes_at:
            if time.monotonic() - self._asked_at < _ASK_EVERY:
                break
            why = self._too_much(self.read())
            if not why:
                self._asked_at = time.monotonic()
                break
            if why.partition(":")[0] != said:
                said = why.partition(":")[0]
                self.progress(f"pausing: {why}")
            time.sleep(min(_ASK_EVERY / 4, max(closes_at - time.monotonic(), 0)))
        if said:
            self.paused += timedelta(seconds=time.monotonic() - began)
        return time.monotonic() < closes_at

    def read(self) -> Pressure:
        """Look how far behind the server is; a cancel that came too late for a batch is no answer."""
        while True:
            try:
                return self.session.row(READ_PRESSURE)
            except StatementCancelled:
                continue

    def _too_much(self, seen: Pressure) -> str:
        if seen.replica_lag > self.rules.replica_lag:
            return f"a replica lags: {say_span(seen.replica_lag)} behind"
        if seen.wal_backlog > self.rules.wal_backlog:
            return f"write-ahead log is held back: {Bytes(seen.wal_backlog)}"
        return ""
