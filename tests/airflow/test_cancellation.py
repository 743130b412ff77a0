"""The cancellable block against real processes and a real server."""
# ruff: noqa: PT012 - a signal comes in the middle of something, and the block around it is what is tested

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout

from bed.airflow_world import World
from bed.clusters import statement
from bed.ledgers import ask
from pgtend_airflow.cancellation import TaskCancelled, TaskOutOfTime, cancellable

ACTIVE = "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%' AND state = 'active'"


def signal_soon(number: signal.Signals) -> None:
    """Send ourselves a signal half a second from now."""
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGTERM, TaskCancelled), (signal.SIGALRM, TaskOutOfTime)])
def test_an_ended_task_leaves_no_query(world: World, number: signal.Signals, kind: type[BaseException]) -> None:
    """Killed or out of time: the statement is cancelled in the server before the exception goes on."""
    began = time.monotonic()
    with world.source.session() as watcher:
        with pytest.raises(kind), world.source.session() as session, cancellable():
            signal_soon(number)
            session.run(statement("SELECT pg_sleep(4)"))
        assert time.monotonic() - began < 3
        assert ask(watcher, ACTIVE.replace("%%", "%")) == [0]


def test_airflow_reads_our_time_out_as_its_own() -> None:
    """Retries and listeners of Airflow treat it as what it is."""
    assert issubclass(TaskOutOfTime, AirflowTaskTimeout)


def test_every_canceller_gets_its_turn() -> None:
    """A canceller that fails neither stops the next one nor hides that the task was ended."""
    called: list[str] = []

    def fails() -> None:
        called.append("first")
        raise OSError("the server is gone")

    with pytest.raises(TaskCancelled), cancellable(fails, lambda: called.append("second")):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    assert called == ["first", "second"]


def test_clean_up_is_not_interrupted_by_a_second_signal() -> None:
    """The block raises once; what the task does to clean up runs to its end."""
    cleaned = False
    with pytest.raises(TaskCancelled), cancellable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned = True
    assert cleaned


def test_the_handlers_of_before_are_back_afterwards() -> None:
    """Whoever runs after the block hears signals as before."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    with cancellable():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before


def test_a_task_hears_when_its_supervisor_dies(tmp_path: Path) -> None:
    """`kill -9` of the parent reaches the child as a cancellation."""
    told = tmp_path / "told"
    child = textwrap.dedent(
        f"""
        import os, pathlib, time
        from pgtend_airflow.cancellation import TaskCancelled, cancellable
        try:
            with cancellable():
                pathlib.Path({str(told)!r}).write_text("ready")
                time.sleep(30)
        except TaskCancelled:
            pathlib.Path({str(told)!r}).write_text("cancelled")
        """
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    supervisor = subprocess.Popen([sys.executable, "-c", parent])
    deadline = time.monotonic() + 60
    while not (told.exists() and told.read_text() == "ready") and time.monotonic() < deadline:
        time.sleep(0.1)
    supervisor.kill()
    supervisor.wait()
    while told.read_text() != "cancelled" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told.read_text() == "cancelled"
