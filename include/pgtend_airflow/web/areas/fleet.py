"""The fleet and one database: how they stand, what ran, what is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, TypeAlias

from fastapi import Query
from pydantic import BaseModel

from pgtend.fleet.model import RESERVED
from pgtend.kernel.times import utc_now
from pgtend.overview import history
from pgtend.overview.alerting import with_alerts_of_fleet
from pgtend.overview.fleet import Asked, overview
from pgtend.overview.history import AlertRow, AuditRow, RunFilter, RunRow, Stretch
from pgtend.overview.model import Overview, Row, in_doubt
from pgtend.overview.pipelines import PipelineRow, pipelines, with_alerts
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.pipelines import the_fleet
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import DatabasePath, Door, Most, Page, page_of, some_databases
from pgtend_airflow.web.standing import Role, StandingDep, no_database

DOOR = Door("fleet")
_WORD = r"^[a-z_]{0,40}$"

Wanted: TypeAlias = Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,63}$", description="Of this database only.")]
Word: TypeAlias = Annotated[str, Query(pattern=_WORD, description="Only these; empty: all.")]
Before: TypeAlias = Annotated[
    str, Query(max_length=64, pattern=r"^[0-9A-Za-z-]*$", description="What `next` of the page before said.")
]
Number: TypeAlias = Annotated[int, Query(ge=0, le=2**62, description="What `next` of the page before said.")]


class DatabaseView(BaseModel):
    """One database: its row of the fleet page, and how each of its pipelines stands."""

    overview: Overview
    row: Row
    pipelines: list[PipelineRow]


@DOOR.get("/fleet", Role.VIEWER, "Every database that you may see, worst first")
def fleet(who: StandingDep, session: Reading) -> Overview:
    """Judge every database by every promise; each cell says why it has its colour."""
    file = usable_fleet()
    databases = [file.databases[name] for name in who.visible(file)]
    now = utc_now()
    seen = in_doubt(overview(session, Asked(fleet=file, databases=databases, now=now)), len(the_fleet().problems))
    # Whoever may see one database alone is told of that one.
    told = history.alerts(session, [RESERVED], only_open=True) if who.role() >= Role.VIEWER else ()
    return with_alerts_of_fleet(seen, told, now)


@DOOR.get("/databases/{database}", Role.VIEWER, "One database")
def one_database(database: DatabasePath, session: Reading) -> DatabaseView:
    """Judge one database by every promise, and tell how each of its pipelines stands."""
    file, now = usable_fleet(), utc_now()
    if database not in file.databases:
        raise no_database(database)
    seen = overview(session, Asked(fleet=file, databases=[file.databases[database]], now=now))
    told = history.alerts(session, [database], only_open=True)
    standing = with_alerts(pipelines(session, [database], now), told)
    return DatabaseView(overview=seen, row=seen.rows[0], pipelines=standing)


@DOOR.get("/databases/{database}/timeline", Role.VIEWER, "All maintenance of one database, for a picture")
def timeline(
    database: DatabasePath,
    session: Reading,
    days: Annotated[int, Query(ge=1, le=90, description="How many days to look back.")] = 14,
) -> list[Stretch]:
    """Read what ran in the last days, oldest first; many short runs beside each other are one mark."""
    now = utc_now()
    return history.timeline(session, database, now - timedelta(days=days), now + timedelta(minutes=1))


@DOOR.get("/runs", Role.VIEWER, "Runs, newest first")
def runs(  # noqa: PLR0913, PLR0917 - the filters of a list
    who: StandingDep,
    session: Reading,
    database: Wanted = "",
    pipeline: Word = "",
    outcome: Word = "",
    before: Before = "",
    most: Most = 50,
) -> Page[RunRow]:
    """Read what was done: by whom, how it ended, and what was left as evidence."""
    wanted = RunFilter(databases=_seen(who, database), pipeline=pipeline, outcome=outcome)
    found = history.runs(session, wanted, before=before, most=most)
    return page_of(found, most, lambda run: run.run_id)


@DOOR.get("/alerts", Role.VIEWER, "Alerts, newest first")
def alerts(  # noqa: PLR0913, PLR0917 - the filters of a list
    who: StandingDep,
    session: Reading,
    database: Wanted = "",
    only_open: Annotated[bool, Query(alias="open", description="Only what has not recovered.")] = True,  # noqa: FBT002 - a flag in an address
    before: Number = 0,
    most: Most = 50,
) -> Page[AlertRow]:
    """Read what is broken, or what ever was."""
    seen = _seen(who, database)
    found = history.alerts(session, seen, only_open=only_open, before=before, most=most)
    # An alert about a whole server names databases that this person may not see.
    mine = [replace(alert, concerns=[name for name in alert.concerns if name in seen]) for alert in found]
    return page_of(mine, most, lambda alert: alert.alert_id)


@DOOR.get("/audit", Role.ADMIN, "Every action that was ever taken, newest first")
def audit(
    session: Reading,
    target: Annotated[str, Query(pattern=r"^[a-z0-9_/-]{0,100}$", description="Of this database only.")] = "",
    before: Number = 0,
    most: Most = 50,
) -> Page[AuditRow]:
    """Read the audit. Its chain of hashes is verified every day by `fleet.audit`, and by `pgtend audit verify`."""
    return page_of(history.audit(session, target=target, before=before, most=most), most, lambda entry: entry.seq)


def _seen(who: StandingDep, database: str) -> list[str]:
    """List the databases whose rows a caller may read; the fleet's own rows are for whoever may see all of it."""
    file = usable_fleet()
    if database == RESERVED and who.role() >= Role.VIEWER:
        return [RESERVED]
    names = some_databases(file, who, database)
    return [*names, RESERVED] if not database and who.role() >= Role.VIEWER else names
