"""Puts the API together: its areas, its errors, its own description, and the files of the pages."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from pgtend_airflow.web import problems
from pgtend_airflow.web.areas import actions, backups, care, drills, fleet, health, me, statements, told
from pgtend_airflow.web.door import Door
from pgtend_airflow.web.files import FILES
from pgtend_airflow.web.metrics import METRICS
from pgtend_airflow.web.standing import Role

VERSION: Final = "/api/v1"
AREAS: Final[tuple[Door, ...]] = (
    me.DOOR,
    fleet.DOOR,
    backups.DOOR,
    drills.DOOR,
    care.DOOR,
    health.DOOR,
    told.DOOR,
    statements.DOOR,
    actions.DOOR,
)
_ABOUT: Final = """\
What pgtend knows about your databases, and what you may do from outside. Everything the pages show comes from here.

Log in as for Airflow's own API: `POST /auth/token`, then `Authorization: Bearer ...`. Who may what is decided by your
rights in Airflow; every route says which role it needs (`x-role`). Errors are `application/problem+json` with a stable
`code`, a detail and a hint. Lists come in pages: give `next` of one as `before` of the following.
"""


def build_app() -> FastAPI:
    """Build the API of the pages."""
    # Airflow protects none of this: each route asks for the login itself, and the description is a route like others.
    app = FastAPI(title="pgtend", version="1", description=_ABOUT, openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    for area in (*AREAS, _description(app)):
        app.include_router(area.router, prefix=VERSION)
    app.include_router(FILES)
    app.include_router(METRICS)
    return app


def _description(app: FastAPI) -> Door:
    """Let the app describe itself, to those who are logged in."""
    door = Door("description")

    @door.get("/openapi.json", Role.VIEWER, "This description")
    def describe() -> dict[str, object]:  # pyright: ignore[reportUnusedFunction] - the route is what is used
        """Describe every route, its values, its answers and who may use it."""
        return app.openapi()

    return door
