"""What pgtend adds to the Airflow UI. Every task process imports this, so it stays as light as a plugin can be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import ClassVar, Final, TypeAlias

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.types import TaskInstanceKey

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Asgi: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

ROOT: Final = "/pgtend"


class RunbookLink(BaseOperatorLink):
    """A button beside each task: the folder of runbooks, where the fleet file says where it is."""

    name = "Runbooks"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Give the web address, or nothing, which hides the button."""
        from pgtend_airflow.pipelines import the_fleet  # noqa: PLC0415 - other people's tasks need none of it

        fleet = the_fleet().fleet
        return (fleet.alerts.runbooks or "") if fleet else ""


class LazyApp:
    """Imports the API at its first request: only the API server pays for FastAPI, drivers and Airflow's models."""

    def __init__(self) -> None:
        self._app: Asgi | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None:
            self._app = import_module("pgtend_airflow.web.app").build_app()
        assert self._app is not None  # noqa: S101 - it was made in the line above
        await self._app(scope, receive, send)


def page(name: str, destination: str, route: str, module: str, **more: object) -> dict[str, object]:
    """Describe a page that Airflow's own React draws; its address works below any base path."""
    bundle = f"{ROOT.lstrip('/')}/static/{module}.js"
    return {"name": name, "destination": destination, "url_route": route, "bundle_url": bundle, **more}


class PgtendPlugin(AirflowPlugin):
    """Registers the API, the pages and the button."""

    name = "pgtend"
    fastapi_apps: ClassVar[list[dict[str, object]]] = [{"app": LazyApp(), "url_prefix": ROOT, "name": "pgtend"}]
    react_apps: ClassVar[list[dict[str, object]]] = [
        page(
            "Databases",
            "nav",
            "pgtend",
            "page",
            icon=f"{ROOT}/static/icon.svg",
            icon_dark_mode=f"{ROOT}/static/icon-dark.svg",
            nav_top_level=True,
        ),
        page("Are we safe?", "dashboard", "pgtend-card", "card"),
        page("Database", "dag", "pgtend-dag", "tab"),
    ]
    global_operator_extra_links: ClassVar[list[BaseOperatorLink]] = [RunbookLink()]
