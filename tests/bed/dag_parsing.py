"""Parsing of DAG files in a fresh process, as Airflow does it, and what that costs beside importing Airflow itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DAGS = Path(__file__).resolve().parents[2] / "dags"

_MEASURE = """
import json, os, sys, time, types
sys.modules["airflow_local_settings"] = types.ModuleType("nothing is shared here")
sys.modules["airflow_local_settings"].__file__ = "none: a parse pays for everything"
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, CronTriggerTimetable, Param, task  # what every DAG file of anybody imports
from airflow.sdk.definitions._internal.contextmanager import DagContext
if sys.argv[2]:
    os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = sys.argv[2]
loaded, began = set(sys.modules), time.process_time()
bag = DagBag(dag_folder=sys.argv[1], bundle_path=None)
spent = time.process_time() - began
drivers = {"psycopg", "psycopg2", "boto3", "botocore", "sqlalchemy.engine"}
ours = sorted(drivers & (set(sys.modules) - loaded))
found = {"dags": sorted(bag.dags), "errors": bag.import_errors, "drivers": ours}
print(json.dumps({"airflow_cpu": began, "cpu": spent, **found}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsing:
    """What a process found in a DAG folder. `cpu` are the seconds beyond `airflow_cpu`, those of importing Airflow."""

    airflow_cpu: float
    cpu: float
    dags: list[str]
    errors: dict[str, str]
    drivers: list[str]


def parsed(fleet: Path, *, dag_id: str = "", folder: Path = DAGS) -> Parsing:
    """Load a DAG folder in a fresh process, all of it or as for the task of one DAG, and tell what it cost."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder), dag_id],
        env={**os.environ, "PGTEND_FLEET": str(fleet), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Parsing(**json.loads(done.stdout.splitlines()[-1]))


def fleet_file(folder: Path, names: Iterable[str], more: str = "") -> Path:
    """Write a fleet file with some databases."""
    path = folder / "fleet.yaml"
    blocks = "".join(f"  {name}:\n    owner: {name}-team\n" for name in names)
    path.write_text(f"fleet: clinic\nowner: data-platform\n{more}databases:\n{blocks}")
    return path
