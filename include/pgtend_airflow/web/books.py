"""Sessions in the ledger that stay open from one answer to the next: connecting costs more than most answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Final, Protocol

from fastapi import Depends

from pgtend.fleet.model import LedgerSettings, Limits
from pgtend.kernel.errors import Outage, Refusal
from pgtend.ledger.open import open_reporting
from pgtend.postgres.session import Session
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.web.problems import NoLedger

_MOST: Final = 4
_OLDEST: Final = 300.0
_PATIENCE: Final = 10.0
# A page that takes longer than this helps nobody, and the ledger has more important writers.
_LIMITS: Final = Limits(sessions=_MOST, statement_timeout=timedelta(seconds=5), lock_timeout=timedelta(seconds=2))


class Busy(Outage):
    """More people look at pages at this moment than the API has sessions in the ledger for."""

    code = "web.busy"


class Opener(Protocol):
    """Whatever opens a session in the ledger."""

    def __call__(self, stack: ExitStack, settings: LedgerSettings) -> Session:
        """Open one; the stack closes it."""
        ...


@dataclass(slots=True)
class Lent:
    """One open session."""

    session: Session
    settings: LedgerSettings
    stack: ExitStack
    opened: float


@dataclass(slots=True)
class Books:
    """At most four sessions, each used by one answer at a time and closed after five minutes."""

    opener: Opener
    _idle: list[Lent] = field(default_factory=list[Lent])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST))

    @contextmanager
    def session(self, settings: LedgerSettings) -> Generator[Session]:
        """Lend a session for one answer; one that an error came out of is not lent again."""
        if not self._free.acquire(timeout=_PATIENCE):
            raise Busy("every session in the ledger is in use", hint="Ask again in a moment.")
        try:
            lent = self._take(settings)
            try:
                yield lent.session
            except Refusal:
                self._give_back(lent)
                raise
            except BaseException:
                lent.stack.close()
                raise
            self._give_back(lent)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for lent in idle:
            lent.stack.close()

    def _give_back(self, lent: Lent) -> None:
        with self._lock:
            self._idle.append(lent)

    def _take(self, settings: LedgerSettings) -> Lent:
        now = time.monotonic()
        while True:
            with self._lock:
                lent = self._idle.pop() if self._idle else None
            if lent is None:
                break
            # A fleet file that names another ledger counts from the next answer on.
            if lent.settings == settings and now - lent.opened < _OLDEST and lent.session.is_quiet():
                return lent
            lent.stack.close()
        with ExitStack() as stack:
            session = self.opener(stack, settings)
            return Lent(session, settings, stack.pop_all(), now)


def open_for_pages(stack: ExitStack, settings: LedgerSettings) -> Session:
    """Open a session in the ledger."""
    return stack.enter_context(open_reporting(settings, AirflowConnections(), application="pgtend:web", limits=_LIMITS))


BOOKS: Final = Books(open_for_pages)


def reading() -> Generator[Session]:
    """Lend a session to one route."""
    with BOOKS.session(ledger_settings()) as session:
        yield session


Reading = Annotated[Session, Depends(reading)]


def ledger_settings() -> LedgerSettings:
    """Give the ledger that the fleet file names."""
    settings = usable_fleet().ledger
    if settings is None:
        raise NoLedger(
            "the fleet file names no ledger, so there is nothing to draw pages from",
            hint="Set ledger.connection in the fleet file, then run `pgtend ledger migrate`.",
        )
    return settings
