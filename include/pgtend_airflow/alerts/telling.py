"""Says one thing about one run: notes it in the book, and sends the message that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from pgtend.fleet.model import RESERVED, Fleet
from pgtend.kernel.errors import BrokenEvidence
from pgtend.kernel.times import say_span, utc_now
from pgtend.ledger.alerts import Failure, OpenAlert, Severity, Verdict, alert_key
from pgtend.ledger.model import Subject
from pgtend_airflow.alerts.channels import ChannelBroken, deliver
from pgtend_airflow.alerts.memory import Memory
from pgtend_airflow.alerts.message import CRITICAL, RECOVERED, Incident, Moment, Trouble, compose
from pgtend_airflow.alerts.servers import ASK_IT, AWAY, Server, address_of, server_of
from pgtend_airflow.links import run_link, runbook_link

_LATE: Final = "-late"
_OF_LEDGER: Final = "ledger."
_WRITTEN_IN_IT: Final = frozenset(
    {"ledger.chain_broken", "ledger.anchor_unreadable", "ledger.folder_damaged", "ledger.keep_too_short"}
)
"""What is wrong with a ledger that answers: no run of something else puts an end to it."""
_FLEET: Final = RESERVED
_SERVER: Final = "server/"
FLEET_FILE: Final = "file"
"""What stands where others have a pipeline when the fleet file has problems."""
_PROVES_NOTHING: Final = frozenset({"reminders", FLEET_FILE})
_KEEPS_NO_RUNS: Final = frozenset({"audit", "channels", "health", "reminders"})
"""What these did is no run in the ledger, so only Airflow can say that it was done."""
_RESTORE: Final = "restore"
_BY_HAND: Final = "Nothing tries again by itself: a person starts it"
_AGAIN: Final = {_RESTORE: _BY_HAND, "verify": _BY_HAND, FLEET_FILE: "It is read again every hour"}
NOT_IN_FLEET: Final = "Nothing: the fleet file has it no longer, so nobody looks after it."
NOT_RESTORED: Final = "Nothing: nobody asks for it any more, and nothing was restored."
WATCHING: Final = "health"
JUDGING: Final = "statements"
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
        server = server_of(self.fleet, self.origin.database) if trouble.code in AWAY else None
        if self._is_of_ledger(trouble):
            key, server = self._ledger_key, None
        elif server:
            key = server_key(self.fleet, server.address)
        if any(alert.key == key and alert.severity == Severity.PAGE for alert in self.memory.book.open_alerts()):
            trouble = replace(trouble, has_woken=True)
        verdict = self.memory.book.broke(key, self.failure(trouble, server))
        if verdict is Verdict.SILENT:
            return
        if not self.send(trouble, opened if verdict is Verdict.SEND_OPENED else Moment.REMINDER, server):
            self.memory.book.not_sent(key)

    def is_told(self) -> bool:
        """Tell whether its failure is told already, or its server is down; what the run found is another matter."""
        open_now = self.memory.book.open_alerts()
        own = {self._key(), self._key(_LATE), self._ledger_key}
        if any(alert.run_url == self.origin.run_url and alert.key in own for alert in open_now):
            return True
        return self._server_alert(open_now) is not None

    def noted_by_ledger(self) -> Trouble | None:
        """Give what the run itself noted before it ended, or None when it could not."""
        noted = next(iter(self.memory.failures(self._subject)), None)
        return Trouble(code=noted.error_code, message=noted.error_message, hint=noted.hint) if noted else None

    def did_its_work(self) -> bool:
        """Tell whether a success is one: a task that somebody marked, or a restore that was rejected, did nothing."""
        return self.origin.pipeline in _KEEPS_NO_RUNS or self.memory.ended_well(self._subject)

    def ended_by_rejection(self) -> list[OpenAlert]:
        """List what ends when a restore is asked for no more: that one could not be done, but no damage that it met."""
        keys = {self._key(), self._key(_LATE)} if self.origin.pipeline == _RESTORE else set[str]()
        open_now = self.memory.book.open_alerts()
        return [alert for alert in open_now if alert.key in keys and alert.severity != Severity.PAGE]

    def ended_by_success(self) -> list[OpenAlert]:
        """List what the success of this run puts an end to."""
        keys = {self._key(), self._key(_LATE)}
        if self.origin.pipeline not in _PROVES_NOTHING and self.memory.away is None:
            keys.add(self._ledger_key)
        open_now = self.memory.book.open_alerts()
        servers = [self._server_alert(open_now), *self._servers_left(open_now)]
        return [alert for alert in open_now if alert.key in keys or alert in servers]

    def recovered(self, alert: OpenAlert, how: str = RECOVERED) -> None:
        """Close what is over, and tell those who heard of it; when nobody can be told, it stays open."""
        if self.memory.book.recovered(alert.key) is Verdict.SILENT:
            return
        if not self.send(trouble_in(alert), Moment.RECOVERED, Server.of_alert(alert), next_step=how):
            raise ChannelBroken(
                "no channel took the message that it recovered",
                hint="Follow docs/runbooks/alert-channel-broken.md; the next success tells it.",
            )

    def send(self, trouble: Trouble, moment: Moment, server: Server | None = None, *, next_step: str = "") -> bool:
        """Send one message to every channel that wants its class, and tell whether any took it."""
        origin, database = self.origin, self.fleet.databases.get(self.origin.database)
        subject = "the whole fleet" if origin.database == _FLEET else f"database {origin.database}"
        incident = Incident(
            moment=moment,
            key=server.pipeline if server else f"{origin.database}.{origin.pipeline}",
            fleet=self.fleet.fleet,
            environment=self.fleet.environment,
            subject=f"databases {', '.join(server.databases)}" if server else subject,
            owner=server.owners(self.fleet) if server else database.owner if database else self.fleet.owner,
            trouble=replace(trouble, message=server.says) if server else trouble,
            still_safe=self._still_safe(),
            next_step=next_step or _next_step(moment, origin.pipeline),
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

    def failure(self, trouble: Trouble, server: Server | None = None) -> Failure:
        """Say a trouble as the book keeps it."""
        return Failure(
            database=_FLEET if server else self.origin.database,
            pipeline=server.pipeline if server else self.origin.pipeline,
            concerns=server.databases if server else (),
            severity=Severity.PAGE if trouble.wakes_somebody else Severity.TICKET,
            code=trouble.code,
            message=trouble.message,
            hint=trouble.hint,
            run_url=self.origin.run_url,
        )

    def _server_alert(self, open_now: Sequence[OpenAlert]) -> OpenAlert | None:
        """Find the open alert about the server of this database; nobody is asked while no server is down."""
        found = {server.address: alert for alert, server in servers_in(open_now)}
        is_asked = found and self.origin.pipeline in ASK_IT
        return found.get(address_of(self.fleet, self.origin.database)) if is_asked else None

    def _servers_left(self, open_now: Sequence[OpenAlert]) -> list[OpenAlert]:
        """Find the open alerts about servers that this database left, as all others did that were there."""
        if self.origin.pipeline not in ASK_IT:
            return []
        left = ((alert, server) for alert, server in servers_in(open_now) if self.origin.database in server.databases)
        return [alert for alert, server in left if server.is_left(self.fleet)]

    @property
    def _subject(self) -> Subject:
        return Subject(self.origin.database, self.origin.pipeline, actor="", run_url=self.origin.run_url)

    def _key(self, condition: str = "") -> str:
        return alert_key(self.fleet.environment, self.origin.database, f"{self.origin.pipeline}{condition}")

    def _is_of_ledger(self, trouble: Trouble) -> bool:
        """Whether it is told as the ledger's own trouble. Damage never is: nobody would hear of it until it is back."""
        if trouble.code.startswith(_OF_LEDGER):
            return trouble.code not in _WRITTEN_IN_IT
        return self.memory.away is not None and trouble.family is not BrokenEvidence

    @property
    def _ledger_key(self) -> str:
        """One key for all databases: while the ledger is away nothing runs, and one message says so."""
        return alert_key(self.fleet.environment, _FLEET, "ledger")


def server_key(fleet: Fleet, address: str) -> str:
    """One key for all databases of a server."""
    return alert_key(fleet.environment, _FLEET, f"{_SERVER}{address}")


def servers_in(alerts: Sequence[OpenAlert]) -> list[tuple[OpenAlert, Server]]:
    """List the alerts about whole servers."""
    return [(alert, server) for alert in alerts if (server := Server.of_alert(alert))]


def trouble_in(alert: OpenAlert) -> Trouble:
    """Give what an open alert is about."""
    is_condition = any(f"/{pipeline}/" in alert.key for pipeline in (WATCHING, JUDGING))
    level = WATCHED_LEVELS[Severity(alert.severity)] if is_condition else ""
    has_woken = alert.severity == Severity.PAGE
    return Trouble(code=alert.code, message=alert.message, hint=alert.hint, watched=level, has_woken=has_woken)


def _next_step(moment: Moment, pipeline: str) -> str:
    if moment is Moment.LATE:
        return "The run goes on until its time limit. A message follows when one succeeds."
    again = _AGAIN.get(pipeline, "The schedule tries again")
    return f"{again}. Until it succeeds there are reminders, and then one message that it recovered."
