"""The face of pgtend without a browser: its API in this process, behind Airflow's own login, over a real ledger."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pytest
from airflow.api_fastapi.app import get_auth_manager, init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from bed.airflow_site import connection
from bed.clusters import LiveDatabase
from bed.ledgers import member_of
from pgtend_airflow.web.app import VERSION, build_app
from pgtend_airflow.web.books import BOOKS
from pgtend_airflow.web.pace import PACE

FLEET: Final = """\
fleet: clinic
owner: data-platform
ledger: {connection: ledger}
alerts: {runbooks: "https://runbooks.test"}
databases:
  kgc: {owner: kgc-team}
  lab: {owner: lab-team}
"""
# What Airflow calls its roles, by what we call them: a researcher is a viewer who was given one right besides.
ROLES: Final[Mapping[str, str]] = {"viewer": "viewer", "researcher": "viewer", "operator": "user", "admin": "op"}


@dataclass(slots=True)
class Face:
    """The API, its ledger, and a way to be somebody."""

    app: FastAPI
    reporting: LiveDatabase
    folder: Path
    environ: pytest.MonkeyPatch
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(self.app, raise_server_exceptions=False)

    @classmethod
    @contextmanager
    def shown(cls, reporting: LiveDatabase, folder: Path, environ: pytest.MonkeyPatch) -> Generator[Self]:
        """Build the API over a ledger and a fleet file."""
        environ.setenv("AIRFLOW_CONN_LEDGER", connection(member_of(reporting, "pgtend_writer")))
        environ.setenv("AIRFLOW__API__SECRET_KEY", "a-secret-of-this-test")
        init_auth_manager()
        try:
            yield cls(build_app(), reporting, folder, environ)
        finally:
            BOOKS.close()

    def clean(self) -> None:
        """Forget what a test before left behind."""
        self.run("TRUNCATE reporting.run, reporting.alert, reporting.told_metric")
        self.write_fleet(FLEET)
        PACE.forget()

    def write_fleet(self, text: str) -> None:
        """Write the fleet file."""
        path = self.folder / "fleet.yaml"
        path.write_text(text)
        self.environ.setenv("PGTEND_FLEET", str(path))

    def token(self, name: str, role: str) -> str:
        """Log somebody in, as Airflow would."""
        return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role=ROLES.get(role, role)))

    def ask(self, method: str, path: str, role: str, body: object = None) -> Response:
        """Ask with a bearer token, as a program does; without one when the role is empty."""
        headers = {"Authorization": f"Bearer {self.token(role, role)}"} if role else {}
        return self.client.request(method, f"{VERSION}{path}", headers=headers, json=body)

    def get(self, path: str, role: str = "viewer") -> Response:
        """Read."""
        return self.ask("GET", path, role)

    def post(self, path: str, body: object, role: str = "operator") -> Response:
        """Write."""
        return self.ask("POST", path, role, body)

    def run(self, *statements: str) -> None:
        """Put something into the ledger, as superuser."""
        self.reporting.run(*statements)
