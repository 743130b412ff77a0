"""Every route of the API says who may use it, and holds to what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

from bed.face import Face
from pgtend_airflow.web.app import VERSION
from pgtend_airflow.web.door import SAYS_WHO
from pgtend_airflow.web.forgery import HEADER, token_for
from pgtend_airflow.web.pace import PACE
from pgtend_airflow.web.standing import ANALYSIS, Role

# What stands in an address. Writes name things that do not exist, so that whoever may do it changes nothing.
VALUES: Mapping[str, str] = {
    "database": "kgc",
    "action": "backup",
    "fleet_action": "channels",
    "number": "4711",
    "fingerprint": "f00d",
    "metric": "sessions",
    "table": "visits",
    "run_id": "20261121T020000Z-0123abcd",
}


@dataclass(frozen=True)
class Way:
    """One route, as its own description has it."""

    method: str
    path: str
    role: Role

    @property
    def address(self) -> str:
        """The path with values in it."""
        filled = re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], self.path)
        # The routes that the team's guide names take the database as a value.
        chosen = "?database=kgc" if filled.startswith(f"{VERSION}/database/") else ""
        return filled.removeprefix(VERSION) + chosen


@pytest.fixture
def analysts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the auth manager look at names, as FAB does: one person was given the right to the analysis."""

    def by_name(_: object, *, method: str, resource_name: str, user: BaseUser) -> bool:  # noqa: ARG001 - Airflow's signature
        return resource_name == ANALYSIS and user.get_name() == "researcher"

    monkeypatch.setattr(SimpleAuthManager, "is_authorized_custom_view", by_name)


def ways(face: Face) -> Iterator[Way]:
    """List every route that the API has."""
    for path, methods in face.app.openapi()["paths"].items():
        for method, said in methods.items():
            yield Way(method.upper(), path, Role[said[SAYS_WHO].upper()])


@pytest.mark.usefixtures("analysts")
def test_every_route_keeps_out_whoever_it_says(face: Face) -> None:
    """Anonymous is told to log in, a role too low is refused, and every higher role gets an answer."""
    walked: list[tuple[Role, Role, int]] = []
    for way in ways(face):
        assert face.ask(way.method, way.address, "", body={}).status_code == 401, way
        for role in (Role.VIEWER, Role.RESEARCHER, Role.OPERATOR, Role.ADMIN):
            answer = face.ask(way.method, way.address, role.word, body={})
            assert (answer.status_code == 403) is (role < way.role), (way, role, answer.text)
            assert answer.status_code < 500, (way, role, answer.text)
            walked.append((way.role, role, answer.status_code))
    assert {needed for needed, _, _ in walked} == set(Role) - {Role.NOBODY}
    assert len(walked) > 4 * 30


def test_no_route_that_writes_believes_the_token_of_another_person(face: Face) -> None:
    """Eve may log in and read her own token; beside the cookie of an administrator it opens nothing."""
    writes = [way for way in ways(face) if way.method != "GET"]
    face.client.cookies.set("_token", face.token("ada", "admin"))
    for way in writes:
        for forged in ({}, {HEADER: token_for("eve")}, {HEADER: token_for("ada"), "Sec-Fetch-Site": "cross-site"}):
            answer = face.client.request(way.method, f"{VERSION}{way.address}", json={}, headers=forged)
            assert (answer.status_code, answer.json()["code"]) == (403, "web.forged"), (way, forged)
        PACE.forget()
    face.client.cookies.clear()
    assert len(writes) > 5


def test_no_route_is_reachable_that_is_not_described(face: Face) -> None:
    """A route that is left out of the description would be left out of the walk above."""
    described = set(face.app.openapi()["paths"])
    reachable = {getattr(route, "path", "") for route in face.app.routes}
    assert reachable - described == {"/static/{name}", "/metrics"}


def test_a_token_that_airflow_did_not_sign_is_no_login(face: Face) -> None:
    """Whatever a stranger writes into the header, the answer is to log in."""
    for forged in ("x", "x.y.z", face.token("ada", "admin")[:-2]):
        answer = face.client.get(f"{VERSION}/fleet", headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401
        assert answer.json()["code"] == "web.unauthorized"


def test_a_researcher_is_who_was_given_the_right_to_the_analysis(face: Face, analysts: None) -> None:  # noqa: ARG001 - it is there, that is enough
    """Between a viewer and an operator: the right to one resource by name, in a manager that looks at names."""
    for role in ("viewer", "researcher", "operator", "admin"):
        assert face.get("/me", role).json()["role"] == role


@pytest.fixture
def only_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody see the pipelines of the database lab, and start them, and nothing else."""

    def of_lab(_: object, *, method: str, user: object, access_entity: object = None, details: object = None) -> bool:  # noqa: ARG001 - Airflow's signature
        return str(getattr(details, "id", "")).startswith("lab.")

    monkeypatch.setattr(SimpleAuthManager, "is_authorized_dag", of_lab)


@pytest.mark.usefixtures("only_lab")
def test_a_right_on_one_database_shows_that_one_alone(face: Face) -> None:
    """Its row is on the fleet page, its address answers, and the others do not exist for this person."""
    assert [row["database"] for row in face.get("/fleet").json()["rows"]] == ["lab"]
    assert face.get("/me").json()["databases"] == {"lab": "operator"}
    assert face.get("/databases/lab").status_code == 200
    hidden, unknown = face.get("/databases/kgc"), face.get("/databases/nowhere")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["title"].replace("kgc", "X") == unknown.json()["title"].replace("nowhere", "X")


@pytest.mark.usefixtures("only_lab")
def test_lists_hold_nothing_of_a_database_that_may_not_be_seen(face: Face) -> None:
    """Neither by default nor when it is asked for by name."""
    face.run(
        "SELECT reporting.start_run('20261121T010000Z-aaaaaaaa', 'kgc', 'backup', 'airflow:scheduled', '')",
        "SELECT reporting.start_run('20261121T020000Z-bbbbbbbb', 'lab', 'backup', 'airflow:scheduled', '')",
        "SELECT reporting.start_run('20261121T030000Z-cccccccc', 'fleet', 'audit', 'airflow:scheduled', '')",
    )
    assert [run["database"] for run in face.get("/runs").json()["items"]] == ["lab"]
    assert face.get("/runs?database=kgc").status_code == 404
    assert face.get("/runs?database=fleet").status_code == 403


def test_metrics_are_for_whoever_has_their_token(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login is not the token, and while no token is set nobody reads them, not even with an empty one."""
    for header in ("Bearer ", f"Bearer {face.token('ada', 'admin')}"):
        assert face.client.get("/metrics", headers={"Authorization": header}).status_code == 401
    monkeypatch.setenv("PGTEND_METRICS_TOKEN", "a-token-of-this-test")
    assert face.client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
    answer = face.client.get("/metrics", headers={"Authorization": "Bearer a-token-of-this-test"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
