"""What applications tell about themselves: a program writes numbers, people and programs read where they are going."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from pgtend.health import told
from pgtend.health.told import NotOfNow, Told, ToldNow
from pgtend.kernel.times import utc_now
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import Chosen, Door
from pgtend_airflow.web.problems import BadRequest
from pgtend_airflow.web.standing import Role, StandingDep

DOOR = Door("health and analysis")
_MOST: Final = 100


class Number(BaseModel):
    """One number."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="What was measured, such as checkout_seconds.")
    value: FiniteFloat
    unit: str = Field(default="", pattern=r"^[A-Za-z%/ ]{0,20}$", description="What it counts.")
    at: AwareDatetime | None = Field(default=None, description="When it was measured; empty: now. A week ago at most.")


class Numbers(BaseModel):
    """What an application has to tell."""

    model_config = ConfigDict(extra="forbid")

    metrics: list[Number] = Field(min_length=1, max_length=_MOST)


class Kept(BaseModel):
    """How much of it was kept: all."""

    database: str
    kept: int


@DOOR.post("/database/performance/metrics", Role.OPERATOR, "Tell numbers of an application", 201)
def tell(database: Chosen, numbers: Numbers, who: StandingDep, session: Reading) -> Kept:
    """Keep numbers that only the application can know; they are read as `trends/app.` and their name."""
    now = utc_now()
    rows = [
        Told(name=one.name, value=one.value, unit=one.unit, at=one.at.astimezone(UTC) if one.at else now)
        for one in numbers.metrics
    ]
    try:
        told.keep_told(session, database, rows, who.actor, now)
    except NotOfNow as error:
        raise BadRequest(error.message, hint=error.hint) from error
    return Kept(database=database, kept=len(rows))


@DOOR.get("/database/performance/metrics", Role.VIEWER, "Which numbers an application tells")
def names(
    database: Chosen,
    session: Reading,
    days: Annotated[int, Query(ge=1, le=92, description="Told within so many days.")] = 30,
) -> list[ToldNow]:
    """List what was told, with its newest value."""
    since: datetime = utc_now() - timedelta(days=days)
    return told.told_lately(session, database, since)
