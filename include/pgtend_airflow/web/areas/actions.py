"""What people may do from a page: start a pipeline, say that they are on it. Each is in the audit before it happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from pgtend.ledger.alerts import AlertBook
from pgtend.ledger.database import DatabaseLedger
from pgtend_airflow.links import run_link
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import DatabasePath, Door
from pgtend_airflow.web.problems import NotAllowed, NotFound
from pgtend_airflow.web.runs import start_run
from pgtend_airflow.web.standing import Role, StandingDep

DOOR = Door("actions")


class Action(StrEnum):
    """What can be started from a page."""

    ANALYZE = "analyze"
    BACKUP = "backup"
    DRILL = "drill"
    REINDEX = "reindex"
    VERIFY = "verify"

    @property
    def pipeline(self) -> str:
        """The pipeline that does it."""
        return "restore_drill" if self is Action.DRILL else self.value


class FleetAction(StrEnum):
    """What can be started for the fleet as a whole."""

    AUDIT = "audit"
    CHANNELS = "channels"
    REPORT = "report"


class Wish(BaseModel):
    """The form of the pipeline, filled in; what is left out has its default."""

    model_config = ConfigDict(extra="forbid")

    form: Mapping[str, str | bool | int | None] = Field(
        default_factory=dict[str, str | bool | int | None],
        max_length=20,
        description="Values of the pipeline's form, as in Airflow.",
    )


class StartedRun(BaseModel):
    """A run that was queued."""

    dag_id: str
    run_id: str
    url: str
    is_paused: bool = Field(description="Whether the pipeline is paused, so that the run waits until it is not.")


class Acknowledgement(BaseModel):
    """Somebody looks at it."""

    model_config = ConfigDict(extra="forbid")

    hours: int = Field(default=24, ge=1, le=168, description="How long reminders pause; another trouble ends it.")
    note: str = Field(default="", max_length=500, description="What colleagues should know.")


class Done(BaseModel):
    """What was acknowledged."""

    key: str


_LONGEST_ID: Final = 2**62


@DOOR.post("/databases/{database}/actions/{action}", Role.OPERATOR, "Start a pipeline now", 202)
def act(
    database: DatabasePath, action: Annotated[Action, Path()], wish: Wish, who: StandingDep, session: Reading
) -> StartedRun:
    """Start a pipeline with its form filled in, as the button in Airflow does."""
    return _start(database, action.pipeline, wish, who, session)


@DOOR.post("/fleet/actions/{fleet_action}", Role.ADMIN, "Start a pipeline of the whole fleet now", 202)
def act_on_fleet(
    fleet_action: Annotated[FleetAction, Path(description="What is started.")], who: StandingDep, session: Reading
) -> StartedRun:
    """Verify the audit, say hello through every alert channel, or make the report."""
    return _start("fleet", fleet_action.value, Wish(), who, session)


@DOOR.post("/databases/{database}/alerts/{number}/acknowledge", Role.OPERATOR, "Say that you are on it")
def acknowledge(
    database: DatabasePath,
    number: Annotated[int, Path(ge=1, le=_LONGEST_ID, description="The alert's number.")],
    told: Acknowledgement,
    who: StandingDep,
    session: Reading,
) -> Done:
    """Pause the reminders of one alert; alerts of the whole fleet are those of the database `fleet`."""
    pause = timedelta(hours=told.hours)
    key = AlertBook(session).acknowledge(number, database, by=who.actor, note=told.note, pause=pause)
    if not key:
        raise NotFound(f"alert {number} of {database} is not open", hint="It recovered, or there never was one.")
    return Done(key=key)


def _start(subject: str, pipeline: str, wish: Wish, who: StandingDep, session: Reading) -> StartedRun:
    dag_id = f"{subject}.{pipeline}"
    if not who.may_reach_runs("POST", dag_id):
        raise NotAllowed(f"you may not start {dag_id}", hint="Ask for the right to start its runs in Airflow.")
    ledger, detail = DatabaseLedger(session), {"dag_id": dag_id, "action": pipeline}
    ledger.audit(actor=who.actor, action="page.started", target=f"{subject}/{pipeline}", detail=detail)
    started = start_run(dag_id, dict(wish.form), who.name)
    url = run_link(dag_id, started.run_id)
    return StartedRun(dag_id=dag_id, run_id=started.run_id, url=url, is_paused=started.is_paused)
