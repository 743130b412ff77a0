"""What looking at a fleet every five minutes costs: a look by itself, and a look as a task of Airflow."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bed.airflow_site import AirflowSite, connection, metadata_address
from bed.clusters import LiveDatabase, new_database
from bed.ledgers import member_of, new_ledger
from bench.disks import quick_server
from bench.figures import Section, Table, prose, spent
from pgtend.fleet.model import Database
from pgtend.health.job import examine, stale_after
from pgtend.health.store import HealthStore
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.address import Address
from pgtend.postgres.throwaway import ThrowawayServer

LOOKS = 60
AT_ONCE = 8
TASKS = 6
# Nothing that is run here defers.
COMPONENTS = ("api-server", "scheduler", "dag-processor")
DATABASES = 200
EVERY = 300
FLEET = """\
fleet: clinic
ledger: {connection: ledger}
databases:
  kgc: {}
"""
COLUMNS = ("what", "CPU of pgtend", "wall", f"{DATABASES} databases, CPU of each five minutes")


@dataclass(frozen=True, slots=True)
class Ground:
    """A database to look at, and a ledger to keep the looks in."""

    server: ThrowawayServer
    watched: LiveDatabase
    monitor: Address
    writer: Address


def measure() -> Section:
    """Look at a database again and again: in one process, in threads of one process, and by tasks of Airflow."""
    with _ground() as ground:
        rows: list[tuple[str, ...]] = [
            _row("a look, its connections included", *_looks(ground, 1)),
            _row("the same, eight at once", *_looks(ground, AT_ONCE)),
        ]
        rows.append(_row("a look as a task of Airflow", *_tasks(ground)))
    return Section(
        title="Health",
        measured=prose(f"""
            A small database on a server of version 18, looked at {LOOKS} times with all questions of a quick look, and
            the ledger that keeps it; CPU of our processes, not of PostgreSQL. As a task: {TASKS} runs of `kgc.health`
            one after the other under the LocalExecutor, the CPU of scheduler, executor, tasks and API server together,
            less what they take when nothing runs.
        """),
        tables=(Table(COLUMNS, tuple(rows)),),
    )


def _row(what: str, cpu: float, wall: float) -> tuple[str, ...]:
    return (what, f"{cpu * 1000:,.0f} ms", f"{wall * 1000:,.0f} ms", f"{cpu * DATABASES:,.0f} s of {EVERY}")


@contextmanager
def _ground() -> Generator[Ground]:
    with quick_server() as server, new_database(server) as watched, new_ledger(server) as reporting:
        monitor = watched.new_role("monitor")
        watched.run(f'GRANT pg_monitor TO "{monitor.user}"', "CREATE TABLE public.visits (id int PRIMARY KEY)")
        yield Ground(server, watched, monitor, member_of(reporting, "pgtend_writer"))


def _looks(ground: Ground, at_once: int) -> tuple[float, float]:
    """Look as a task does: a session in the ledger, one in the database, and all of it kept."""
    began = datetime.now(UTC)

    def look(number: int) -> None:
        database = Database.model_validate({"name": f"db{number % at_once}", "connection": "kgc"})
        moment = began + number * timedelta(minutes=5)
        with ground.watched.session(ground.writer) as session:
            store = HealthStore(DatabaseLedger(session))
            store.keep(examine(database, ground.monitor, store, clock=lambda: moment), stale_after(database))

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(look, range(at_once)))
        cost = spent(lambda: [None for _ in pool.map(look, range(at_once, at_once + LOOKS))])
    return cost.cpu / LOOKS, cost.wall / LOOKS


def _tasks(ground: Ground) -> tuple[float, float]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgtend-site-")))
        (home / "fleet.yaml").write_text(FLEET)
        metadata = stack.enter_context(new_database(ground.server))
        settings = {
            "PGTEND_FLEET": str(home / "fleet.yaml"),
            "AIRFLOW_CONN_KGC": connection(ground.monitor),
            "AIRFLOW_CONN_LEDGER": connection(ground.writer),
            "AIRFLOW__CORE__PARALLELISM": "1",
        }
        site = stack.enter_context(AirflowSite(home, metadata_address(metadata), settings, COMPONENTS))
        site.wait("the DAG", lambda: site.knows("kgc.health"), patience=180)
        site.finish("kgc.health", site.trigger("kgc.health"))
        site.patch("dags/kgc.health", is_paused=False)
        before, began = _cpu_of(site), time.monotonic()
        for _ in range(TASKS):
            assert site.finish("kgc.health", site.trigger("kgc.health")) == "success"
        busy, lasted = _cpu_of(site) - before, time.monotonic() - began
        before = _cpu_of(site)
        time.sleep(lasted)
        idle = _cpu_of(site) - before
    return (busy - idle) / TASKS, lasted / TASKS


def _cpu_of(site: AirflowSite) -> float:
    """Add up what all processes of the site have used, those that ended included; reading DAG files left out."""
    leaders = {process.pid for name, process in site.running.items() if name != "dag-processor"}
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) in leaders:
            total += sum(int(field) for field in fields[11:15])
    return total / ticks
