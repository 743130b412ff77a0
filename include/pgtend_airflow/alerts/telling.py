"""Says one thing about one run: notes it in the book, and sends the message that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from pgtend.fleet.model import Fleet
from pgtend.kernel.times import say_span, utc_now
from pgtend.ledger.alerts import Failure, OpenAlert, Severity, Verdict, alert_key
from pgtend.ledger.model import Subject
from pgtend_airflow.alerts.channels import ChannelBroken, deliver
from pgtend_airflow.alerts.memory import Memory
from pgtend_airflow.alerts.message import CRITICAL, Incident, Moment, Trouble, compose
from pgtend_airflow.links import run_link, runbook_link

_LATE: Final = "-late"
_OF_LEDGER: Final = "ledger."
_PROVES_NOTHING: Final = "reminders"
WATCHING: Final = "health"
WATCHED_LEVELS: Final = {Severity.PAGE: CRITICAL, Severity.TICKET: "warning"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Which run of which pipeline something happened in."""

    database: str
    pipeline: str
    run_url: str

    @classmethod
    def of(cls, dag_id: str, run_id: str) -> Self:
        """Take the name of a DAG apart."""
        database, pipeline = dag_id.split(".", 1)
        return cls(database, pipeline, run_link(dag_id, run_id))


@dataclass(frozen=True, slots=True)
class Telling:
    """A fleet whose people are told, the memory of what they heard, and the run it is about."""

    fleet: Fleet
    memory: Memory
    origin: Origin

    def broke(self, trouble: Trouble, opened: Moment = Moment.OPENED) -> None:
        """Note a failure, and send a message when it is news."""
        key = self._key(_LATE if opened is Moment.LATE else "")
        if trouble.code.startswith(_OF_LEDGER) or self.memory.away:
            key = self._ledger_key
        verdict = self.memory.book.broke(key, self.failure(trouble))
        if verdict is Verdict.SILENT:
            return
        if not self.send(trouble, opened if verdict is Verdict.SEND_OPENED else Moment.REMINDER):
            self.memory.book.not_sent(key)

    def is_told(self) -> bool:
        """Tell whether something is open already that came out of this very run."""
        return any(alert.run_url == self.origin.run_url for alert in self.memory.book.open_alerts())

    def noted_by_ledger(self) -> Trouble | None:
        """Give what the run itself noted before it ended, or None when it could not."""
        origin = self.origin
        subject = Subject(origin.database, origin.pipeline, actor="", run_url=origin.run_url)
        noted = next(iter(self.memory.failures(subject)), None)
        return Trouble(code=noted.error_code, message=noted.error_message, hint=noted.hint) if noted else None

    def ended_by_success(self) -> list[OpenAlert]:
        """List what the success of this run puts an end to."""
        keys = {self._key(), self._key(_LATE)}
        if self.origin.pipeline != _PROVES_NOTHING and self.memory.away is None:
            keys.add(self._ledger_key)
        return [alert for alert in self.memory.book.open_alerts() if alert.key in keys]

    def recovered(self, alert: OpenAlert) -> None:
        """Close what is over, and tell those who heard of it; when nobody can be told, it stays open."""
        if self.memory.book.recovered(alert.key) is Verdict.SILENT:
            return
        if not self.send(trouble_in(alert), Moment.RECOVERED):
            raise ChannelBroken(
                "no channel took the message that it recovered",
                hint="Follow docs/runbooks/alert-channel-broken.md; the next success tells it.",
            )

    def send(self, trouble: Trouble, moment: Moment) -> bool:
        """Send one message to every channel, and tell whether any took it."""
        origin, database = self.origin, self.fleet.databases.get(self.origin.database)
        incident = Incident(
            moment=moment,
            key=f"{origin.database}.{origin.pipeline}",
            fleet=self.fleet.fleet,
            environment=self.fleet.environment,
            subject=f"database {origin.database}" if database else "the whole fleet",
            owner=database.owner if database else self.fleet.owner,
            trouble=trouble,
            still_safe=self._still_safe(),
            next_step=_next_step(moment),
            runbook=runbook_link(self.fleet, trouble.runbook),
            run=origin.run_url,
        )
        return deliver(self.fleet.alerts, compose(incident))

    def _still_safe(self) -> str:
        if not self.memory.has_history:
            return "unknown, as the ledger cannot be asked"
        good = next(iter(self.memory.good_runs(self.origin.database, self.origin.pipeline)), None)
        if good is None:
            return "nothing of this pipeline yet: no run has ended well so far"
        age = say_span(utc_now() - good.ended_at)
        return f"what the run of {good.ended_at:%Y-%m-%d %H:%M} UTC left, {age} ago ({good.run_id})"

    def failure(self, trouble: Trouble) -> Failure:
        """Say a trouble as the book keeps it."""
        return Failure(
            database=self.origin.database,
            pipeline=self.origin.pipeline,
            severity=Severity.PAGE if trouble.wakes_somebody else Severity.TICKET,
            code=trouble.code,
            message=trouble.message,
            hint=trouble.hint,
            run_url=self.origin.run_url,
        )

    def _key(self, condition: str = "") -> str:
        return alert_key(self.fleet.environment, self.origin.database, f"{self.origin.pipeline}{condition}")

    @property
    def _ledger_key(self) -> str:
        """One key for all databases: while the ledger is away nothing runs, and one message says so."""
        return alert_key(self.fleet.environment, "fleet", "ledger")


def trouble_in(alert: OpenAlert) -> Trouble:
    """Give what an open alert is about."""
    level = WATCHED_LEVELS[Severity(alert.severity)] if f"/{WATCHING}/" in alert.key else ""
    return Trouble(code=alert.code, message=alert.message, hint=alert.hint, watched=level)


def _next_step(moment: Moment) -> str:
    if moment is Moment.RECOVERED:
        return "Nothing: it works again."
    if moment in {Moment.WARNS, Moment.CRITICAL}:
        return "It is looked at again in some minutes. A message follows when it gets worse and when it is over."
    if moment is Moment.LATE:
        return "The run goes on until its time limit. A message follows when one succeeds."
    return "The schedule tries again. Until it succeeds there are reminders, and then one message that it recovered."
