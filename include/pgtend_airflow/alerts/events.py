"""From what Airflow reports to messages: one when it breaks, one when it recovers, a reminder in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeVar, cast

from airflow.sdk import DAG, Context

from pgtend.fleet.load import bad_fleet_file, fleet_path
from pgtend.fleet.model import RESERVED, Fleet
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import utc_now
from pgtend.ledger.alerts import OpenAlert
from pgtend_airflow.alerts.channels import ChannelBroken
from pgtend_airflow.alerts.memory import Memory, file_memory, ledger_memory
from pgtend_airflow.alerts.message import RECOVERED, Moment, Trouble, trouble_of
from pgtend_airflow.alerts.servers import Server
from pgtend_airflow.alerts.telling import FLEET_FILE, NOT_IN_FLEET, NOT_RESTORED, Origin, Telling, trouble_in
from pgtend_airflow.cancellation import TaskCancelled
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.pipelines import BACKUP_CHOICE, DRILLED, DRY_RUN, INDEXES, LATEST, TABLES, the_fleet

Answer = TypeVar("Answer")
_LOG: Final = logging.getLogger("pgtend.alerts")
_VERIFY: Final = "verify"
_END_OF_GROUP: Final = "::endgroup::"
_KILLED: Final = Trouble(
    code="airflow.killed",
    message="the run failed without a word: its task was killed, or marked as failed",
    hint="What the task had begun ended with it; see docs/runbooks/task-killed.md.",
)
_LATE: Final = Trouble(
    code="airflow.late",
    message="the run has not ended by its deadline",
    hint="It waits for a worker, a lock or an answer, or works too long; see docs/runbooks/run-is-late.md.",
)


def tell_failure(context: Context) -> None:
    """Note that a task or a run failed, and send a message when it is news."""
    error = cast("Mapping[str, object]", context).get("exception")
    # A task that is being killed has five seconds, and they belong to its clean-up: its DAG tells.
    if isinstance(error, TaskCancelled):
        return
    fleet, origin = usable_fleet(), _origin(context)
    if not isinstance(error, BaseException):
        remember(fleet, lambda memory: _tell_unexplained(Telling(fleet, memory, origin)))
        return
    trouble = trouble_of(error)
    # Airflow puts what follows a task into a group that is closed where people look: these lines stand outside of it.
    _LOG.info(_END_OF_GROUP)
    for line in trouble.last_words():
        _LOG.error("%s", line)
    remember(fleet, lambda memory: Telling(fleet, memory, origin).broke(trouble))


def tell_late(dag_id: str, run_id: str) -> None:
    """Note that a run is late, and send a message when it is news."""
    fleet, origin = usable_fleet(), Origin.of(dag_id, run_id)
    remember(fleet, lambda memory: Telling(fleet, memory, origin).broke(_LATE, Moment.LATE))


def tell_recovery(context: Context) -> None:
    """Note that a whole run succeeded, and tell those who heard that it was broken."""
    fleet, origin = usable_fleet(), _origin(context)
    if _is_narrow(context, origin.pipeline):
        return
    for alert, how in remember(fleet, lambda memory: _ended(Telling(fleet, memory, origin))):
        # Each in a transaction of its own: a message that went out is not taken back because another did not.
        remember(fleet, lambda memory, over=alert, how=how: Telling(fleet, memory, origin).recovered(over, how))


def send_due_reminders() -> None:
    """Send every reminder that is due, and what could not be sent before."""
    fleet = usable_fleet()
    _tell_fleet_file(fleet)
    _close_what_left(fleet)
    unsent = remember(fleet, lambda memory: _remind(fleet, memory))
    if unsent:
        raise ChannelBroken(
            f"alerts that could not be sent: {unsent}",
            detail="Every channel of the fleet file refused them; the log above says why.",
            hint="Follow docs/runbooks/alert-channel-broken.md; the next run sends them.",
        )


def _ended(telling: Telling) -> list[tuple[OpenAlert, str]]:
    """List what is over, each with how that came."""
    if telling.did_its_work():
        return [(alert, RECOVERED) for alert in telling.ended_by_success()]
    return [(alert, NOT_RESTORED) for alert in telling.ended_by_rejection()]


def _tell_unexplained(telling: Telling) -> None:
    """Tell of a run that failed, where nobody says why: its task told already, or was killed before it could."""
    if telling.is_told():
        return
    away = telling.memory.away
    telling.broke(trouble_of(away) if away else telling.noted_by_ledger() or _KILLED)


def _tell_fleet_file(fleet: Fleet) -> None:
    """Tell once that the fleet file has problems, and once that it is sound: what they are about nobody tends."""
    origin, problems = Origin(RESERVED, FLEET_FILE, ""), the_fleet().problems
    if problems:
        trouble = trouble_of(bad_fleet_file(fleet_path(), problems))
        remember(fleet, lambda memory: Telling(fleet, memory, origin).broke(trouble))
        return
    for alert in remember(fleet, lambda memory: Telling(fleet, memory, origin).ended_by_success()):
        remember(fleet, lambda memory, over=alert: Telling(fleet, memory, origin).recovered(over))


def _close_what_left(fleet: Fleet) -> None:
    """Close what concerns only databases that the fleet file no longer has: nobody could ever acknowledge it."""
    # What a mistake in the file hides is no less broken.
    if the_fleet().problems:
        return
    for alert in remember(fleet, lambda memory: memory.book.open_alerts()):
        if not {RESERVED, *fleet.databases}.isdisjoint(alert.concerns or (alert.database,)):
            continue
        remember(
            fleet, lambda memory, over=alert: Telling(fleet, memory, _origin_of(over)).recovered(over, NOT_IN_FLEET)
        )


def _origin_of(alert: OpenAlert) -> Origin:
    return Origin(alert.database, alert.pipeline, alert.run_url)


def _remind(fleet: Fleet, memory: Memory) -> int:
    unsent = 0
    for alert in memory.book.due_reminders(utc_now()):
        origin, server = _origin_of(alert), Server.of_alert(alert)
        if not Telling(fleet, memory, origin).send(trouble_in(alert), Moment.REMINDER, server):
            memory.book.not_sent(alert.key)
            unsent += 1
    return unsent


def remember(fleet: Fleet, act: Callable[[Memory], Answer]) -> Answer:
    """Act on the book in the ledger; when that cannot be used, on the file that stands in for it."""
    away: PgtendError | None = None
    if fleet.ledger is not None:
        try:
            with ledger_memory(fleet, fleet.ledger) as memory:
                return act(memory)
        except ChannelBroken:
            raise
        except PgtendError as error:
            away = error
            _LOG.warning("the ledger cannot keep the state of alerts, a file of this machine does: %s", error.message)
    with file_memory(fleet, away) as memory:
        return act(memory)


def _origin(context: Context) -> Origin:
    facts = cast("Mapping[str, object]", context)
    return Origin.of(cast("DAG", facts["dag"]).dag_id, str(facts["run_id"]))


def _is_narrow(context: Context, pipeline: str) -> bool:
    """Tell whether a run looked at a part only, or only looked: its success proves nothing about the rest."""
    run = cast("Mapping[str, object]", context).get("dag_run")
    conf = cast("Mapping[str, object]", getattr(run, "conf", None) or {})
    one_backup = pipeline == _VERIFY and conf.get(BACKUP_CHOICE, LATEST) != LATEST
    return one_backup or any(conf.get(field) for field in (TABLES, INDEXES, DRY_RUN, DRILLED))
