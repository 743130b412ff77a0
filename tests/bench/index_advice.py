"""Advice on the demo fleet: what is found and proved by itself, beside what two teams want."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bed.advised import WISHES, Worked, served, worked_fleet
from bench.figures import Section, Table, prose, seconds
from pgtend.fleet.model import Limits
from pgtend.indexes.advice_model import NOISE, Candidate, Statement, Status
from pgtend.indexes.advice_proof import Compared, compare, make_ready
from pgtend.indexes.advice_sources import live_statements, read_tables
from pgtend.indexes.advise import AdviceReport
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import open_session

MAJORS = tuple(int(major) for major in os.environ.get("MAJORS", "15,18").split(","))
SIZE = os.environ.get("SIZE", "test")
ACTIONS = int(os.environ.get("ACTIONS", "1500"))
NAMES = tuple(os.environ.get("NAMES", "kgc,heliotrope,scribemed,vaxtrace,healthmate").split(","))
STATEMENTS = 50
FASTER, SLOWER = 0.3, 0.05
HYPOPG = 15
"""The server beside which HypoPG is packaged; the other judges without it."""


def measure() -> Section:
    """Let the applications work, advise, and build all that was advised at once on another copy."""
    rows: list[tuple[str, ...]] = []
    wishes: list[tuple[str, str, str, str]] = []
    for major in MAJORS:
        with worked_fleet(major, NAMES, size=SIZE) as worked, tempfile.TemporaryDirectory() as folder:
            for name in NAMES:
                row, report = _advised(worked, name, Path(folder) / name)
                rows.append((f"PostgreSQL {major}, {name}", *row))
                wishes += [(f"{major}", name, str(wish), served(report, wish)) for wish in WISHES.get(name, ())]
    tally = Counter((major, name, said.split(":")[0]) for major, name, _, said in wishes)
    return Section(
        title="Index advice",
        measured=prose(f"""
            The databases of the demo in their size for {SIZE}, after {ACTIONS} actions of each application. Candidates
            come from the {STATEMENTS} dearest statements and the catalogue; on PostgreSQL {HYPOPG} HypoPG asks the
            planner first whether it believes in them. Each is built on a copy, and all statements that touch its table
            run there by turns with and without it. Least gain: of the advices that were kept, for its best statement.
            Together: all new indexes that were advised built on another copy at once; statements that are then faster
            by 30 %, reads that are slower by 5 % and a tenth of a millisecond, and by how much writers are slower.
        """),
        tables=(
            Table(COLUMNS, tuple(rows)),
            Table(("server", "team", "index the team wants", "what became of it"), tuple(wishes), words=4),
            Table(
                ("server", "team", "verdict", "of its list"),
                tuple((*key, f"{count}") for key, count in sorted(tally.items())),
                words=3,
            ),
        ),
    )


COLUMNS = (
    "server, database", "statements", "candidates", "not believed", "advised", "least gain", "together faster",
    "reads slower", "writers", "time",
)  # fmt: skip


def _advised(worked: Worked, name: str, folder: Path) -> tuple[tuple[str, ...], AdviceReport]:
    if worked.server.tools.major == HYPOPG:
        worked.tell(name, "CREATE EXTENSION IF NOT EXISTS hypopg SCHEMA public")
    worked.work(name, ACTIONS)
    began = time.monotonic()
    report = worked.advise(name, folder, statements=STATEMENTS)
    took = seconds(time.monotonic() - began)
    kept = report.with_status(Status.ADVISED)
    disbelieved = sum(one.proof is None and one.status is Status.REFUTED for one in report.advices)
    gains = [one.proof.gain for one in kept if one.proof and one.candidate.is_new]
    least = f"{min(gains):.0%}" if gains else "none"
    counts = (f"{report.statements}", f"{len(report.advices)}", f"{disbelieved}", f"{len(kept)}", least)
    return (*counts, *_together(worked, name, report), took), report


def _together(worked: Worked, name: str, report: AdviceReport) -> tuple[str, str, str]:
    """Build everything new that was advised on one copy, and run all statements with and without it."""
    new = [one.candidate for one in report.with_status(Status.ADVISED) if one.candidate.is_new]
    with worked.copy_of(name) as copy:
        worked.tell(copy, *(one.up.replace(" CONCURRENTLY", "") for one in new), "VACUUM ANALYZE")
        times = _times(worked, name, copy, new)
    faster = sum((one.gone - one.there) / one.gone >= FASTER for one in times.values() if one.gone > 0)
    reads = [found for one, found in times.items() if not one.writes]
    slower = sum(one.there - one.gone > max(NOISE, SLOWER * one.gone) for one in reads)
    writers = [found for one, found in times.items() if one.writes]
    change = sum(one.there for one in writers) / sum(one.gone for one in writers) - 1 if writers else 0.0
    return f"{faster} of {len(times)}", f"{slower}", f"{change:+.0%}"


def _times(worked: Worked, name: str, copy: str, new: Sequence[Candidate]) -> Mapping[Statement, Compared]:
    limits, server = Limits(), worked.server
    with open_session(server.superuser(name), limits, application="bench") as original:
        statements = live_statements(original, STATEMENTS)
    with open_session(server.superuser(copy), limits, application="bench") as session:
        tables = read_tables(session)
        ready = [made for one in statements if (made := make_ready(session, one, tables)) is not None]
        indexes = [relation(one.schema, one.name) for one in new]
        return {made.statement: compare(session, made, indexes) for made in ready}
