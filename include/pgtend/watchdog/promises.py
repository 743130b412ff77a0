"""What the fleet file promises, pipeline by pipeline: when the result of each must be there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final, Protocol

from pgtend.fleet.health import schedule_of
from pgtend.fleet.model import Database, Fleet
from pgtend.fleet.schedules import AUDIT
from pgtend.fleet.window import Window
from pgtend.watchdog.model import Promise

BACKUP: Final = "backup"
HEALTH: Final = "health"
AUDIT_KEY: Final = "fleet.audit"
_READING: Final = timedelta(hours=2)
NOT_PROMISED: Final[Mapping[str, str]] = {
    "fleet.report": "whoever reads it misses it, and the watchdog's own summary comes every week beside it",
    "fleet.channels": "its own absence is the signal, and the watchdog tries every channel in every round",
    "fleet.reminders": "it repeats what was told before, and the watchdog's own summary shows that channels work",
}
"""Pipelines with a schedule whose absence is no news, and why."""


class Scheduled(Protocol):
    """The rules of a pipeline that runs in the window of its database."""

    @property
    def enabled(self) -> bool:
        """Whether it runs by schedule at all."""
        ...

    @property
    def schedule(self) -> str:
        """When it starts."""
        ...

    @property
    def window(self) -> Window:
        """In whose time zone that is."""
        ...

    @property
    def deadline(self) -> timedelta:
        """How long it may take."""
        ...


_NIGHTLY: Final[Mapping[str, tuple[str, Callable[[Database], Scheduled]]]] = {
    "analyze": ("the renewal of statistics", lambda database: database.analyze),
    "reindex": ("the care for indexes", lambda database: database.indexes),
    "restore_drill": ("a drill that proves a backup", lambda database: database.drill),
    "statements": ("the reading of statements", lambda database: database.statements),
}


def promise_of_backup(fleet: Fleet, database: Database) -> Promise:
    """Say when a database must have a new backup in its vault."""
    rules = database.backup
    return Promise(
        key=f"{database.name}.{BACKUP}",
        what=f"a backup of {database.name}",
        schedule=rules.schedule,
        zone=rules.window.timezone,
        within=rules.deadline + fleet.watchdog.grace,
        runbook="backup-not-taken",
    )


def promise_of_audit(fleet: Fleet) -> Promise:
    """Say when the head of the audit must be anchored."""
    return Promise(
        key=AUDIT_KEY,
        what="the anchor of the audit",
        schedule=AUDIT,
        zone=fleet.timezone,
        within=fleet.watchdog.grace * 4,
        runbook="overdue",
    )


def promises_in_ledger(fleet: Fleet, database: Database) -> Iterator[Promise]:
    """Say what the ledger must know of a database, and when."""
    for pipeline, (what, rules) in _NIGHTLY.items():
        mine = rules(database)
        if mine.enabled:
            yield _promise(fleet, database, pipeline, what, mine.schedule, mine.window.timezone, mine.deadline)
    indexes, health = database.indexes, database.health
    if indexes.enabled:
        zone = indexes.window.timezone
        yield _promise(fleet, database, "index_usage", "the use of indexes", indexes.usage_schedule, zone, _READING)
        weekly, within = indexes.advice_schedule, indexes.deadline
        yield _promise(fleet, database, "index_advice", "the advice on indexes", weekly, zone, within)
    archive = database.archive
    if archive.enabled and archive.tables:
        zone = archive.window.timezone
        yield _promise(fleet, database, "archive", "the archive of old rows", archive.schedule, zone, archive.deadline)
    if health.enabled:
        schedule = health.schedule or schedule_of(database.name)
        yield _promise(fleet, database, HEALTH, "a look at the health", schedule, "UTC", health.deadline)


def _promise(  # noqa: PLR0913, PLR0917 - the parts of a promise
    fleet: Fleet, database: Database, pipeline: str, what: str, schedule: str, zone: str, deadline: timedelta
) -> Promise:
    return Promise(
        key=f"{database.name}.{pipeline}",
        what=f"{what} of {database.name}",
        schedule=schedule,
        zone=zone,
        within=deadline + fleet.watchdog.grace,
        runbook="overdue",
    )
