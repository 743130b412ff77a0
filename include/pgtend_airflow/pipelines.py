"""What all DAG files share: one DAG per database and pipeline, its schedule, owner, page, form, retries and alerts.

Everything here runs whenever Airflow parses a DAG file, which is every half minute and before every task. So nothing
but the fleet file is read, and neither psycopg nor boto3 is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from airflow.sdk import DAG, CronTriggerTimetable, Param, get_parsing_context
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.definitions.param import ParamsDict

from pgtend.fleet.health import schedule_of
from pgtend.fleet.load import FleetReading, fleet_path, read_fleet
from pgtend.fleet.model import Database, Fleet
from pgtend_airflow.alerts.notifier import RECOVERED_NOTICE, TROUBLE_NOTICE, deadline_missed
from pgtend_airflow.retries import retry_by_family

CONNECTION_PREFIX: Final = "AIRFLOW_CONN_"

# A run for some tables only, or one that only looks, succeeds without proving that the pipeline works again.
TABLES: Final = "tables"
INDEXES: Final = "indexes"
INSISTS: Final = "insists"
DRY_RUN: Final = "dry_run"
OUTSIDE_WINDOW: Final = "outside_window"

_MOMENT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:]{4,8}(Z|[+-][0-9:]{4,6})?)?"
BACKUP_CHOICE: Final = "backup"
LATEST: Final = "latest"
TARGET: Final = "target"
IN_PLACE: Final = "in_place"
RULE: Final = "rule"
DRILLED: Final = "drilled_backup"
KEEP_HOURS: Final = "keep_hours"
NOTIFY: Final = "notify"
THOROUGH: Final = "thorough"
DRILL_FORM: Final = (RULE, DRILLED, THOROUGH, KEEP_HOURS, NOTIFY)


def _whole(pattern: str) -> str:
    r"""Write a pattern that a whole text has to fit: to Python `$` alone lets it end in a new line."""
    return rf"^{pattern}$(?!\n)"


FORM: Final[Mapping[str, Param]] = {
    BACKUP_CHOICE: Param(
        LATEST,
        type="string",
        pattern=_whole(rf"({LATEST}|[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{8}}|{_MOMENT})"),
        title="Backup",
        description="Write latest, the name of a backup, or a moment in UTC: the newest backup that is not later.",
    ),
    TARGET: Param(
        None,
        type=["null", "string"],
        pattern=_whole(r"[a-z_][a-z0-9_]{0,62}"),
        title="Name of the new database",
        description="It must not exist. Empty: the database's name with the time of this run.",
    ),
    IN_PLACE: Param(
        default=False,
        type="boolean",
        title="In the place of the original",
        description="Replace the database itself. It is backed up first, and stays under another name.",
    ),
    RULE: Param(
        "due",
        type="string",
        enum=["due", "newest", "random", "oldest", "second_vault", "escrow_key"],
        title="Which backup",
        description="By which rule it is chosen. due: by the rule that is most overdue.",
    ),
    DRILLED: Param(
        None,
        type=["null", "string"],
        pattern=_whole(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}"),
        title="Or this backup",
        description="The name of one backup, instead of a rule.",
    ),
    THOROUGH: Param(
        default=False,
        type="boolean",
        title="Also what is not due",
        description="Back the copy up and restore that, and damage a copy on purpose to see that it is found.",
    ),
    KEEP_HOURS: Param(
        0,
        type="integer",
        minimum=0,
        maximum=168,
        title="Keep the copy for hours",
        description="How long the copy stays up on the worker after it was looked at. 0 wipes it at once.",
    ),
    NOTIFY: Param(
        None,
        type=["null", "string"],
        pattern=_whole(r"[a-z][a-z0-9_-]{0,39}"),
        title="Tell this channel what came of it",
        description="Name of an alert channel of the fleet file. Failures are told to all of them in any case.",
    ),
    TABLES: Param(
        None,
        type=["null", "string"],
        pattern=_whole(r"[A-Za-z0-9_$*?-]+\.[A-Za-z0-9_$*?-]+"),
        title="Tables",
        description="Only tables that match this name, such as public.audit_*. Empty: all that the rules name.",
    ),
    INDEXES: Param(
        None,
        type=["null", "string"],
        pattern=_whole(r"[A-Za-z0-9_$*?-]+\.[A-Za-z0-9_$*?-]+"),
        title="Indexes",
        description="Only indexes, or tables with all of theirs, of this name, such as public.audit_*. Empty: all.",
    ),
    INSISTS: Param(
        default=False,
        type="boolean",
        title="Whatever their size",
        description="Rebuild what is named above even when it is not bloated, for example after damage.",
    ),
    OUTSIDE_WINDOW: Param(
        default=False,
        type="boolean",
        title="Now, even outside the window",
        description="Start although the maintenance window of the database is closed. The time budget still counts.",
    ),
    DRY_RUN: Param(
        default=False,
        type="boolean",
        title="Only say what would be done",
        description="The log of the first task lists every decision with its reason; nothing is changed.",
    ),
}


_JUST_NOW: Final = timedelta(minutes=5)
"""A time that has passed since the scheduler looked last is no past one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a pipeline starts, how long it may take, and when its silence is an alert."""

    cron: str | None
    timezone: str
    at_most: timedelta
    deadline: timedelta
    only_by_hand: bool = False
    """Whether no schedule, no asset and no backfill may ever start it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """One kind of work; its DAG file is its page in the UI."""

    name: str
    page: str

    def databases(self) -> Iterator[Database]:
        """List the databases whose DAG is wanted now: all, or the one whose task is about to run."""
        fleet = the_fleet().fleet
        for database in fleet.databases.values() if fleet else ():
            if _is_wanted(f"{database.name}.{self.name}"):
                yield database

    def fleets(self) -> Iterator[Fleet]:
        """Give the fleet for its own DAG, unless the file is broken or another DAG is wanted now."""
        fleet = the_fleet().fleet
        if fleet and _is_wanted(f"fleet.{self.name}"):
            yield fleet

    def dag(self, subject: str, owner: str, timing: Timing, fields: tuple[str, ...] = ()) -> DAG:
        """Build the DAG of one database, or of the fleet as a whole.

        It has no start date: a past one would start a run at the moment the DAG is unpaused.
        """
        schedule = None
        if timing.cron:
            # Without this Airflow makes up for a time that passed before the DAG was unpaused, as long ago as a tenth
            # of its span: a weekly pipeline would start outside of its window, sixteen hours late.
            schedule = CronTriggerTimetable(timing.cron, timezone=timing.timezone, run_immediately=_JUST_NOW)
        return DAG(
            dag_id=f"{subject}.{self.name}",
            schedule=schedule,
            allowed_run_types=[DagRunType.MANUAL] if timing.only_by_hand else None,
            catchup=False,
            max_active_runs=1,
            tags=[subject, self.name],
            doc_md=self.page,
            params=ParamsDict({field: FORM[field] for field in fields}),
            default_args={
                "owner": owner,
                "retries": 3,
                "retry_delay": timedelta(minutes=1),
                "retry_exponential_backoff": 2.0,
                "max_retry_delay": timedelta(minutes=15),
                "retry_policy": retry_by_family(),
                "execution_timeout": timing.at_most,
                "on_failure_callback": [TROUBLE_NOTICE],
            },
            on_failure_callback=[TROUBLE_NOTICE],
            on_success_callback=[RECOVERED_NOTICE],
            deadline=DeadlineAlert(
                name="late",
                reference=DeadlineReference.DAGRUN_QUEUED_AT,
                interval=timing.deadline,
                callback=SyncCallback(deadline_missed),
            ),
        )


