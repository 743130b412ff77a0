"""How much memory the worker takes for small and large databases: the same."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bed.backups import KEYS, Depot, tools_on_path
from bed.clusters import LiveDatabase, new_database, statement, tools_of
from bed.s3_servers import S3Site, open_ministack
from bench.figures import Cost, Section, Table, prose, seconds, spent
from pgtend.backup.catalogue import read_catalogue
from pgtend.backup.manifest import Manifest
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore.archive import Backup
from pgtend.restore.job import restore_backup
from pgtend.restore.model import RestoreOrder
from pgtend.vault.parts import STANDARD_PARTS
from pgtend.vault.s3 import S3Vault

MAJOR = 18
SIZES = tuple(float(size) for size in os.environ.get("SIZES", "0.1,1,4").split(","))
"""Of the dumps, in GB."""
ROWS_A_GB = 1_000_000

# A sixth of each row cannot be packed: MiniStack reads an object whole for each answer, and gives up at some gigabytes.
_NOTES = """
INSERT INTO public.notes SELECT x, (SELECT string_agg(md5(x::text || y), '') FROM generate_series(1, 4) AS y)
    || repeat(md5(x::text), 27)
FROM generate_series({low}, {high}) AS x
"""


def measure() -> Section:
    """Back up and restore databases of several sizes, and tell what it took of this process."""
    os.environ["PGTEND_PG_BINDIRS"] = tools_on_path(MAJOR)
    rows: list[tuple[str, ...]] = []
    server = ThrowawayServer(tools=tools_of(MAJOR), settings={"shared_buffers": "128MB", "max_wal_size": "1GB"})
    with server, tempfile.TemporaryDirectory() as top, new_database(server) as live:
        site = open_ministack(Path(top) / "s3")
        live.run("CREATE TABLE public.notes (id int PRIMARY KEY, note text)")
        live.run("ALTER TABLE public.notes ALTER note SET STORAGE PLAIN")
        there = 0
        for size in sorted(SIZES):
            wanted = round(size * ROWS_A_GB)
            live.run(_NOTES.format(low=there + 1, high=wanted))
            there = wanted
            rows.append(_there_and_back(live, site, Path(top)))
    return Section(
        title="Memory of the worker",
        measured=prose("""
            A database with one large table, backed up into MiniStack, sealed for two, and restored by two jobs. The
            memory is what this process grew by at its peak; the figures of the programs that it starts are not in it:
            `pg_dump` and `pg_restore` hold one row at a time.
        """),
        tables=(Table(("MB of dump", "MB stored", "backup", "MB of memory", "restore", "MB of memory"), tuple(rows)),),
    )


def _there_and_back(live: LiveDatabase, site: S3Site, folder: Path) -> tuple[str, ...]:
    place = replace(site.place, prefix=live.name, parts=STANDARD_PARTS)
    taken: list[Manifest] = []
    name = f"{live.name}_back"
    with closing(S3Vault(place, site.key.session())) as vault:
        depot = Depot(live, vault, folder / "ledger", live.superuser, limits={"lock_timeout": "5 s"})
        there: Cost = spent(lambda: taken.append(depot.take()))
        entry = read_catalogue(vault, "tests", "clinic", utc_now()).choose(taken[0].backup_id)
        order = RestoreOrder(target=live.server.superuser(), by="bench", name=name, jobs=2)
        reports: list[bool] = []
        back = spent(lambda: reports.append(restore_backup(Backup(vault, entry, KEYS), order, quietly).is_identical))
        assert all(reports)
    with live.server.session() as session:
        session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))
    sizes = (f"{taken[0].plain_size / 1e6:,.0f}", f"{taken[0].stored_size / 1e6:,.0f}")
    return (*sizes, seconds(there.wall), f"{there.memory:.0f}", seconds(back.wall), f"{back.memory:.0f}")
