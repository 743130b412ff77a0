"""A real running Airflow for stories and browser tests: all its components, with the LocalExecutor."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias, cast

import httpx

from bed.airflow_metadata import fill_metadata
from bed.clusters import LiveDatabase
from pgtend.postgres.address import Address

PROJECT: Final = Path(__file__).resolve().parents[2]
COMPONENTS: Final = ("api-server", "scheduler", "dag-processor", "triggerer")
ADMIN: Final = ("admin", "a-password-of-this-test-site")

Json: TypeAlias = dict[str, "JsonValue"]
JsonValue: TypeAlias = str | int | float | bool | list["JsonValue"] | Json | None


@dataclass
class AirflowSite:
    """One Airflow, its processes and its API. Everything lies in `home` and ends with the block."""

    home: Path
    metadata: str
    """SQLAlchemy address of an empty metadata database."""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment of every component: connections, the fleet file, other Airflow settings."""
    components: tuple[str, ...] = COMPONENTS
    port: int = 0
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, subprocess.Popen[bytes]])

    _groups: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        ports = free_ports(4)
        self.port = self.port or ports[0]
        self.address = f"http://127.0.0.1:{self.port}"
        self.environ = self._environ(ports)
        self.api = httpx.Client(base_url=self.address, timeout=30)

    def __enter__(self) -> Self:
        (self.home / "passwords.json").write_text(json.dumps(dict([ADMIN])))
        fill_metadata(self.metadata, lambda: self.run("db", "migrate"))
        for component in self.components:
            self.start(component)
        self.wait("every component to be healthy", self.is_healthy, patience=180)
        self.sign_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._signal_all(number)
            for process in self.running.values():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(8 if number == signal.SIGTERM else 30)
        self.running.clear()

    def run(self, *words: str) -> str:
        """Run one `airflow` command to its end."""
        done = subprocess.run(
            self._argv(*words), env=self.environ, cwd=self.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def start(self, component: str) -> None:
        """Start a component in a process group of its own; what is left of an earlier one is ended, as systemd does.

        Workers of a scheduler that was killed hold its connection open, and the locks of what it was about to do.
        """
        self._signal(self._groups.get(component), signal.SIGKILL)
        with (self.home / f"{component}.log").open("ab") as log:
            process = subprocess.Popen(
                self._argv(component), env=self.environ, cwd=self.home, stdout=log, stderr=log, start_new_session=True
            )
        self.running[component] = process
        self._groups[component] = process.pid

    def kill(self, component: str, how: signal.Signals = signal.SIGKILL) -> None:
        """`kill -9` of a component's main process alone, as the kernel does when memory runs out; or ask it to end."""
        process = self.running.pop(component)
        os.kill(process.pid, how)
        process.wait(60)

    def is_healthy(self) -> bool:
        """Ask the API whether every started component reports itself."""
        with suppress(httpx.HTTPError):
            health = cast("dict[str, dict[str, str]]", self.api.get("/api/v2/monitor/health").json())
            names = ["metadatabase", *(name.replace("-", "_") for name in self.components if name != "api-server")]
            return all(health.get(name, {}).get("status") == "healthy" for name in names)
        return False

    def sign_in(self) -> None:
        """Fetch a token that every later call carries."""
        answer = self.api.post("/auth/token", json={"username": ADMIN[0], "password": ADMIN[1]})
        answer.raise_for_status()
        self.api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str) -> Json:
        """Read from the public API."""
        answer = self.api.get(f"/api/v2/{path}")
        answer.raise_for_status()
        return cast("Json", answer.json())

    def patch(self, path: str, **change: JsonValue) -> Json:
        """Change something through the public API, as a click in the UI does."""
        answer = self.api.patch(f"/api/v2/{path}", json=change)
        assert answer.is_success, answer.text
        return cast("Json", answer.json())

    def trigger(self, dag_id: str, conf: Json | None = None) -> str:
        """Unpause a DAG and start a run of it; returns the run's id."""
        self.patch(f"dags/{dag_id}", is_paused=False)
        answer = self.api.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}})
        assert answer.is_success, answer.text
        return str(answer.json()["dag_run_id"])

    def knows(self, dag_id: str) -> bool:
        """Tell whether the DAG processor has read a DAG."""
        return self.api.get(f"/api/v2/dags/{dag_id}").is_success

    def give_up(self, dag_id: str, run_id: str) -> None:
        """Mark a run as failed, so that it is not tried again."""
        self.patch(f"dags/{dag_id}/dagRuns/{run_id}", state="failed")

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Tell the state of a run."""
        return str(self.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def finish(self, dag_id: str, run_id: str, *, patience: float = 120) -> str:
        """Wait for the end of a run and tell how it ended."""
        self.wait(
            f"the end of {dag_id}", lambda: self.run_state(dag_id, run_id) in {"success", "failed"}, patience=patience
        )
        return self.run_state(dag_id, run_id)

    def task_log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        """Read a task's log as the UI shows it."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        answer = self.api.get(f"/api/v2/{path}", headers={"Accept": "application/json"})
        answer.raise_for_status()
        return json.dumps(answer.json()["content"])

    def wait(self, what: str, happened: Callable[[], bool], *, patience: float) -> float:
        """Wait until something happened, and tell how many seconds it took; a busy machine gets four times as long."""
        began = time.monotonic()
        while not happened():
            if time.monotonic() - began > 4 * patience:
                raise TimeoutError(f"waited {4 * patience} s for {what}; logs are in {self.home}")
            time.sleep(0.4)
        return time.monotonic() - began

    def _signal_all(self, number: signal.Signals) -> None:
        """Reach every process of this site, those too whose parent was killed."""
        for group in self._groups.values():
            self._signal(group, number)

    @staticmethod
    def _signal(group: int | None, number: signal.Signals) -> None:
        if group is not None:
            with suppress(ProcessLookupError):
                os.killpg(group, number)

    def _argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "airflow", *words]

    def _environ(self, ports: list[int]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return {
            **kept,
            "AIRFLOW_HOME": str(self.home),
            "PYTHONPATH": str(PROJECT / "include"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.address}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN[0]}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.metadata,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.address,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(ports[1]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(ports[2]),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(ports[3]),
            # Only files that changed are read again; parsing all of them all the time would keep a processor busy.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
            # What takes minutes in a real installation takes seconds here, and happens in the same order.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
            **self.settings,
        }


def connection(address: Address) -> str:
    """Write an address as an Airflow connection."""
    params = address.params
    secret = address.password.get_secret_value() if address.password else ""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": params["host"],
            "port": int(params["port"]),
            "schema": params["dbname"],
            "login": params["user"],
            "password": secret,
        }
    )


def metadata_address(database: LiveDatabase) -> str:
    """Write the owner's way in as SQLAlchemy wants it."""
    address = database.owner
    secret = address.password.get_secret_value() if address.password else ""
    host, port = address.params["host"], address.params["port"]
    return f"postgresql+psycopg2://{address.user}:{secret}@/{database.name}?host={host}&port={port}"


def children_of(pid: int) -> list[int]:
    """Find the processes that a process started."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent_of(path) == pid]


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not just waiting to be buried."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def _parent_of(process: Path) -> int:
    with suppress(OSError):
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    return 0


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [cast("tuple[str, int]", each.getsockname())[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
