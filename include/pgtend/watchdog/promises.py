"""What the fleet file promises, pipeline by pipeline: when the result of each must be there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pgtend.fleet.health import schedule_of
from pgtend.fleet.model import Database, Fleet
from pgtend.fleet.schedules import AUDIT
from pgtend.watchdog.model import Promise

BACKUP: Final = "backup"
HEALTH: Final = "health"
AUDIT_KEY: Final = "fleet.audit"
NOT_PROMISED: Final[Mapping[str, str]] = {
    "fleet.reminders": "it repeats what was told before, and the watchdog's own summary shows that channels work",
}
"""Pipelines with a schedule whose absence is no news, and why."""


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
    grace = fleet.watchdog.grace
    if database.analyze.enabled:
        yield Promise(
            key=f"{database.name}.analyze",
            what=f"the renewal of statistics of {database.name}",
            schedule=database.analyze.schedule,
            zone=database.analyze.window.timezone,
            within=database.analyze.deadline + grace,
            runbook="overdue",
        )
    if database.health.enabled:
        yield Promise(
            key=f"{database.name}.{HEALTH}",
            what=f"a look at the health of {database.name}",
            schedule=database.health.schedule or schedule_of(database.name),
            zone="UTC",
            within=database.health.deadline + grace,
            runbook="overdue",
        )
