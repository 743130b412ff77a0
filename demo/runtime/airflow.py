"""Airflow as a real installation runs it: four processes, metadata in PostgreSQL, users with roles."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from urllib.parse import quote

from demo.runtime.api import Api
from demo.runtime.cluster import Cluster
from demo.runtime.places import DemoProblem, Places, write_private
from demo.runtime.ports import Ports
from demo.runtime.processes import Service, find, start, wait_until
from demo.runtime.secret_words import SecretWords

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
USERS = {"admin": "Admin", "op": "Op", "researcher": "Researcher", "viewer": "Viewer"}
FOREIGN = ("AIRFLOW", "PG", "AWS_", "PYTHON", "VIRTUAL_ENV")
OURS = ("PGTEND_PG_BINDIRS",)


class Airflow:
    """The Airflow of one demo."""

    def __init__(self, places: Places, ports: Ports, cluster: Cluster, words: SecretWords) -> None:
        self.places = places
        self.ports = ports
        self.cluster = cluster
        self.words = words
        self.program = str(places.root / ".venv" / "bin" / "airflow")
        self.api = Api(f"http://127.0.0.1:{ports.ui}")

    def settings(self) -> dict[str, str]:
        """Give Airflow's settings; nothing is read from an airflow.cfg."""
        url = f"http://127.0.0.1:{self.ports.ui}"
        login = f"airflow:{quote(self.words['airflow'])}"
        root = self.places.root
        return {
            "AIRFLOW_HOME": str(self.places.airflow),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__INSTANCE_NAME": "pgtend demo",
            "AIRFLOW__API__PORT": str(self.ports.ui),
            "AIRFLOW__API__SECRET_KEY": self.words["api"],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": self.words["jwt"],
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": self.words["fernet"],
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
            # A DAG file says the same until the fleet file changes; reading all of them costs seconds of two cores.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "180",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (
                f"postgresql+psycopg2://{login}@127.0.0.1:{self.ports.postgres}/airflow"
            ),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self.ports.trigger_log),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.ports.worker_log),
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports.scheduler_health),
            "AWS_CONFIG_FILE": str(self.places.state / "aws_config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.places.state / "aws_credentials"),
            "PGTEND_FLEET": str(self.places.fleet),
            # For <db>.restore. A real worker has no private key until somebody puts one there for a restore.
            "PGTEND_KEY_FILE": str(self.places.key("operations")),
            "PGTEND_SIGNING_KEY_FILE": str(self.places.signing_key),
        }

    def environment(self, connections: Mapping[str, str]) -> dict[str, str]:
        """Give a component's whole environment: ours, and of the caller's what is no setting of something we run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN) or name in OURS}
        loopback = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        program_path = {"PATH": f"{self.places.root}/.venv/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"}
        return {**kept, **loopback, **program_path, **self.settings(), **connections}

    def write_environment(self, connections: Mapping[str, str]) -> None:
        """Leave the settings in a file, for a person who wants to run `airflow` by hand."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in {**self.settings(), **connections}.items()]
        write_private(self.places.state / "airflow.env", "\n".join(lines) + "\n")

    def prepare(self, connections: Mapping[str, str]) -> None:
        """Bring the metadata database up to date and create the users; once for each version of Airflow."""
        stamp = self.places.state / "airflow-is-prepared"
        made_for = version("apache-airflow-core")
        if stamp.exists() and stamp.read_text() == made_for:
            return
        self.cluster.ensure_role("airflow")
        self.cluster.ensure_database("airflow", "airflow")
        env = self.environment(connections)
        self.run((self.program, "db", "migrate"), env)
        users = {name: [role, self.words[name]] for name, role in USERS.items()}
        python = str(self.places.root / ".venv" / "bin" / "python")
        self.run((python, "-m", "demo.runtime.airflow_users"), env, json.dumps(users))
        stamp.write_text(made_for)

    def run(self, argv: tuple[str, ...], env: Mapping[str, str], said: str = "") -> None:
        """Run one of Airflow's own commands."""
        root = self.places.root
        result = subprocess.run(argv, env=env, cwd=root, input=said, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise DemoProblem(f"`{' '.join(argv)}` failed", *(result.stdout + result.stderr).splitlines()[-25:])

    def services(self, connections: Mapping[str, str]) -> tuple[Service, ...]:
        """Describe the four processes."""
        env = self.environment(connections)
        return tuple(
            Service(component, (self.program, component), env, patience=timedelta(seconds=120))
            for component in COMPONENTS
        )

    def start(self, connections: Mapping[str, str]) -> None:
        """Start the API server, and when it answers the rest; wait until all say that they are healthy."""
        api_server, *others = self.services(connections)
        asked_at = datetime.now(UTC)
        fresh = {service.name for service in others if find(self.places, service.name) is None}
        start(self.places, api_server)
        wait_until(self.places, api_server.name, self.api.is_up, timedelta(seconds=120))
        for service in others:
            start(self.places, service)
        for service in others:
            since = asked_at if service.name in fresh else None
            wait_until(
                self.places,
                service.name,
                lambda name=service.name, since=since: self.api.is_healthy(name, since),
                timedelta(seconds=120),
            )
        self.api.log_in("admin", self.words["admin"])
