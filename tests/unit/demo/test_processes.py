"""Processes of the demo, with real ones: found again, never confused with somebody else's, ended with all they left."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from demo.runtime import processes
from demo.runtime.places import DemoProblem, Places
from demo.runtime.processes import Birth, Service

DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
BEARING = "import subprocess, time; subprocess.Popen(['sleep', '60']); print('up', flush=True); time.sleep(60)"
PATH = {"PATH": "/usr/bin:/bin"}
SLEEPER = Service("sleeper", (sys.executable, "-c", "import time; time.sleep(60)"), PATH)
STUBBORN = Service("sleeper", (sys.executable, "-c", DEAF), PATH, patience=timedelta(seconds=1))
PARENT = Service("sleeper", (sys.executable, "-c", BEARING), PATH)


@pytest.fixture
def places(tmp_path: Path) -> Generator[Places]:
    """Give a demo an empty folder, and end what a test started in it."""
    made = Places(tmp_path, tmp_path / "state")
    made.make()
    yield made
    processes.stop(made, SLEEPER, print)


def wait_for_word(places: Places) -> None:
    """Wait until the process says that it is up."""
    deadline = time.monotonic() + 60
    while b"up" not in (places.logs / "sleeper.log").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def quiet(_line: str) -> None:
    """Listen to nothing."""


def test_a_service_is_started_once(places: Places) -> None:
    """Running make twice is harmless."""
    assert processes.start(places, SLEEPER) == processes.start(places, SLEEPER)


def test_a_stopped_service_is_gone_and_stopping_it_again_is_harmless(places: Places) -> None:
    """The second stop finds nothing to do."""
    birth = processes.start(places, SLEEPER)
    assert processes.stop(places, SLEEPER, quiet)
    assert not processes.is_alive(birth)
    assert not processes.stop(places, SLEEPER, quiet)


@pytest.mark.parametrize("change", [{"boot": "another"}, {"ticks": 1}])
def test_a_process_of_somebody_else_with_our_old_pid_is_left_alone(
    places: Places, change: dict[str, str | int]
) -> None:
    """After a reboot a pid belongs to whoever got it."""
    other = processes.start(places, SLEEPER)
    record = places.pids / "sleeper.json"
    record.write_text(json.dumps({**other.__dict__, **change}))
    assert processes.find(places, "sleeper") is None
    assert not processes.stop(places, SLEEPER, quiet)
    assert processes.is_alive(other)
    record.write_text(json.dumps(other.__dict__))


def test_a_service_that_does_not_listen_is_killed_in_the_end(places: Places) -> None:
    """Stopping takes a bounded time, and says that it had to use force."""
    said: list[str] = []
    birth = processes.start(places, STUBBORN)
    wait_for_word(places)
    assert processes.stop(places, STUBBORN, said.append)
    assert not processes.is_alive(birth)
    assert said == ["sleeper did not end in 1 s and is killed"]


@pytest.mark.parametrize("is_collected", [True, False])
def test_what_a_killed_service_left_behind_is_cleared_away(places: Places, *, is_collected: bool) -> None:
    """The children of a component that was killed would hold its ports, whether or not anybody waited for it."""
    birth = processes.start(places, PARENT)
    wait_for_word(places)
    os.kill(birth.pid, signal.SIGKILL)
    os.waitid(os.P_PID, birth.pid, os.WEXITED | (0 if is_collected else os.WNOWAIT))
    assert len(list(processes.members(birth.pid))) == 1
    assert processes.bury(places, "sleeper")
    assert list(processes.members(birth.pid)) == []


def test_a_service_that_dies_while_starting_is_told_with_the_end_of_its_log(places: Places) -> None:
    """Nobody waits a minute for what is dead already."""
    dying = Service("dying", (sys.executable, "-c", "raise SystemExit('the port is taken')"), {})
    processes.start(places, dying)
    with pytest.raises(DemoProblem, match="dying ended while starting") as problem:
        processes.wait_until(places, "dying", lambda: False, timedelta(seconds=20))
    assert problem.value.advice[-1] == "the port is taken"


def test_a_half_written_record_counts_as_none(places: Places) -> None:
    """A start that was interrupted between two bytes does not stop the next one."""
    (places.pids / "sleeper.json").write_text('{"pid": 1')
    assert processes.find(places, "sleeper") is None
    assert isinstance(processes.start(places, SLEEPER), Birth)
