"""What a drill costs beside a plain restore, and what looking at everything adds to it, at one gigabyte."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bed.backups import tools_on_path
from bed.clusters import Clusters, LiveDatabase, asked, new_database, statement, tools_of
from bed.drilling import Ground
from bed.restoring import Stage as Scene
from bench.figures import Cost, Section, Table, prose, race, ratio, seconds, spent
from bench.visits import make_visits
from pgtend.drill.model import DrillOutcome, Verdict
from pgtend.drill.stages import Stage
from pgtend.postgres.identifiers import database as called

MAJOR = 18
ROUNDS = int(os.environ.get("ROUNDS", "1"))
ROWS = int(os.environ.get("ROWS", "3900000"))
"""In each of two tables: a gigabyte with their keys."""
DRILL, PLAIN = "pgtend drill", "pg_restore -j2 of a local folder into a warm server"
RESTORING = (Stage.PRE_DATA, Stage.DATA, Stage.POST_DATA, Stage.ANALYZE)
LOOKING = (Stage.VERIFY_DATA, Stage.VERIFY_PAGES, Stage.OWNERS, Stage.VERIFY_STRUCTURE, Stage.SMOKE)


@dataclass(slots=True)
class Bench:
    """One database, a backup of it in a folder, and a dump of it in another."""

    live: LiveDatabase
    folder: Path
    ground: Ground
    outcomes: list[DrillOutcome] = field(default_factory=list[DrillOutcome])

    def drill(self) -> Cost:
        """Drill the backup: a server of its own, walls, a restore, every row and page compared, a receipt's worth."""
        cost = spent(self.ground.drill)
        outcome = self.ground.outcomes[-1]
        assert outcome.verdict is Verdict.PASS, self.ground.error
        self.outcomes.append(outcome)
        return cost

    def plain(self) -> Cost:
        """Restore the dump as everybody would, into a server that runs already."""
        name, tools = f"{self.live.name}_back", tools_of(MAJOR)
        with self.live.server.session() as session:
            session.run(statement("CREATE DATABASE {name} TEMPLATE template0"), name=called(name))
        where = self.live.server.superuser(name).conninfo
        load = (tools.path("pg_restore"), "-j2", "-d", where, str(self.folder / "fd"))
        cost = spent(lambda: subprocess.run(load, check=True))
        with self.live.server.session() as session:
            session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))
        return cost


def measure() -> Section:
    """Measure a database of a gigabyte."""
    os.environ["PGTEND_PG_BINDIRS"] = tools_on_path(MAJOR)
    clusters = Clusters()
    with closing(clusters), _own_folder() as top, new_database(clusters.server(MAJOR)) as live:
        size = _filled(live)
        bench = Bench(live, top, _ground(live, top))
        dump = (tools_of(MAJOR).path("pg_dump"), "-Fd", "-j2", "-Z0", "-f", str(bench.folder / "fd"))
        subprocess.run((*dump, "-d", live.superuser.conninfo), check=True)
        costs = race({PLAIN: bench.plain, DRILL: bench.drill}, rounds=ROUNDS)
        shutil.rmtree(bench.folder / "fd")
    best = min(bench.outcomes, key=lambda outcome: outcome.ended_at - outcome.started_at)
    return _section(size, costs, best)


@contextmanager
def _own_folder() -> Generator[Path]:
    """Let no drill sweep up after others while it is measured."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        before, tempfile.tempdir = tempfile.tempdir, top
        try:
            yield Path(top)
        finally:
            tempfile.tempdir = before


def _filled(live: LiveDatabase) -> int:
    live.new_role("app", "NOLOGIN")
    make_visits(live, "patient", "visit", rows=ROWS)
    for name in ("patient", "visit"):
        live.run(f"GRANT SELECT ON public.{name} TO {live.role_name('app')}, {live.owner.user}")
    with live.session() as session:
        return int(session.row(asked("SELECT pg_database_size(current_database())::text AS word")).word)


def _ground(live: LiveDatabase, folder: Path) -> Ground:
    scene = Scene(server=live.server, folder=folder, own_part_from="8 MB")
    scene.take(live.name)
    smoke = [{"name": "visits", "sql": "SELECT count(*) FROM public.visit WHERE patient = 7", "at_least": 1}]
    return Ground(stage=scene, app=live.role_name("app"), rules={"smoke": smoke})


def _section(size: int, costs: dict[str, Cost], outcome: DrillOutcome) -> Section:
    took = {one.stage: one.took.total_seconds() for one in outcome.stages}
    restoring, looking = _sum(took, RESTORING), _sum(took, LOOKING)
    whole = tuple((who, seconds(cost.wall), ratio(cost.wall, costs[PLAIN].wall)) for who, cost in costs.items())
    stages = tuple((stage.value, seconds(span), ratio(span, restoring)) for stage, span in took.items())
    return Section(
        title="Restore drill",
        measured=prose(f"""
            A database of PostgreSQL {MAJOR} with two tables, {2 * ROWS:,} rows and {size / 1e9:.2f} GB, sealed in a
            folder vault; the best of {ROUNDS} rounds. The drill starts a server of its own behind walls, restores with
            two jobs, compares every row with the backup's fingerprints, walks through every index, compares owners,
            rights and schema, and asks the application's questions. The rival is `{PLAIN}`, from an uncompressed
            `pg_dump -Fd`, and looks at nothing.
        """),
        tables=(Table(("who", "wall", "to pg_restore"), whole), Table(("stage", "wall", "to the restore"), stages)),
        remarks=(
            prose(f"""
                Looking at everything takes {looking:.1f} s, which adds {looking / restoring:.2f} to the
                {restoring:.1f} s of the restore itself; the goal is at most 0.50.
            """),
            prose(f"""
                The whole drill takes {ratio(costs[DRILL].wall, costs[PLAIN].wall)} of a plain restore's time; the goal
                is at most 1.60x.
            """),
        ),
    )


def _sum(took: dict[Stage, float], stages: Iterable[Stage]) -> float:
    return sum(took.get(stage, 0.0) for stage in stages)
