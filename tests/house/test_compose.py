"""docker-compose.yaml without an engine: its words are known, its secrets are files, its services are watched.

Compose's own validator is no Python package, and no engine runs here. So the words that the file may use are written
out below: a misspelt one is found, as the validator would. What the file means is tested beside it.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from jsonschema import Draft202012Validator

from bed.compose import FILE, PROJECT, Service, environment_of, read_compose, services

WORDS: Final = {"type": "string"}
LIST: Final = {"type": "array", "items": WORDS}
SPAN: Final = {"type": "string", "pattern": r"^\d+(s|m|h)$"}
CLOSED: Final = {"type": "object", "additionalProperties": False}
WAITS: Final = {"enum": ["service_healthy", "service_completed_successfully"]}
HEALTH: Final = {
    **CLOSED,
    "required": ["test", "interval", "timeout", "retries", "start_period"],
    "properties": {
        "test": LIST, "interval": SPAN, "timeout": SPAN, "start_period": SPAN, "retries": {"type": "integer"},
    },
}  # fmt: skip
SERVICE: Final = {
    **CLOSED,
    "required": ["image", "restart", "stop_grace_period"],
    "properties": {
        "build": {"const": "."},
        "image": {"type": "string", "pattern": r"^[a-z-]+:[\w.-]+$"},
        "restart": {"enum": ["unless-stopped", "no"]},
        "stop_grace_period": SPAN,
        "environment": {"type": "object", "additionalProperties": WORDS},
        "command": {"anyOf": [WORDS, LIST]},
        "entrypoint": LIST,
        "secrets": LIST,
        "volumes": LIST,
        "ports": LIST,
        "deploy": {**CLOSED, "properties": {"replicas": {"type": "integer"}}},
        "healthcheck": HEALTH,
        "depends_on": {
            "type": "object",
            "additionalProperties": {**CLOSED, "required": ["condition"], "properties": {"condition": WAITS}},
        },
    },
}
COMPOSE: Final = {
    **CLOSED,
    "required": ["name", "services", "volumes", "secrets"],
    "properties": {
        "name": WORDS,
        "x-airflow": {"type": "object"},
        "services": {"type": "object", "additionalProperties": SERVICE},
        "volumes": {"type": "object", "additionalProperties": {**CLOSED}},
        "secrets": {
            "type": "object",
            "additionalProperties": {**CLOSED, "required": ["file"], "properties": {"file": WORDS}},
        },
    },
}
SECRETIVE: Final = re.compile(r"PASSWORD|JWT_SECRET|(SECRET|FERNET)_KEY|SQL_ALCHEMY_CONN|BROKER_URL|RESULT_BACKEND")


def violations(text: str) -> list[str]:
    """Say where a file breaks the schema."""
    found = Draft202012Validator(COMPOSE).iter_errors(read_compose(text))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def secrets_in_the_open(service: Service) -> list[str]:
    """Name the variables that carry a secret themselves instead of saying which file holds it."""
    return [
        name
        for name, value in environment_of(service).items()
        if SECRETIVE.search(name) and "/run/secrets/" not in value
    ]


def test_every_word_of_the_file_is_one_that_compose_knows() -> None:
    """A misspelt key would be ignored, or stop `docker compose up` on somebody's first day."""
    assert violations(FILE.read_text()) == []


def test_a_misspelt_word_is_found() -> None:
    """The check above can fail."""
    text = FILE.read_text().replace("    healthcheck:", "    healthchek:", 1)
    assert ["healthchek" in each for each in violations(text)] == [True]


@pytest.mark.parametrize("name", sorted(services(read_compose())))
def test_a_service_that_stays_up_is_watched(name: str) -> None:
    """Every service but the one that ends by itself says how to see that it is well, and comes back after a crash."""
    service = services(read_compose())[name]
    if name == "init":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert "healthcheck" in service


def test_no_secret_stands_in_an_environment_variable() -> None:
    """Whoever may list containers sees their environment, so that it only names files."""
    assert {
        name: found for name, each in services(read_compose()).items() if (found := secrets_in_the_open(each))
    } == {}


def test_a_password_in_an_environment_variable_is_found() -> None:
    """The check above can fail."""
    assert secrets_in_the_open({"environment": {"POSTGRES_PASSWORD": "hunter2"}}) == ["POSTGRES_PASSWORD"]