def analyze_timing(database: Database) -> Timing:
    """Time the renewal of statistics; one that is switched off can still be started by hand."""
    rules = database.analyze
    return Timing(
        cron=rules.schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        # The last table may be started at the very end of the budget, and no statement outlives its own limit.
        at_most=rules.time_budget + database.limits.statement_timeout + timedelta(minutes=15),
        deadline=rules.deadline,
    )


def reindex_timing(database: Database) -> Timing:
    """Time the rebuilding of indexes; switched off it can still be started by hand."""
    rules = database.indexes
    return Timing(
        cron=rules.schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        at_most=rules.deadline,
        deadline=rules.deadline,
    )


def index_usage_timing(database: Database) -> Timing:
    """Time the nightly look at all indexes."""
    rules = database.indexes
    return Timing(
        cron=rules.usage_schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        at_most=timedelta(minutes=30),
        deadline=timedelta(hours=2),
    )


def index_advice_timing(database: Database) -> Timing:
    """Time the weekly thinking about indexes."""
    rules = database.indexes
    return Timing(
        cron=rules.advice_schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        at_most=rules.deadline,
        deadline=rules.deadline,
    )


def archive_timing(database: Database) -> Timing:
    """Time the archive; where no table has a rule it can only be started by hand."""
    rules = database.archive
    return Timing(
        cron=rules.schedule if rules.enabled and rules.tables else None,
        timezone=rules.window.timezone,
        # The last month may be begun at the very end of the budget, and no statement outlives its own limit.
        at_most=rules.time_budget + database.limits.statement_timeout + timedelta(minutes=15),
        deadline=rules.deadline,
    )


