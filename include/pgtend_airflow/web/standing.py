"""Who is asking, and what that person may: decided by Airflow's own permissions, whichever auth manager is in use.

| role | may | has, in Airflow |
|---|---|---|
| viewer | see how the databases are | the right to see the runs of their pipelines (`Viewer`) |
| researcher | read what was analysed: tables, statements, advice | `can_read` on `Database Analysis` |
| operator | start work, acknowledge | the right to start runs of their pipelines (`User`) |
| admin | read the audit, test the channels | the right to change connections (`Op`, `Admin`) |

A right on the pipelines of one database alone is a role for that database alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Final, cast

from airflow.api_fastapi.app import get_auth_manager  # pyright: ignore[reportUnknownVariableType] - half typed
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, Request
from fastapi.params import Depends as DependsParam

from pgtend.fleet.model import RESERVED, Fleet
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.web.problems import NotAllowed, NotFound

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager, ResourceMethod

ANALYSIS: Final = "Database Analysis"
# Seeing this pipeline of a database is seeing the database: every database has it.
_ANCHOR: Final = "backup"


class Role(IntEnum):
    """What somebody may; each role may what the one before it may."""

    NOBODY = 0
    VIEWER = 1
    RESEARCHER = 2
    OPERATOR = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """The role as people write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Standing:
    """A person who is logged in."""

    user: BaseUser
    manager: BaseAuthManager[BaseUser]

    @property
    def name(self) -> str:
        """The login."""
        return self.user.get_name()

    @property
    def actor(self) -> str:
        """The name under which the audit knows this person, the same as for runs started in the UI."""
        return f"airflow:{self.name}"

    def role(self, database: str = "") -> Role:
        """Tell what this person may do with one database, or with the fleet as a whole."""
        dag_id = f"{database}.{_ANCHOR}" if database else ""
        if self.may_reach_runs("POST", dag_id):
            may_administer = self.manager.is_authorized_connection(method="PUT", user=self.user)
            return Role.ADMIN if may_administer else Role.OPERATOR
        if not self.may_reach_runs("GET", dag_id):
            return Role.NOBODY
        return Role.RESEARCHER if self._may_read_analysis() else Role.VIEWER

    def may_reach_runs(self, method: ResourceMethod, dag_id: str = "") -> bool:
        """Ask Airflow whether this person may see or start runs of one pipeline, or of all of them."""
        return self.manager.is_authorized_dag(
            method=method,
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=dag_id) if dag_id else None,
            user=self.user,
        )

    def visible(self, fleet: Fleet) -> tuple[str, ...]:
        """List the databases that this person may see."""
        if self.may_reach_runs("GET"):
            return tuple(fleet.databases)
        return tuple(name for name in fleet.databases if self.role(name) >= Role.VIEWER)

    def _may_read_analysis(self) -> bool:
        def allows(resource: str) -> bool:
            return self.manager.is_authorized_custom_view(method="GET", resource_name=resource, user=self.user)

        # A manager that allows a name nobody was ever given looks at no names, so its yes says nothing.
        return allows(ANALYSIS) and not allows(f"{ANALYSIS}, a name that nobody is given")


def standing(user: Annotated[BaseUser, Depends(get_user)]) -> Standing:
    """Say who is asking; anonymous callers have got their 401 by now."""
    return Standing(user, cast("BaseAuthManager[BaseUser]", get_auth_manager()))


StandingDep = Annotated[Standing, Depends(standing)]


def requires(role: Role) -> DependsParam:
    """Let a caller in who has this role: for the database that the address names, or for the whole fleet."""

    def enter(request: Request, who: StandingDep) -> None:
        named = str(request.path_params.get("database") or request.query_params.get("database") or "")
        if named in {"", RESERVED}:
            refuse_below(role, who.role() if named or role > Role.VIEWER else _anywhere(who))
            return
        if named not in usable_fleet().databases or who.role(named) < Role.VIEWER:
            raise no_database(named)
        refuse_below(role, who.role(named))

    return DependsParam(enter)


def no_database(name: str) -> NotFound:
    """Say that there is no such database, or that it is not for the caller."""
    return NotFound(f"there is no database '{name[:63]}' here, or you may not see it")


def refuse_below(needed: Role, found: Role) -> None:
    """Refuse who has less than the role that is needed."""
    if found < needed:
        raise NotAllowed(
            f"this needs the role {needed.word}, and you have {found.word}",
            hint="docs/how-to/who-may-what.md says which rights in Airflow make which role.",
        )


def _anywhere(who: Standing) -> Role:
    """Whoever may see one database may see the list, which then holds that one alone."""
    return max((who.role(name) for name in ("", *who.visible(usable_fleet()))), default=Role.NOBODY)