def test_every_variable_must_be_given() -> None:
    """A variable with a default, or with none, would start something nobody decided."""
    text = re.sub(r"(?m)^ *#.*$", "", FILE.read_text())
    assert re.findall(r"(?<!\$)\$\{(\w+)(:\?)?", text) == [("PGTEND_BASE_URL", ":?")]


@pytest.mark.parametrize("name", sorted(services(read_compose())))
def test_a_service_gets_the_secrets_it_reads_and_no_others(name: str) -> None:
    """A container that can read a secret it does not need is one more place to lose it."""
    service = services(read_compose())[name]
    mounted = re.findall(r"\./(include/[\w./-]+):", str(service))
    text = "".join([str(service), *((PROJECT / path).read_text() for path in mounted)])
    read = set(re.findall(r"/run/secrets/([\w.]+\w)", text))
    for_connections = {"ledger_ca.pem"}  # named inside connections.yaml
    assert set(map(str, service.get("secrets", []))) - for_connections == read - for_connections  # type: ignore[arg-type]


def test_make_secrets_writes_every_file_that_compose_names(tmp_path: Path) -> None:
    """`make secrets` and compose agree, nobody else can enter the folder, and a second time changes nothing."""
    folder = tmp_path / "secrets"
    command = ("python3", str(PROJECT / "include" / "pgtend_airflow" / "compose" / "make_secrets.py"), str(folder))
    subprocess.run(command, check=True, capture_output=True)
    named = {Path(each["file"]).name for each in read_compose()["secrets"].values()}  # type: ignore[union-attr]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == named
    assert folder.stat().st_mode & 0o777 == 0o700
    subprocess.run(command, check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_nothing_listens_beyond_this_machine() -> None:
    """Airflow is published on the loopback address alone, and the rest is not published at all."""
    assert {name: each["ports"] for name, each in services(read_compose()).items() if "ports" in each} == {
        "api-server": ["127.0.0.1:8080:8080"]
    }


def test_what_a_container_mounts_from_here_it_cannot_change() -> None:
    """Only named volumes are written to."""
    mounts = [str(m) for each in services(read_compose()).values() for m in each.get("volumes", [])]  # type: ignore[union-attr]
    assert [mount for mount in mounts if mount.startswith(".") and not mount.endswith(":ro")] == []
    assert [
        mount for mount in mounts if mount.startswith("./docker") and not (PROJECT / mount.split(":")[0]).exists()
    ] == []


def test_the_image_runs_as_nobody_special_and_installs_by_digest() -> None:
    """The last user of the Dockerfile is Airflow's own, and packages are pinned with hashes."""
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER airflow"
    assert [line for line in lines if "--require-hashes" in line]
    assert [line for line in lines if line.startswith("FROM ")] == ["FROM apache/airflow:slim-3.3.2-python3.11"]


def test_the_image_is_built_on_the_airflow_that_the_lock_names() -> None:
    """An image of one Airflow with the packages of another starts and then fails."""
    locked = re.search(r"(?m)^apache-airflow==([\d.]+)", (PROJECT / "requirements.txt").read_text())
    assert locked is not None
    assert f"apache/airflow:slim-{locked.group(1)}-" in (PROJECT / "Dockerfile").read_text()


def test_a_worker_can_restore_every_version_that_it_can_back_up() -> None:
    """Tools and a server of each major, bubblewrap for the walls, and no server that runs by itself."""
    text = (PROJECT / "Dockerfile").read_text()
    majors = {"13", "14", "15", "16", "17", "18"}
    assert set(re.findall(r"\bpostgresql-client-(\d+)\b", text)) == majors
    assert set(re.findall(r"\bpostgresql-(\d+)\b", text)) == majors
    assert re.search(r"\bbubblewrap\b", text)
    settled, installed = text.index("create_main_cluster = false"), text.index("postgresql-13")
    assert settled < installed, "the packages of a server make a cluster unless they were told not to before"


def test_where_the_walls_come_from_is_told_to_whoever_installs() -> None:
    """Docker forbids what the walls are made of, so the how-to says what to allow, in words that Compose knows."""
    page = (PROJECT / "docs" / "how-to" / "install-with-docker-compose.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(# docker-compose.drills.yaml\n.*?)```", page, re.DOTALL)
    worker = services(read_compose(overlay))["worker"]
    assert worker["security_opt"] == ["seccomp=unconfined", "apparmor=unconfined"]
    assert set(services(read_compose(overlay))) <= set(services(read_compose()))
