"""What Airflow's long-lived processes import before they fork, so that parses and tasks need not."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOK = """
import sys
sys.argv = ["airflow", *sys.argv[1:]]
from airflow import settings
settings.initialize()
print(*(name for name in ("pgtend.fleet.load", "pgtend_airflow.pipelines", "psycopg", "boto3") if name in sys.modules))
"""
PARSING = ["pgtend.fleet.load", "pgtend_airflow.pipelines"]


@pytest.mark.parametrize(
    ("command", "shared"),
    [
        (["dag-processor"], PARSING),
        (["api-server"], PARSING),
        (["scheduler"], [*PARSING, "psycopg", "boto3"]),
        (["celery", "worker"], [*PARSING, "psycopg", "boto3"]),
    ],
)
def test_parents_know_what_their_forks_need(command: list[str], shared: list[str]) -> None:
    """Who parses knows the fleet file; who runs tasks knows the drivers as well."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *command], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1].split() == shared
