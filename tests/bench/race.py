"""Backups of a database in which tables are emptied, loaded and altered all the time: how many are right."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bed.backups import Depot, tools_on_path
from bed.clusters import MAJORS, Clusters, new_database
from bed.racing import Tally, race
from bench.figures import Section, Table, prose, seconds
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

ROUNDS = int(os.environ.get("ROUNDS", "50"))
PACES = {0.25: ROUNDS, 0.0: min(ROUNDS, 3)}
"""Seconds between two changes, and how many backups: without any pause each of them waits until its patience ends."""
PATIENCE = "10 s"


def measure() -> Section:
    """Take backups in a row at several paces, on the oldest and the newest PostgreSQL."""
    rows: list[tuple[str, ...]] = []
    clusters = Clusters()
    with closing(clusters), tempfile.TemporaryDirectory() as top:
        for major in MAJORS:
            os.environ["PGTEND_PG_BINDIRS"] = tools_on_path(major)
            for pause, rounds in PACES.items():
                began = time.monotonic()
                tally = _raced(clusters, major, pause, rounds, Path(top) / f"{major}-{pause}")
                rows.append(_row(major, pause, tally, (time.monotonic() - began) / rounds))
    return Section(
        title="Backups while tables change",
        measured=prose(f"""
            Backups in a row while one session locks a table, truncates another and loads it again in one
            transaction, and a second one makes, alters and drops tables and views; both pause between two rounds of
            that for as long as the table says. A backup gave up after {PATIENCE}. Right means that the emptied table
            has all its rows and that every archive was opened and counted; refused means an error and no backup.
        """),
        tables=(Table(("server, pause between changes", "right", "refused", "wrong", "each took"), tuple(rows)),),
    )


def _raced(clusters: Clusters, major: int, pause: float, rounds: int, folder: Path) -> Tally:
    with new_database(clusters.server(major)) as live:
        live.run(*CLINIC, address=live.owner)
        vault = FolderVault(FolderPlace(path=folder / "vault", may_create=True))
        depot = Depot(live, vault, folder / "ledger", live.owner, rules={"patience": PATIENCE})
        return race(depot, rounds=rounds, pause=pause)


def _row(major: int, pause: float, tally: Tally, took: float) -> tuple[str, ...]:
    refused = sum(tally.refused.values())
    why = f" ({', '.join(f'{code} {count}' for code, count in tally.refused.items())})" if refused else ""
    who = f"PostgreSQL {major}, {pause:g} s"
    return (who, str(tally.right), f"{refused}{why}", str(len(tally.wrong)), seconds(took))


CLINIC = (
    "CREATE SCHEMA clinic",
    "CREATE TABLE clinic.visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patient int, note text)",
    "INSERT INTO clinic.visits (patient, note) SELECT mod(x, 100), 'note ' || x FROM generate_series(1, 5000) AS x",
    "CREATE TABLE clinic.patients (id int PRIMARY KEY, name text NOT NULL)",
    "INSERT INTO clinic.patients SELECT x, 'patient ' || x FROM generate_series(0, 99) AS x",
)
