"""What our DAG files cost whoever parses them, beside importing Airflow and beside plain DAGs written by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bed.dag_parsing import Parsing, fleet_file, parsed
from bench.figures import Section, Table, prose, ratio, seconds

ROUNDS = 2
PLAIN = '''
from airflow.sdk import DAG, CronTriggerTimetable, task

@task
def plan(name):
    """Nothing."""

@task
def analyze(name):
    """Nothing."""

for number in range({databases}):
    name = f"db{{number:03d}}"
    with DAG(f"{{name}}.analyze", schedule=CronTriggerTimetable("30 1 * * *", timezone="UTC"), catchup=False):
        plan(name) >> analyze(name)
'''
COLUMNS = ("what is parsed", "DAGs", "CPU", "a DAG", "to importing Airflow")


def measure() -> Section:
    """Parse fleets of 5 and of 200 databases, one DAG of 200, and as many plain DAGs."""
    with tempfile.TemporaryDirectory() as folder:
        five, many = (_fleet(Path(folder), databases) for databases in (5, 200))
        found = {
            "5 databases": _best(lambda: parsed(five)),
            "200 databases": _best(lambda: parsed(many)),
            "200 plain DAGs by hand": _best(lambda: parsed(many, folder=_plain(Path(folder), 200))),
            "one task, 5 databases": _best(lambda: parsed(five, dag_id="db003.analyze")),
            "one task, 200 databases": _best(lambda: parsed(many, dag_id="db007.analyze")),
        }
    plain, ours = found["200 plain DAGs by hand"], found["200 databases"]
    return Section(
        title="DAG files",
        measured=prose(f"""
            CPU seconds that a fresh process needs to load all files of the DAG folder, beyond importing Airflow
            (which took {seconds(min(each.airflow_cpu for each in found.values()))}); the best of {ROUNDS}. The DAG
            processor does it every half minute by default, and every task does it once, for its own DAG alone.
        """),
        tables=(Table(COLUMNS, tuple(_row(what, cost) for what, cost in found.items())),),
        remarks=(
            prose(f"""
                200 databases take {ratio(ours.cpu, plain.cpu)} of 200 bare DAGs with the same two tasks in one file:
                ours carry a form, retries by family, alerts and a deadline, and the fleet file is read and checked.
            """),
            prose("""
                About a tenth of a second goes into importing the reader of the fleet file. All files were read in one
                process here; Airflow gives each a process of its own, which imports it again. A task pays little more
                than that import: it reads the whole fleet file and builds one DAG.
            """),
        ),
    )


def _best(parse: Callable[[], Parsing]) -> Parsing:
    found = [parse() for _ in range(ROUNDS)]
    assert not any(each.errors for each in found), found[0].errors
    return min(found, key=lambda each: each.cpu)


def _fleet(folder: Path, databases: int) -> Path:
    own = folder / str(databases)
    own.mkdir()
    return fleet_file(own, (f"db{number:03d}" for number in range(databases)))


def _plain(folder: Path, databases: int) -> Path:
    own = folder / "plain"
    own.mkdir(exist_ok=True)
    (own / "plain.py").write_text(PLAIN.format(databases=databases))
    return own


def _row(what: str, cost: Parsing) -> tuple[str, ...]:
    dags = len(cost.dags)
    return (what, str(dags), seconds(cost.cpu), f"{cost.cpu / dags * 1000:.1f} ms", ratio(cost.cpu, cost.airflow_cpu))
