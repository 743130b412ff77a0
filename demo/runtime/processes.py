"""Processes of the demo: started in sessions of their own, found again by pid and birth, stopped politely.

A pid alone proves nothing: after a reboot, or a day, it belongs to somebody else. So the file of a process also keeps
when the kernel says it was born, and in which boot.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from demo.runtime.places import DemoProblem, Places

SILENCE = timedelta(seconds=10)


@dataclass(frozen=True)
class Service:
    """A process the demo needs: how to start it, how to end it."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class Birth:
    """What makes a process this one and no other."""

    pid: int
    ticks: int
    boot: str


def boot_id() -> str:
    """Name this run of the kernel."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def stat_fields(pid: int) -> list[str]:
    """Read a process's facts after its name, which may hold spaces; none if it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def is_alive(birth: Birth) -> bool:
    """Tell whether this very process still runs."""
    facts = stat_fields(birth.pid)
    return bool(facts) and facts[0] != "Z" and int(facts[19]) == birth.ticks and birth.boot == boot_id()


def find(places: Places, name: str) -> Birth | None:
    """Find a service that we started and that still runs."""
    birth = recorded(places, name)
    return birth if birth is not None and is_alive(birth) else None


def recorded(places: Places, name: str) -> Birth | None:
    """Read what is written about a service, whether it lives or not."""
    file = places.pids / f"{name}.json"
    with suppress(FileNotFoundError, json.JSONDecodeError):
        return Birth(**json.loads(file.read_text()))
    return None


def start(places: Places, service: Service) -> Birth:
    """Start a service, unless it runs."""
    running = find(places, service.name)
    if running is not None:
        return running
    with (places.logs / f"{service.name}.log").open("ab") as log:
        process = subprocess.Popen(
            service.argv,
            env={**service.env},
            cwd=places.root if service.user is None else "/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=service.user,
            group=service.user,
            extra_groups=[] if service.user else None,
        )
    # It outlives us, so nobody shall wait for it: Popen would warn that nobody did.
    process.returncode = 0
    birth = Birth(process.pid, int(stat_fields(process.pid)[19]), boot_id())
    (places.pids / f"{service.name}.json").write_text(json.dumps(birth.__dict__))
    return birth


def wait_until(places: Places, name: str, is_healthy: Callable[[], bool], patience: timedelta) -> None:
    """Wait for a service to answer; stop waiting when it died."""
    deadline = time.monotonic() + patience.total_seconds()
    while not is_healthy():
        if find(places, name) is None:
            raise DemoProblem(f"{name} ended while starting", *log_tail(places, name))
        if time.monotonic() > deadline:
            raise DemoProblem(f"{name} did not answer within {patience.seconds} s", *log_tail(places, name))
        time.sleep(0.2)


def log_tail(places: Places, name: str, lines: int = 15) -> list[str]:
    """Give the end of what a service said."""
    file = places.logs / f"{name}.log"
    said = file.read_text(errors="replace").splitlines() if file.exists() else []
    return [f"The end of {file}:", *said[-lines:]]


def stop(places: Places, service: Service, say: Callable[[str], None]) -> bool:
    """Stop a service and whatever it left behind in its session; tell whether it ran."""
    birth = recorded(places, service.name)
    if birth is None or birth.boot != boot_id():
        (places.pids / f"{service.name}.json").unlink(missing_ok=True)
        return False
    ran = is_alive(birth)
    if ran:
        os.kill(birth.pid, service.stop_signal)
        wait_for_the_end(birth, service, say)
    sweep(birth)
    (places.pids / f"{service.name}.json").unlink(missing_ok=True)
    return ran


def bury(places: Places, name: str) -> bool:
    """Clear away what a service left that was killed: its children live on, and hold its ports."""
    birth = recorded(places, name)
    if birth is None or is_alive(birth):
        return False
    sweep(birth)
    (places.pids / f"{name}.json").unlink(missing_ok=True)
    return birth.boot == boot_id()


def wait_for_the_end(birth: Birth, service: Service, say: Callable[[str], None]) -> None:
    """Give a service its time to finish what it does, then end it."""
    began = time.monotonic()
    warned = False
    while is_alive(birth):
        waited = time.monotonic() - began
        if waited > service.patience.total_seconds():
            say(f"{service.name} did not end in {service.patience.seconds} s and is killed")
            os.kill(birth.pid, signal.SIGKILL)
            return
        if waited > SILENCE.total_seconds() and not warned:
            say(f"{service.name} finishes what it does (at most {service.patience.seconds} s) …")
            warned = True
        reap(birth.pid)
        time.sleep(0.1)


def reap(pid: int) -> None:
    """Collect a child that ended, if it is ours: a zombie would look alive to its siblings."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def sweep(birth: Birth) -> None:
    """End what is left in the session of a service that is gone.

    A zombie is still this service: a killed one that nobody has waited for keeps its number, and its children live.
    """
    facts = stat_fields(birth.pid)
    if birth.boot != boot_id() or (facts and int(facts[19]) != birth.ticks):
        return
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if not any(members(birth.pid)):
            return
        for pid in members(birth.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        time.sleep(1)


def members(session: int) -> Iterator[int]:
    """List the processes of a session. The kernel gives its number to nobody else while one of them lives."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            facts = stat_fields(int(folder.name))
            if facts and facts[0] != "Z" and int(facts[3]) == session:
                yield int(folder.name)
