"""Who is logged in, and what that person may: pages show a button only to those who may press it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.web.door import Door
from pgtend_airflow.web.forgery import token_for
from pgtend_airflow.web.standing import Role, StandingDep

DOOR = Door("you")


class Me(BaseModel):
    """The caller."""

    name: str
    role: str = Field(description="The role for the fleet as a whole.")
    databases: Mapping[str, str] = Field(description="The role for each database that may be seen.")
    token: str = Field(description="What a browser must send as X-Pgtend-Token with every write.")
    runbooks: str = Field(description="Web address of the folder of runbooks; empty when the fleet file names none.")


@DOOR.get("/me", Role.VIEWER, "Who you are here, and what you may")
def me(who: StandingDep) -> Me:
    """Tell the caller's roles, and the token that writes from a browser need."""
    fleet = usable_fleet()
    return Me(
        name=who.name,
        role=who.role().word,
        databases={name: who.role(name).word for name in who.visible(fleet)},
        token=token_for(who.user.get_id()),
        runbooks=(fleet.alerts.runbooks or "").rstrip("/"),
    )
