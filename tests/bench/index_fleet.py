"""Rebuilds over the demo fleet: what was predicted of every index, beside what came of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bed.advised import Worked, worked_fleet
from bench.figures import Section, Table, prose
from pgtend.indexes.report import Outcome

MAJORS = tuple(int(major) for major in os.environ.get("MAJORS", "15,18").split(","))
SIZE = os.environ.get("SIZE", "test")
ACTIONS = int(os.environ.get("ACTIONS", "300"))
NAMES = tuple(os.environ.get("NAMES", "kgc,heliotrope,scribemed,vaxtrace,healthmate").split(","))
MISSED = 0.15


def measure() -> Section:
    """Let the applications work, change every row twice, and rebuild what that bloated."""
    rows: list[tuple[str, ...]] = []
    for major in MAJORS:
        with worked_fleet(major, NAMES, size=SIZE) as worked, tempfile.TemporaryDirectory() as folder:
            rows += [_rebuilt(worked, name, Path(folder) / name) for name in NAMES]
    return Section(
        title="Rebuilds of the demo fleet",
        measured=prose(f"""
            The databases of the demo in their size for {SIZE}, after {ACTIONS} actions of each application and two
            changes of every row: all indexes from 64 kB on that were bloated by it. Shrunk too little: indexes that
            won less than they were predicted to, by more than {MISSED:.0%}. Worst: the one that became largest beside
            its prediction.
        """),
        tables=(Table(COLUMNS, tuple(rows)),),
    )


COLUMNS = ("server, database", "rebuilt", "before", "predicted", "after", "shrunk too little", "worst")


def _rebuilt(worked: Worked, name: str, folder: Path) -> tuple[str, ...]:
    worked.work(name, ACTIONS)
    proved = worked.rebuild(name, folder).ended(Outcome.PROVED)
    predicted = [one.decision.index.estimate.size for one in proved if one.decision.index.estimate]
    before, after = [one.size_before or 0 for one in proved], [one.size_after or 0 for one in proved]
    sizes = (f"{sum(size) / 1e6:.1f} MB" for size in (before, predicted, after))
    missed = [one.name for one in proved if one.gained < (1 - MISSED) * one.decision.gain]
    worst = max(one.missed_by or 0.0 for one in proved)
    return (
        f"PostgreSQL {worked.server.tools.major}, {name}",
        f"{len(proved)}",
        *sizes,
        f"{len(missed)}",
        f"{worst:+.1%}",
    )
