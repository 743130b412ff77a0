"""A thousand partitions and a row of 200 MB: whether they come back the same, and what a backup of them costs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bed.backups import tools_on_path
from bed.clusters import MAJORS, Clusters, LiveDatabase, new_database, statement
from bed.extremes import fill_partitions, fill_wide_row
from bed.restoring import Stage
from bench.figures import Cost, Section, Table, prose, seconds, spent
from pgtend.postgres.identifiers import database as called

FILLINGS: dict[str, Callable[[LiveDatabase], None]] = {
    "1,000 partitions": lambda live: fill_partitions(live, 1000),
    "a row of 200 MB": lambda live: fill_wide_row(live, 200),
}


def measure() -> Section:
    """Take each there and back on the oldest and the newest PostgreSQL."""
    rows: list[tuple[str, ...]] = []
    clusters = Clusters()
    with closing(clusters), tempfile.TemporaryDirectory() as top:
        for major in MAJORS:
            os.environ["PGTEND_PG_BINDIRS"] = tools_on_path(major)
            for name, fill in FILLINGS.items():
                stage = Stage(server=clusters.server(major), folder=Path(top) / f"{major}-{len(rows)}")
                stage.folder.mkdir()
                with new_database(stage.server) as live:
                    fill(live)
                    rows.append((f"PostgreSQL {major}, {name}", *_there_and_back(stage, live)))
    return Section(
        title="Backups of extremes",
        measured=prose("""
            Backed up into a folder and restored beside the original by two jobs. The same means that fingerprints,
            sequences, inventory and `pg_dump -s` of both are equal.
        """),
        tables=(Table(("what", "the same", "backup", "restore", "MB of memory for the backup"), tuple(rows)),),
    )


def _there_and_back(stage: Stage, live: LiveDatabase) -> tuple[str, ...]:
    name = f"{live.name}_back"
    differences: list[object] = []

    def restore() -> None:
        differences.extend(stage.restore(name, jobs=2).differences)

    there: Cost = spent(lambda: stage.take(live.name))
    back: Cost = spent(restore)
    differences.extend(stage.schema_differences(live.name, name))
    with stage.server.session() as session:
        session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))
    return ("no" if differences else "yes", seconds(there.wall), seconds(back.wall), f"{there.memory:.0f}")
