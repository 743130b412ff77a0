"""`make demo` from outside: everything green, twice harmless, repaired after a crash, nothing left after a stop."""

from __future__ import annotations

import os
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
from demo.runtime.machine import ALL_SERVICES
from demo.runtime.places import Places
from demo.runtime.processes import find


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


@pytest.mark.timeout(900)
def test_the_demo_from_the_first_start_to_the_last_stop(state: Path) -> None:
    """One command brings everything up green; a second one, a crash and a stop lose nothing; a stop leaves nothing."""
    places = Places(PROJECT, state)
    said = started(state)
    assert [name for name in fleet_names() if f"success {name}.analyze" not in said] == []
    assert "Every pipeline is green" in said
    login = next(line for line in said.splitlines() if "admin " in line)

    killed = [find(places, name) for name in ("scheduler", "s3-main")]
    for birth in killed:
        assert birth is not None
        os.kill(birth.pid, signal.SIGKILL)
    said = started(state)
    assert "scheduler was killed; its remains are cleared away" in said
    assert login in said
    assert "The demo runs already" in started(state)

    assert demo(state, "stop").stdout == "  Stopped.\n"
    assert [name for name in ALL_SERVICES if find(places, name) is not None] == []
    assert demo(state, "stop").stdout == "  Nothing was running.\n"
    assert login in started(state)


def test_without_a_demo_there_is_nothing_to_stop(tmp_path: Path) -> None:
    """Stopping what never was is no error."""
    done = demo(tmp_path / "nowhere", "stop")
    assert (done.returncode, done.stdout) == (0, "  There is no demo here. make demo makes one.\n")
