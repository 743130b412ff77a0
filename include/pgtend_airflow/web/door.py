"""A router whose every route says who may come in. There is no other way to add one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from pgtend.fleet.model import RESERVED, Fleet
from pgtend.kernel.names import suggestion
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.web.forgery import refuse_forgery
from pgtend_airflow.web.pace import keep_pace
from pgtend_airflow.web.problems import RESPONSES, BadRequest
from pgtend_airflow.web.standing import Role, StandingDep, no_database, requires

Item = TypeVar("Item")
Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
SAYS_WHO: Final = "x-role"
_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"

DatabasePath: TypeAlias = Annotated[str, Path(pattern=_NAME, description="A database, by its name in the fleet file.")]
Most: TypeAlias = Annotated[int, Query(ge=1, le=500, description="How many to give at most.")]


class Page(BaseModel, Generic[Item]):
    """A part of a long list."""

    items: list[Item]
    next: str = Field(default="", description="Give this as `before` to get what follows; empty when that was all.")


class Door:
    """The routes of one area."""

    def __init__(self, area: str) -> None:
        self.router = APIRouter(tags=[area], responses=RESPONSES)

    def get(self, path: str, role: Role, summary: str) -> Callable[[Endpoint], Endpoint]:
        """Add a route that reads."""
        return self.router.get(
            path,
            dependencies=[requires(role), Depends(keep_pace)],
            summary=summary,
            openapi_extra={SAYS_WHO: role.word},
        )

    def post(self, path: str, role: Role, summary: str, status: int = 200) -> Callable[[Endpoint], Endpoint]:
        """Add a route that changes something."""
        return self.router.post(
            path,
            dependencies=[requires(role), Depends(refuse_forgery), Depends(keep_pace)],
            summary=summary,
            status_code=status,
            openapi_extra={SAYS_WHO: role.word},
        )


def chosen_database(
    who: StandingDep,
    database: Annotated[
        str, Query(pattern=_NAME, description="A database; may be left out where only one can be seen.")
    ] = "",
) -> str:
    """Give the database that the caller names, or the only one there is."""
    if database == RESERVED:
        raise no_database(database)
    if database:
        return database
    visible = who.visible(usable_fleet())
    if len(visible) != 1:
        raise BadRequest(
            "it must be said which database is meant",
            detail=f"You may see {', '.join(visible) or 'none'}.",
            hint="Add ?database= and its name to the address.",
        )
    return visible[0]


Chosen: TypeAlias = Annotated[str, Depends(chosen_database)]


def some_databases(fleet: Fleet, who: StandingDep, wanted: str) -> list[str]:
    """List the databases that the caller may see, or the one that is wanted of them."""
    visible = who.visible(fleet)
    if not wanted:
        return list(visible)
    if wanted not in visible:
        raise BadRequest(f"there is no database '{wanted}' here", detail=suggestion(wanted, visible))
    return [wanted]


def page_of(items: list[Item], most: int, name: Callable[[Item], object]) -> Page[Item]:
    """Make a page; when it is full, its last item says where the next one begins."""
    return Page[Item](items=items, next=str(name(items[-1])) if len(items) == most else "")
