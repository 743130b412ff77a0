"""A drill that is killed leaves no server and no sandbox, and the next one removes its folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, new_database
from bed.drilling import Ground, furnish
from bed.restoring import Stage
from pgtend.drill.model import Verdict
from pgtend.postgres.leftovers import PREFIX, sweep_leftovers

TESTS = Path(__file__).parents[1]


@pytest.fixture
def ground(stage: Stage) -> Generator[Ground]:
    """Give a ground with a backup on it."""
    with new_database(stage.server) as made:
        furnish(made)
        stage.take(made.name)
        yield _ground(stage, made)


def _ground(stage: Stage, made: LiveDatabase) -> Ground:
    return Ground(stage=stage, app=made.role_name("app"))


@pytest.fixture
def scratch() -> Generator[Path]:
    """Give a folder for the servers of these drills alone, which the server's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="pgtend-scratch-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def processes_in(folder: Path) -> list[str]:
    """Name the processes whose command line mentions a folder."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("moment", ["provision ...", "isolate ...", "data ...", "verify structure ..."])
def test_a_killed_drill_leaves_nothing(ground: Ground, scratch: Path, moment: str) -> None:
    """SIGKILL at any stage ends the server and its walls at once; the next drill sweeps the folder, and passes."""
    child = subprocess.Popen(
        (sys.executable, "-m", "bed.drill_victim", str(ground.stage.folder), ground.app),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(scratch)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(ground.stage.keys.key_file())
    child.stdin.close()
    for line in child.stdout:
        if line.strip() == moment:
            break
    else:
        pytest.fail(f"it never came to {moment}")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    left = list(scratch.glob(f"{PREFIX}*"))
    deadline = time.monotonic() + 20
    while any(processes_in(folder) for folder in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [processes_in(folder) for folder in left] == [[] for _ in left]
    sweep_leftovers(scratch)
    assert [folder for folder in left if folder.exists()] == []
    if moment.startswith("data"):
        assert ground.drill().verdict is Verdict.PASS
