"""The state behind the messages: one when something breaks, one when it recovers, a reminder a day in between.

Whether to send is decided in the ledger under a lock on the key, so that two tasks that fail at once send one message.
A message that no channel took is given back by `not_sent`, and the next failure or reminder sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from pgtend.kernel.errors import Outage
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.chain import clean
from pgtend.ledger.database import unreachable
from pgtend.postgres.redaction import redact
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

Answer = TypeVar("Answer")
DAILY = timedelta(days=1)
# A daily schedule starts some seconds earlier or later each day: a limit of a whole day would skip every other one.
_EARLY = timedelta(minutes=30)


class Verdict(StrEnum):
    """Whether a message goes out."""

    SEND_OPENED = "send opened"
    SEND_REMINDER = "send reminder"
    SEND_RECOVERED = "send recovered"
    SILENT = "silent"


class Severity(StrEnum):
    """Whether somebody is woken up."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What broke, as it is told to people."""

    database: str
    pipeline: str
    severity: Severity
    code: str
    message: str
    hint: str = ""
    run_url: str = ""
    concerns: tuple[str, ...] = ()
    """Databases, when it is about the whole server that they live on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """What is broken, since when, and how often it failed."""

    key: str
    database: str
    pipeline: str
    severity: str
    code: str
    message: str
    hint: str
    run_url: str
    opened_at: datetime
    last_failed_at: datetime
    times_failed: int
    concerns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The ledger's verdict."""

    verdict: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The name of the condition that somebody looks at; empty when it is open no longer."""

    key: str


ALERT_BROKE = query(__package__ or "", "alert_broke", Judged)
ALERT_RECOVERED = query(__package__ or "", "alert_recovered", Judged)
ALERT_CLAIM_REMINDERS = query(__package__ or "", "alert_claim_reminders", OpenAlert)
ALERT_ACKNOWLEDGE = query(__package__ or "", "alert_acknowledge", Acknowledged)
ALERT_CONCERNS = command(__package__ or "", "alert_concerns")
ALERT_NOT_SENT = command(__package__ or "", "alert_not_sent")
READ_OPEN_ALERTS = query(__package__ or "", "read_open_alerts", OpenAlert)


def alert_key(environment: str, database: str, pipeline: str) -> str:
    """Name a condition so that every channel knows it again: pgtend/production/kgc/analyze."""
    return f"pgtend/{environment}/{database}/{pipeline}"


class AlertBook:
    """Which conditions are open, and who was told when."""

    def __init__(self, session: Session, *, remind_every: timedelta = DAILY, clock: Clock = utc_now) -> None:
        self._session = session
        self._remind_every = remind_every - min(_EARLY, remind_every / 10)
        self._clock = clock

    def broke(self, key: str, failure: Failure) -> Verdict:
        """Note a failure under its key, and tell whether a message goes out."""
        told = {name: redact(clean(text)) for name, text in asdict(failure).items() if name != "concerns"}
        asked = {**told, "key": key, "at": self._clock(), "remind_every": self._remind_every}
        verdict = Verdict(_reach(lambda: self._session.row(ALERT_BROKE, asked)).verdict)
        if failure.concerns:
            named = {"key": key, "databases": list(failure.concerns)}
            _reach(lambda: self._session.run(ALERT_CONCERNS, named))
        return verdict

    def recovered(self, key: str) -> Verdict:
        """Note that the condition is gone, and tell whether a message goes out."""
        asked = {"key": key, "at": self._clock()}
        return Verdict(_reach(lambda: self._session.row(ALERT_RECOVERED, asked)).verdict)

    def due_reminders(self, now: datetime) -> list[OpenAlert]:
        """Claim every reminder that is due: whoever gets it sends it, and nobody else does."""
        asked = {"at": now, "remind_every": self._remind_every}
        return _reach(lambda: self._session.rows(ALERT_CLAIM_REMINDERS, asked))

    def not_sent(self, key: str) -> None:
        """Give back a message that no channel took."""
        _reach(lambda: self._session.run(ALERT_NOT_SENT, {"key": key}))

    def acknowledge(self, alert_id: int, database: str, *, by: str, note: str, pause: timedelta) -> str:
        """Note that somebody looks at it, and give its key; empty when it is open no longer."""
        asked = {"alert_id": alert_id, "database": database, "by": clean(by), "note": clean(note), "pause": pause}
        return _reach(lambda: self._session.row(ALERT_ACKNOWLEDGE, asked)).key

    def open_alerts(self) -> list[OpenAlert]:
        """List what is broken now, oldest first."""
        return _reach(lambda: self._session.rows(READ_OPEN_ALERTS))


def _reach(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except Outage as outage:
        raise unreachable(outage) from outage