def restore_timing() -> Timing:
    """Time a restore: by hand only, and people may take their time to answer."""
    return Timing(
        cron=None, timezone="UTC", at_most=timedelta(minutes=30), deadline=timedelta(days=1), only_by_hand=True
    )


def statements_timing(database: Database) -> Timing:
    """Time the reading of statements; one that is switched off can still be started by hand."""
    rules = database.statements
    return Timing(
        cron=rules.schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        at_most=rules.deadline,
        deadline=rules.deadline,
    )


def backup_timing(database: Database) -> Timing:
    """Time the backup; one that is switched off can still be started by hand."""
    rules = database.backup
    return Timing(
        cron=rules.schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        at_most=rules.deadline,
        deadline=rules.deadline,
    )


def verify_timing(database: Database) -> Timing:
    """Time the verifying of a backup: by hand only, as every backup verifies itself."""
    deadline = database.backup.deadline
    return Timing(cron=None, timezone="UTC", at_most=deadline, deadline=deadline, only_by_hand=True)


def health_timing(database: Database) -> Timing:
    """Time the looks at a database; one that is switched off can still be looked at by hand."""
    rules = database.health
    return Timing(
        cron=(rules.schedule or schedule_of(database.name)) if rules.enabled else None,
        timezone="UTC",
        # About fifteen questions, each with a limit of its own, and the way to the ledger.
        at_most=rules.deadline,
        deadline=rules.deadline,
    )


def drill_timing(database: Database) -> Timing:
    """Time the drill; one that is switched off can still be started by hand, and its copy kept for a week."""
    rules = database.drill
    return Timing(
        cron=rules.schedule if rules.enabled else None,
        timezone=rules.window.timezone,
        at_most=rules.deadline + timedelta(days=7),
        deadline=rules.deadline,
    )


def fleet_timing(fleet: Fleet, cron: str) -> Timing:
    """Time a DAG of the whole fleet."""
    return Timing(cron=cron, timezone=fleet.timezone, at_most=timedelta(minutes=30), deadline=timedelta(hours=1))


def the_fleet() -> FleetReading:
    """Read the fleet file as far as it is sound; what is broken is told by dags/fleet_file.py alone."""
    path = fleet_path()
    return _read(path, path.stat().st_mtime_ns if path.exists() else 0)


def connections_in_environment() -> frozenset[str]:
    """Name the connections given by environment variables: the only ones that can be listed without asking anybody."""
    names = (name for name in os.environ if name.startswith(CONNECTION_PREFIX))
    return frozenset(name.removeprefix(CONNECTION_PREFIX).lower() for name in names)


@lru_cache(maxsize=1)
def _read(path: Path, _changed_at: int) -> FleetReading:
    return read_fleet(path, known_connections=connections_in_environment())


def _is_wanted(dag_id: str) -> bool:
    wanted = get_parsing_context().dag_id
    return wanted is None or wanted == dag_id
