"""The whole demo: its parts in the order in which they need each other."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console

from demo.databases.roster import UNDECIDED
from demo.runtime import fleet_databases, stores
from demo.runtime.airflow import COMPONENTS, Airflow
from demo.runtime.api import Api, Run
from demo.runtime.cluster import Cluster
from demo.runtime.connections import airflow_connections, write_shell_files
from demo.runtime.fleet_file import write_fleet_file
from demo.runtime.places import DemoProblem, Places
from demo.runtime.ports import choose_ports, read_ports
from demo.runtime.processes import Service, bury, find, start, stop, wait_until
from demo.runtime.runs import (
    begin,
    explain_failures,
    in_waves,
    run_every_pipeline,
    wait_for_pipelines,
    wait_for_question,
)
from demo.runtime.secret_words import SecretWords
from demo.runtime.steps import Steps
from demo.runtime.summary import print_summary

# Holds no pipeline: it is there to show what is wrong with the fleet file.
SAYS_ONLY_ERRORS = "fleet_file.py"
LISTENERS = {
    "ui": "api-server",
    "postgres": "postgresql",
    "s3_main": "s3-main",
    "s3_offsite": "s3-offsite",
    "smtp": "sinks",
    "alerts": "sinks",
    "worker_log": "scheduler",
    "trigger_log": "triggerer",
    "scheduler_health": "scheduler",
}
STOPPED_TOGETHER = (
    ("scheduler", "dag-processor", "triggerer"),
    ("api-server",),
    ("sinks", "s3-main", "s3-offsite", "postgresql"),
)
ALL_SERVICES = ("postgresql", "s3-main", "s3-offsite", "sinks", *COMPONENTS)


class Machine:
    """Starts, checks and stops the demo of one clone."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.places = Places.here()
        self.steps = Steps(console)

    def start(self) -> None:
        """Start what does not run, run what is not green, and say where to look."""
        self.places.make()
        with self.alone():
            self.assemble()
            with ThreadPoolExecutor(4) as workers:
                self.start_foundation(workers)
                data = workers.submit(self.bring_data)
                try:
                    self.start_airflow()
                finally:
                    data.result()
            self.run_pipelines()
        print_summary(self.console, self.places, self.ports, self.words, self.steps.whole_time())

    def assemble(self) -> None:
        """Choose ports and secrets, and see what runs already."""
        for name in ALL_SERVICES:
            if bury(self.places, name):
                self.tell(f"{name} was killed; its remains are cleared away")
        running = self.running()
        if running == list(ALL_SERVICES):
            self.console.print("  The demo runs already; looking whether all is well.")
        self.words = SecretWords(self.places)
        self.ports = choose_ports(self.places, lambda name: LISTENERS[name] in running)
        self.cluster = Cluster(self.places, self.ports, self.words)
        self.airflow = Airflow(self.places, self.ports, self.cluster, self.words)

    def running(self) -> list[str]:
        """List our services that run."""
        return [name for name in ALL_SERVICES if find(self.places, name) is not None]

    def start_foundation(self, workers: ThreadPoolExecutor) -> None:
        """Start what Airflow stands on, side by side."""
        started = [
            workers.submit(self.do, f"PostgreSQL on 127.0.0.1:{self.ports.postgres}", self.cluster.start),
            workers.submit(self.do, f"mail and webhook sinks on :{self.ports.smtp}, :{self.ports.alerts}", self.sinks),
        ]
        for site in stores.sites(self.ports):
            said = f"S3 site {site.name} on 127.0.0.1:{site.port}"
            started.append(workers.submit(self.do, said, lambda one=site: self.store(one)))
        for future in started:
            future.result()
        databases = fleet_databases.CONNECTIONS
        self.connections = airflow_connections(databases, self.cluster, self.ports, self.words)
        shell = (*databases, fleet_databases.ADMIN)
        write_fleet_file(self.places, f"http://127.0.0.1:{self.ports.ui}")
        write_shell_files(self.places, shell, self.cluster, self.ports, self.words)
        self.airflow.write_environment(self.connections)

    def do(self, what: str, work: Callable[[], None]) -> None:
        """Do one step and tell of it."""
        with self.steps.step(what):
            work()

    def store(self, site: stores.Site) -> None:
        """Start one S3 site."""
        stores.start_site(self.places, site, self.words)

    def sinks(self) -> None:
        """Start the place where alerts arrive."""
        start(self.places, self.sinks_service())
        wait_until(self.places, "sinks", lambda: listens(self.ports.alerts), timedelta(seconds=20))

    def sinks_service(self) -> Service:
        """Describe the sinks as a process."""
        options = ("--smtp-port", str(self.ports.smtp), "--http-port", str(self.ports.alerts))
        argv = (sys.executable, "-m", "demo.sinks", *options, "--folder", str(self.places.state))
        return Service("sinks", argv, {"PATH": "/usr/bin:/bin"})

    def bring_data(self) -> None:
        """Create and fill the databases, and bring the ledger up to date."""
        with self.steps.step("five databases with their data"):
            fleet_databases.create_and_seed(self.cluster, self.words)
        with self.steps.step("the ledger"):
            fleet_databases.migrate_ledger(self.places, self.cluster)
        with self.steps.step("their past: archives, and nights of statements"):
            from demo.runtime.history import make_history  # noqa: PLC0415 - only this step needs the library

            make_history(self.places, self.cluster)

    def start_airflow(self) -> None:
        """Bring Airflow up, anew if its settings changed since it started."""
        with self.steps.step("Airflow's metadata and users"):
            self.airflow.prepare(self.connections)
        with self.steps.step(f"Airflow on http://127.0.0.1:{self.ports.ui}"):
            stamp = self.places.state / "airflow-settings"
            digest = digest_of({**self.airflow.settings(), **self.connections})
            if stamp.exists() and stamp.read_text() != digest:
                self.stop_all(COMPONENTS)
            stamp.write_text(digest)
            self.airflow.start(self.connections)

    def run_pipelines(self) -> None:
        """Run every pipeline that is not green and say what is not."""
        with self.steps.step("every pipeline once for every database"):
            files = {path.name for path in (self.places.root / "dags").glob("*.py")} - {SAYS_ONLY_ERRORS}
            known = wait_for_pipelines(self.airflow.api, files, timedelta(minutes=4))
            self.airflow.api.unpause()
            first, *later = in_waves(known)
            self.run_wave(first)
            questions = [self.ask_a_person(dag_id) for dag_id in known if dag_id == f"{UNDECIDED}.archive"]
            for wave in later:
                self.run_wave(wave)
            for question in questions:
                wait_for_question(self.airflow.api, question, timedelta(minutes=4))

    def run_wave(self, wave: list[str]) -> None:
        """Run what is not green of pipelines that need nothing of each other."""
        runs = run_every_pipeline(self.airflow.api, wave, self.console, timedelta(minutes=10))
        explain_failures(self.airflow.api, runs)

    def ask_a_person(self, dag_id: str) -> Run:
        """Start what waits for a person, as `op`: whoever starts it cannot be the one that says yes."""
        op = Api(self.airflow.api.url)
        op.log_in("op", self.words["op"])
        return begin(op, dag_id)

    def stop(self) -> bool:
        """Stop everything, last started first; tell whether anything ran."""
        with self.alone():
            return self.stop_all(ALL_SERVICES)

    def stop_all(self, names: tuple[str, ...]) -> bool:
        """Stop services in the order in which they lean on each other."""
        ran: list[bool] = []
        with ThreadPoolExecutor(len(ALL_SERVICES)) as workers:
            for group in STOPPED_TOGETHER:
                chosen = [how_to_stop(name) for name in group if name in names]
                ran += workers.map(lambda service: stop(self.places, service, self.tell), chosen)
        return any(ran)

    def tell(self, line: str) -> None:
        """Say something between the steps."""
        self.console.print(f"  {line}")

    def clean(self) -> None:
        """Stop everything and remove all that the demo wrote."""
        self.stop()
        if self.places.cluster.is_symlink():
            shutil.rmtree(self.places.cluster.resolve(), ignore_errors=True)
        shutil.rmtree(self.places.state)

    def status(self) -> bool:
        """Say what runs; tell whether it is everything."""
        running = self.running()
        ports = read_ports(self.places)
        for name in ALL_SERVICES:
            where = ", ".join(f"{port} {ports[port]}" for port, owner in LISTENERS.items() if owner == name and ports)
            mark = "[green]✔ runs   [/]" if name in running else "[red]✘ stopped[/]"
            self.console.print(f"  {mark} {name:14} [dim]{where}[/]", highlight=False)
        return len(running) == len(ALL_SERVICES)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one make at a time work on a demo."""
        with (self.places.state / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise DemoProblem(f"another make (process {lock.read()}) works on this demo", "Wait for it.") from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def how_to_stop(name: str) -> Service:
    """Describe how a service is stopped; how it was started does not matter for that."""
    if name == "postgresql":
        return Service(name, (), {}, stop_signal=signal.SIGINT)
    return Service(name, (), {}, patience=timedelta(seconds=120))


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections on a port of ours."""
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex(("127.0.0.1", port)) == 0


def digest_of(settings: Mapping[str, str]) -> str:
    """Name a set of settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
