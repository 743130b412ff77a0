"""Archives killed at many random moments, moved and converted, on the oldest and the newest PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

from bed.archiving import METRICS
from bed.clusters import MAJORS
from bed.killed_archives import ALL, doomed_clinic, killed_rounds
from bench.figures import Section, Table, prose

ROUNDS = int(os.environ.get("ROUNDS", "20"))
ROWS = 60_000


def measure() -> Section:
    """Kill client, sessions and server by turns, and compare all rows each time."""
    rows: list[tuple[str, ...]] = []
    for major in MAJORS:
        for mode in ("move", "convert"):
            with tempfile.TemporaryDirectory() as top, doomed_clinic(major, Path(top), mode, rows=ROWS) as attic:
                before = attic.content(METRICS)
                rounds = list(killed_rounds(attic, ROUNDS, latest=2.0))
                attic.run()
                killed = Counter(what.removeprefix("kill_") for what, _ in rounds)
                equal = sum(is_equal for _, is_equal in rounds)
                ended = "equal" if attic.content(ALL) == before else "different"
                said = ", ".join(f"{what} {count}" for what, count in sorted(killed.items()))
                rows.append((f"PostgreSQL {major}, {mode}", said, f"{equal} of {ROUNDS}", ended))
    return Section(
        title="Archives that are killed",
        measured=prose(f"""
            {ROWS:,} health metrics in batches of a millisecond; each run is killed within two seconds of its start, and
            live and archived rows together are compared with the table of before by count and content.
        """),
        tables=(Table(("server, way", "killed", "equal after a kill", "after the last run"), tuple(rows), words=2),),
    )
