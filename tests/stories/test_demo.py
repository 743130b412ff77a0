"""`make demo` from outside: all green, a day's work in it, nothing left after a stop, and a crash is seen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml

from bed.compose import PROJECT
from bed.demo_day import spend_a_day
from demo.runtime.machine import ALL_SERVICES
from demo.runtime.places import Places
from demo.runtime.processes import find

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def state() -> Generator[Path]:
    """Give the demo a folder of its own that PostgreSQL's user can reach, and take all of it away."""
    folder = Path(tempfile.mkdtemp(prefix="pgtend-demo-"))
    folder.chmod(0o755)
    yield folder / "state"
    demo(folder / "state", "clean")
    shutil.rmtree(folder)


def demo(state: Path, verb: str) -> subprocess.CompletedProcess[str]:
    """Do what the make targets do once the set-up is there."""
    environment = {**os.environ, "PGTEND_DEMO_STATE": str(state), "COLUMNS": "200"}
    argv = (sys.executable, "-m", "demo", verb)
    return subprocess.run(argv, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def started(state: Path) -> str:
    """Start the demo and give what it said."""
    done = demo(state, "start")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fleet_names() -> list[str]:
    """Name the databases of the demo's fleet file."""
    return list(yaml.safe_load((PROJECT / "demo" / "fleet.yaml").read_text())["databases"])


def tutorial_commands() -> list[tuple[str, int]]:
    """Read the commands of the tutorial, with the exit status of each; make targets are tried elsewhere."""
    page = (PROJECT / "docs" / "tutorial" / "first-hour.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ (.+?)(?:\s+# exit status (\d+))?$", page, flags=re.MULTILINE)
    return [(line, int(status or 0)) for line, status in lines if not line.startswith(("make ", ". "))]


def follow_the_tutorial(state: Path) -> list[str]:
    """Type every command of the tutorial, in its order, and name those that end otherwise than it says."""
    surprises: list[str] = []
    for line, expected in tutorial_commands():
        script = f". {state}/env; {line.replace('.demo/', f'{state}/')}"
        done = subprocess.run(["/bin/bash", "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode != expected:
            surprises.append(f"{line} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return surprises


@pytest.mark.timeout(1800)
def test_the_demo_from_the_first_start_to_the_last_stop(state: Path) -> None:
    """One command brings everything up green; a day's work goes well in it; a stop loses nothing; a crash is seen."""
    places = Places(PROJECT, state)
    said = started(state)
    promised = [f"success {name}.{pipeline}" for name in fleet_names() for pipeline in ("analyze", "backup")]
    assert [green for green in promised if green not in said] == []
    assert "Every pipeline is green" in said
    login = next(line for line in said.splitlines() if "admin " in line)

    again = started(state)
    assert "The demo runs already" in again
    assert login in again
    assert len(tutorial_commands()) > 10
    assert follow_the_tutorial(state) == []
    spend_a_day(places)

    assert demo(state, "stop").stdout.endswith("  Stopped.\n")
    assert running(places) == []
    assert demo(state, "stop").stdout == "  Nothing was running.\n"
    assert login in started(state)

    scheduler = find(places, "scheduler")
    assert scheduler is not None
    os.kill(scheduler.pid, signal.SIGKILL)
    assert demo(state, "status").returncode == 3
    assert running(places) == [name for name in ALL_SERVICES if name != "scheduler"]


def running(places: Places) -> list[str]:
    """Name the services of a demo that run."""
    return [name for name in ALL_SERVICES if find(places, name) is not None]


def test_without_a_demo_there_is_nothing_to_stop(tmp_path: Path) -> None:
    """Stopping what never was is no error."""
    done = demo(tmp_path / "nowhere", "stop")
    assert (done.returncode, done.stdout) == (0, "  There is no demo here. make demo makes one.\n")
