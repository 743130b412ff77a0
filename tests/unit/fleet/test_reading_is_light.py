"""Reading the fleet file happens while Airflow parses DAGs: it must not drag drivers along."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("psycopg", "boto3", "botocore", "rich", "typer", "airflow", "sqlalchemy")


def test_reading_a_fleet_imports_no_driver_and_no_terminal() -> None:
    """Neither a database driver nor an object store client nor a command line is loaded."""
    program = (
        "import sys, pgtend.fleet.load, pgtend.fleet.schema, pgtend.fleet.settings_page\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"
