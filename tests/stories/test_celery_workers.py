"""The processes of docker-compose.yaml, run directly: Redis, Airflow on the CeleryExecutor, two workers.

The environment is read from the file itself, so that what is tested is what people install.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest
from psycopg import sql

from bed.airflow_site import AirflowSite, free_ports
from bed.clusters import statement, tools_of
from bed.compose import PROJECT, environment_of, moved_here, read_compose, services
from pgtend.postgres.throwaway import ThrowawayServer

MAKE_SECRETS: Final = PROJECT / "include" / "pgtend_airflow" / "compose" / "make_secrets.py"
DAGS: Final = PROJECT / "tests" / "bed" / "celery_dags"
# What a throwaway site has to set itself: where it listens, and how the test logs in.
OWN: Final = ("AIRFLOW__API__BASE_URL", "AIRFLOW__CORE__AUTH_MANAGER", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL")

pytestmark = pytest.mark.long


@contextmanager
def redis(folder: Path, password_file: Path, port: int) -> Generator[None]:
    """Run Redis with a password that comes by standard input, as the compose file does."""
    program = shutil.which("redis-server")
    assert program is not None, "Run `make test`: it installs redis-server."
    lines = f"bind 127.0.0.1\nport {port}\ndir {folder}\nrequirepass {password_file.read_text()}\nappendonly yes\n"
    process = subprocess.Popen((program, "-"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stdin is not None
    process.stdin.write(lines)
    process.stdin.close()
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def metadata_server(password: str) -> Generator[ThrowawayServer]:
    """Run a server with the role and the database that the compose file's `metadata` service has."""
    with ThrowawayServer(tools=tools_of(15), listens_on_tcp=True, settings={"max_connections": "120"}) as server:
        with server.session() as session:
            create = statement("CREATE ROLE airflow LOGIN PASSWORD {password}")
            session.run(create, password=sql.Literal(password))
            session.run(statement("CREATE DATABASE airflow OWNER airflow"))
        yield server


class Workers:
    """The Celery workers of one site."""

    def __init__(self, site: AirflowSite, notes: Path) -> None:
        self.site = site
        self.notes = notes
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, port: int) -> None:
        """Start a worker with a name and a port of its own."""
        own = {
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(port),
            "RELAY_WORKER": name,
            "RELAY_NOTES": str(self.notes),
        }
        folder = self.site.home / name
        folder.mkdir()
        command = ("celery", "worker", "--celery-hostname", f"{name}@%h", "--concurrency", "2")
        argv = (sys.executable, "-m", "airflow", *command, "--pid", str(folder / "pid"))
        with (folder / "log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                argv, env={**self.site.environ, **own}, cwd=folder, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self, name: str) -> None:
        """Wait until a worker takes tasks."""
        log = self.site.home / name / "log"
        self.site.wait(f"worker {name}", lambda: b"ready" in log.read_bytes(), patience=90)

    def kill(self, name: str) -> None:
        """End a worker and all its children at once, as a machine that loses power does."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """End what still runs."""
        for name in list(self.running):
            self.kill(name)

    def share(self) -> Counter[str]:
        """Count the tasks that each worker began."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return Counter(line.split()[0] for line in lines)


@pytest.fixture
def installation(tmp_path: Path) -> Generator[tuple[AirflowSite, Workers]]:
    """Run what the compose file describes, as processes of this machine."""
    folder = tmp_path / "secrets"
    subprocess.run((sys.executable, str(MAKE_SECRETS), str(folder)), check=True)
    redis_port, *ports = free_ports(3)
    with ExitStack() as stack:
        password = (folder / "metadata_password").read_text()
        server = stack.enter_context(metadata_server(password))
        stack.enter_context(redis(tmp_path, folder / "redis_password", redis_port))
        moves = {
            "/run/secrets/": f"{folder}/",
            "@redis:6379": f"@127.0.0.1:{redis_port}",
            "@metadata/": f"@127.0.0.1:{server.port}/",
            "/opt/airflow/fleet.yaml": str(PROJECT / "demo" / "fleet.yaml"),
        }
        metadata = f"postgresql://airflow:{password}@127.0.0.1:{server.port}/airflow"
        site = stack.enter_context(installed_site(tmp_path / "airflow", moves, metadata))
        workers = Workers(site, tmp_path / "notes")
        stack.callback(workers.stop)
        for name, port in zip(("first", "second"), ports, strict=True):
            workers.start(name, port)
        for name in list(workers.running):
            workers.wait(name)
        yield site, workers


def installed_site(home: Path, moves: Mapping[str, str], metadata: str) -> AirflowSite:
    """Set a site up with the environment that the compose file gives to a worker."""
    described = moved_here(environment_of(services(read_compose())["worker"]), moves, {"PGTEND_BASE_URL": "unused"})
    settings = {name: value for name, value in described.items() if name not in OWN}
    settings["AIRFLOW__CORE__DAGS_FOLDER"] = str(DAGS)
    site = AirflowSite(home, metadata, settings, ("api-server", "scheduler", "dag-processor"))
    # The site invents secrets of its own; here they come by command from files.
    for name in [name for name in settings if name.endswith("_CMD")]:
        site.environ.pop(name.removesuffix("_CMD"), None)
    return site


def test_two_workers_share_the_work_and_one_carries_on_alone(installation: tuple[AirflowSite, Workers]) -> None:
    """A run is spread over both workers; when one is gone, what it held is tried again by the other and succeeds."""
    site, workers = installation
    site.wait("the DAG", lambda: bool(site.get("dags")["dags"]), patience=60)
    assert site.finish("relay", site.trigger("relay")) == "success"
    assert set(workers.share()) == {"first", "second"}

    run = site.trigger("relay")
    before = workers.share()["first"]
    site.wait("the first worker to hold a task", lambda: workers.share()["first"] > before, patience=60)
    workers.kill("first")
    alone = workers.share()["second"]
    assert site.finish("relay", run, patience=240) == "success"
    assert workers.share()["second"] > alone
