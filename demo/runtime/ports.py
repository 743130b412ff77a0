"""Ports: chosen free at the first start, remembered, and yours to choose (PGTEND_DEMO_PORT_UI=9000)."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields

from demo.runtime.places import DemoProblem, Places

FIRST_WISH: Mapping[str, int] = {
    "ui": 8080,
    "postgres": 5440,
    "s3_main": 4570,
    "s3_offsite": 4571,
    "smtp": 8025,
    "alerts": 8026,
    "worker_log": 8793,
    "trigger_log": 8794,
    "scheduler_health": 8974,
}
PORTS = 65536
NEAR = 500


@dataclass(frozen=True)
class Ports:
    """Where each service of the demo listens, on 127.0.0.1."""

    ui: int
    postgres: int
    s3_main: int
    s3_offsite: int
    smtp: int
    alerts: int
    worker_log: int
    trigger_log: int
    scheduler_health: int


def choose_ports(places: Places, is_ours: Callable[[str], bool]) -> Ports:
    """Take what is asked for, what was remembered, or what is free, in this order."""
    remembered = read_ports(places)
    taken: set[int] = set()
    chosen: dict[str, int] = {}
    part_runs = any(is_ours(field.name) for field in fields(Ports))
    for field in fields(Ports):
        name = field.name
        chosen[name] = choose_port(name, remembered.get(name), taken, ours=is_ours(name))
        if part_runs and chosen[name] != remembered.get(name):
            raise DemoProblem(
                f"port {remembered.get(name)} ({name}) was taken by somebody else while a part of the demo runs",
                "Stop the rest, and the next start finds another port: make demo-stop demo",
            )
        taken.add(chosen[name])
    ports = Ports(**chosen)
    (places.state / "ports.json").write_text(json.dumps(asdict(ports), indent=1) + "\n")
    return ports


def read_ports(places: Places) -> dict[str, int]:
    """Read what was chosen before."""
    file = places.state / "ports.json"
    return json.loads(file.read_text()) if file.exists() else {}


def choose_port(name: str, remembered: int | None, taken: set[int], *, ours: bool) -> int:
    """Choose one port; a port that our own running process holds stays."""
    asked = asked_port(name)
    if ours and remembered is not None:
        if asked not in {None, remembered}:
            raise DemoProblem(
                f"PGTEND_DEMO_PORT_{name.upper()}={asked}, but the running demo uses {remembered}",
                "Stop it first: make demo-stop",
            )
        return remembered
    if asked is not None:
        if not is_free(asked):
            raise DemoProblem(f"port {asked} (PGTEND_DEMO_PORT_{name.upper()}) is taken by somebody else")
        return asked
    wish = remembered or FIRST_WISH[name]
    port = first_free(wish, taken)
    if port != wish:
        print(f"  ! port {wish} is taken by somebody else, so {name} uses {port}")
    return port


def asked_port(name: str) -> int | None:
    """Read a person's wish from the environment."""
    variable = f"PGTEND_DEMO_PORT_{name.upper()}"
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdigit() or not 0 < int(text) < PORTS:
        raise DemoProblem(f"{variable}={text} is not a port")
    return int(text)


def first_free(wish: int, taken: set[int]) -> int:
    """Find the first free port at or above a wish."""
    for port in range(wish, min(wish + NEAR, PORTS)):
        if port not in taken and is_free(port):
            return port
    raise DemoProblem(f"no free port between {wish} and {wish + NEAR}")


def is_free(port: int) -> bool:
    """Tell whether a port can be listened on, whoever else listens on other addresses."""
    for address in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - asked for a moment, to see whether somebody has it
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address, port))
            except OSError:
                return False
    return True
