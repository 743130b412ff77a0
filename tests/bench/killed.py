"""Drills in every way there is: on both versions, as ourselves and as an ordinary user, and killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from pathlib import Path

from bed.backups import tools_on_path
from bed.clusters import MAJORS
from bed.demo_drills import PROVEN, demo_driller
from bed.drillers import ORDINARY, OURSELVES, Driller
from bench.figures import Section, Table, prose, seconds
from demo.databases.roster import FLEET
from pgtend.drill.stages import Stage

KILLS = int(os.environ.get("KILLS", "12"))
MOMENTS = [stage for stage in Stage if stage.is_recovery]


def measure() -> Section:
    """Drill the demo's databases in every way, and kill as many drills of one of them at random moments."""
    os.environ["PGTEND_PG_BINDIRS"] = ",".join(tools_on_path(major) for major in MAJORS)
    rows: list[tuple[str, ...]] = []
    for major in MAJORS:
        for who in (OURSELVES, ORDINARY):
            with tempfile.TemporaryDirectory() as folder, demo_driller(major, who, Path(folder)) as driller:
                began = time.monotonic()
                proven = sum(line in PROVEN for line in driller.drill(*FLEET))
                took = time.monotonic() - began
                left = sum(_leaves_something(driller) for _ in range(KILLS))
                again = driller.drill(FLEET[0])[0].split()[1]
                rows.append((f"{major}", who, f"{proven} of {len(FLEET)}", seconds(took), f"{KILLS}", f"{left}", again))
    columns = ("version", "as", "proven", "wall", "killed", "left something", "drill after that")
    return Section(
        title="Drills in every way",
        measured=prose(f"""
            The five databases of the demo, drilled on both versions by the account that runs the benches and by an
            ordinary user without any right of root's. Then {KILLS} drills of one of them were killed with `kill -9` at
            a random moment of a random stage; each was looked at for a process that outlived it, and for a folder that
            the next drill does not remove.
        """),
        tables=(Table(columns, tuple(rows), words=3),),
    )


def _leaves_something(driller: Driller) -> bool:
    moment = random.choice(MOMENTS)  # noqa: S311 - any moment will do
    driller.kill_at(FLEET[0], f"{moment.value} ...", random.uniform(0, 0.5))  # noqa: S311 - same
    left = set(driller.scratch.iterdir())
    with driller.drilling(FLEET[0]) as (pid, lines):
        assert any(line == "provision ..." for line in lines)
        old = left & set(driller.scratch.iterdir())
        os.kill(pid, signal.SIGKILL)
    return bool(old)
