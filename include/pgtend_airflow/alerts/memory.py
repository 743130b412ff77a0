"""Remembers what is open and who was told: in the ledger, and in a file of this machine while the ledger is away.

The file is also the book of a fleet that names no ledger. It is one machine's alone: with workers on several machines
and the ledger away, each machine sends its own message.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from pydantic import TypeAdapter

from pgtend.fleet.model import Fleet, LedgerSettings, Limits
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import utc_now
from pgtend.ledger.alerts import AlertBook, Failure, OpenAlert, Severity, Verdict
from pgtend.ledger.history import FailedRun, GoodRun, ended_well, last_failure, last_good_run
from pgtend.ledger.model import Subject
from pgtend.ledger.open import open_reporting
from pgtend.postgres.session import Session
from pgtend_airflow.connections import AirflowConnections

_FILE: Final = "pgtend-alerts.json"
# Whoever tells of the same thing on another machine holds it as long as its channels take, half a minute for each.
_LIMITS: Final = Limits(lock_timeout=timedelta(minutes=3))


class Book(Protocol):
    """Which conditions are open, and who was told when."""

    def broke(self, key: str, failure: Failure) -> Verdict:
        """Note a failure, and tell whether a message goes out."""
        ...

    def recovered(self, key: str) -> Verdict:
        """Note that a condition is gone, and tell whether a message goes out."""
        ...

    def due_reminders(self, now: datetime) -> list[OpenAlert]:
        """Claim every reminder that is due."""
        ...

    def not_sent(self, key: str) -> None:
        """Give back a message that no channel took."""
        ...

    def open_alerts(self) -> list[OpenAlert]:
        """List what is open, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """The book of alerts, and what is known of earlier runs when the ledger answers."""

    book: Book
    session: Session | None = None
    away: PgtendError | None = None
    """Why the ledger cannot be used, when it should be."""

    @property
    def has_history(self) -> bool:
        """Whether earlier runs can be asked for."""
        return self.session is not None

    def good_runs(self, database: str, pipeline: str) -> tuple[GoodRun, ...]:
        """Find the newest run that ended well."""
        return last_good_run(self.session, database, pipeline) if self.session else ()

    def failures(self, subject: Subject) -> tuple[FailedRun, ...]:
        """Find what a run noted about its own failure."""
        return last_failure(self.session, subject) if self.session else ()

    def ended_well(self, subject: Subject) -> bool:
        """Tell whether a run did its work, as far as anybody keeps that: a fleet without a ledger does not."""
        return ended_well(self.session, subject) if self.session else self.away is None


@contextmanager
def ledger_memory(fleet: Fleet, settings: LedgerSettings) -> Generator[Memory]:
    """Remember in the ledger, all or nothing; what the file took over while it was away comes first."""
    remind_every = fleet.alerts.remind_every
    with (
        open_reporting(settings, AirflowConnections(), application="pgtend:alerts", limits=_LIMITS) as session,
        # The file forgets only what the ledger has committed, so this order.
        file_book(remind_every) as file,
        session.transaction(),
    ):
        book = AlertBook(session, remind_every=remind_every)
        for entry in file.take_all():
            book.broke(entry.key, entry.failure)
            if not entry.is_told:
                book.not_sent(entry.key)
        yield Memory(book, session)


@contextmanager
def file_memory(fleet: Fleet, away: PgtendError | None) -> Generator[Memory]:
    """Remember in a file of this machine, all or nothing."""
    with file_book(fleet.alerts.remind_every) as book:
        yield Memory(book, away=away)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One open condition in the file."""

    key: str
    failure: Failure
    opened_at: datetime
    last_failed_at: datetime
    times_failed: int = 1
    sent_at: datetime | None = None

    @property
    def is_told(self) -> bool:
        """Whether anybody heard of it."""
        return self.sent_at is not None

    def as_open(self) -> OpenAlert:
        """Give it as the ledger would."""
        failure = self.failure
        return OpenAlert(
            key=self.key,
            database=failure.database,
            pipeline=failure.pipeline,
            severity=failure.severity.value,
            code=failure.code,
            message=failure.message,
            hint=failure.hint,
            run_url=failure.run_url,
            opened_at=self.opened_at,
            last_failed_at=self.last_failed_at,
            times_failed=self.times_failed,
            concerns=failure.concerns,
        )


_ENTRIES: Final = TypeAdapter(list[Entry])


@dataclass(slots=True)
class FileBook:
    """A book of alerts in memory, for whoever loads and saves it."""

    remind_every: timedelta
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def broke(self, key: str, failure: Failure) -> Verdict:
        """Note a failure, and tell whether a message goes out."""
        now, known = utc_now(), self.entries.get(key)
        if known is None:
            self.entries[key] = Entry(key=key, failure=failure, opened_at=now, last_failed_at=now, sent_at=now)
            return Verdict.SEND_OPENED
        is_worse = failure.severity is Severity.PAGE and known.failure.severity is not Severity.PAGE
        due = is_worse or self._is_due(known, now)
        self.entries[key] = replace(
            known,
            failure=failure,
            last_failed_at=now,
            times_failed=known.times_failed + 1,
            sent_at=now if due else known.sent_at,
        )
        if not due:
            return Verdict.SILENT
        return Verdict.SEND_REMINDER if known.is_told and not is_worse else Verdict.SEND_OPENED

    def recovered(self, key: str) -> Verdict:
        """Note that a condition is gone, and tell whether a message goes out."""
        known = self.entries.pop(key, None)
        return Verdict.SEND_RECOVERED if known and known.is_told else Verdict.SILENT

    def due_reminders(self, now: datetime) -> list[OpenAlert]:
        """Claim every reminder that is due."""
        due = [entry for entry in self.entries.values() if self._is_due(entry, now)]
        self.entries.update({entry.key: replace(entry, sent_at=now) for entry in due})
        return [entry.as_open() for entry in due]

    def not_sent(self, key: str) -> None:
        """Give back a message that no channel took."""
        if key in self.entries:
            self.entries[key] = replace(self.entries[key], sent_at=None)

    def open_alerts(self) -> list[OpenAlert]:
        """List what is open, oldest first."""
        return [entry.as_open() for entry in sorted(self.entries.values(), key=lambda entry: entry.opened_at)]

    def take_all(self) -> list[Entry]:
        """Hand everything over to the ledger."""
        taken, self.entries = list(self.entries.values()), {}
        return taken

    def _is_due(self, entry: Entry, now: datetime) -> bool:
        return entry.sent_at is None or now - entry.sent_at >= self.remind_every


@contextmanager
def file_book(remind_every: timedelta) -> Generator[FileBook]:
    """Load the book under a lock, and save it when all went well."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    path = home / _FILE
    with (home / f"{_FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = path.read_text(encoding="utf-8") if path.exists() else "[]"
        book = FileBook(remind_every, {entry.key: entry for entry in _ENTRIES.validate_json(before)})
        yield book
        after = _ENTRIES.dump_json(list(book.entries.values())).decode()
        if after != before:
            half = path.with_suffix(".new")
            half.write_text(after, encoding="utf-8")
            half.replace(path)
