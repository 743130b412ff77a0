"""How small the demo's old rows become: packed in the database, and in the vault, read by others as written."""

from __future__ import annotations

import io
import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from pydantic import SecretStr

from bed.archiving import Attic
from bed.backups import ESCROW, KEYS
from bed.clusters import LiveDatabase, tools_of
from bench.figures import Section, Table, prose
from demo.databases.create import create_fleet
from demo.databases.roster import TEAMS, TENDER, login_roles
from demo.databases.seed import seed_database
from pgtend.archive.model import State, Unit
from pgtend.archive.restoring import restore_beside
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.sealing import unseal

PATIENTS = int(os.environ.get("PATIENTS", "1650"))
AMOUNTS = {"patients": PATIENTS, "doctors": 20, "days": 1096, "memories": 60_000, "feature_uses": 100}
TABLES = {
    "public.health_metrics": {"by": "date", "keep": "365 days", "person": "user_id", "referenced": "keep"},
    "public.chat_memory": {"by": "expires_at", "keep": "30 days", "person": "user_id"},
}
TODAY = date(2026, 11, 21)
COLUMNS = (
    "table",
    "a month, read as written and brought back",
    "old rows",
    "in the table",
    "archived",
    "packed",
    "vault",
    "ratio",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the archived rows of one table take, a row."""

    table: str
    rows: int
    live: float
    archived: float
    packed: float
    stored: float
    read: str


def measure() -> Section:
    """Seed the demo's clinic, and weigh its old rows in every form they can have."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(15), settings={"shared_preload_libraries": ""}) as server:
        create_fleet(server.superuser().conninfo, passwords, ["kgc"], progress=str)
        seed_database(server.superuser("kgc").conninfo, TEAMS["kgc"], AMOUNTS, TODAY, reset=False)
        with tempfile.TemporaryDirectory() as top:
            tender = server.role(TENDER, SecretStr(passwords[TENDER]), "kgc")
            attic = Attic(LiveDatabase(server, "kgc", tender), Path(top))
            attic.live.run(f"GRANT {TEAMS['kgc'].owner} TO {TENDER}")
            weighed = [_weigh(attic, table, rule) for table, rule in TABLES.items()]
    return Section(
        title="What old rows take",
        measured=prose(f"""
            The demo's clinic with {PATIENTS} patients over 1,096 days, PostgreSQL 15; bytes a row, indexes included.
            In the table: the whole of it, after VACUUM FULL. Archived: primary key and BRIN. Packed: sorted, no key.
            In the vault: Parquet, compressed and sealed, without the manifests. One month was read as it lies in the
            vault by pyarrow and DuckDB, left the database, and was brought back and compared by hash.
        """),
        tables=(
            Table(
                COLUMNS,
                tuple(_row(one) for one in weighed),
                words=2,
            ),
        ),
    )


def _row(one: Weighed) -> tuple[str, ...]:
    sizes = (one.live, one.archived, one.packed, one.stored)
    return (one.table, one.read, f"{one.rows:,}", *(f"{size:.1f}" for size in sizes), f"{one.live / one.stored:.1f}x")


def _weigh(attic: Attic, table: str, rule: dict[str, object]) -> Weighed:
    attic.live.run(f"VACUUM FULL {table}")
    count = int(attic.ask(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of ours
    live = int(attic.ask(f"SELECT pg_total_relation_size('{table}')")) / count
    sizes = "SELECT sum(pg_total_relation_size(('pgtend_archive.' || partition)::regclass)) FROM pgtend_archive.unit"
    mine = f"{sizes} JOIN pgtend_archive.source USING (source_id) WHERE table_name = '{table.partition('.')[2]}'"
    took: dict[str, int] = {}
    for tier in ("table", "packed", "cold"):
        attic.tables = {table: {**rule, "tier": tier}}
        attic.run()
        took[tier] = int(attic.ask(mine))
    units = attic.units(table)
    rows = sum(unit.rows for unit in units)
    with attic.vault() as vault:
        kept = [one for one in vault.objects("archive/") if f"/{table}/" in one.key and "month.parquet" in one.key]
    return Weighed(
        table=table,
        rows=rows,
        live=live,
        archived=took["table"] / rows,
        packed=took["packed"] / rows,
        stored=sum(one.size for one in kept) / rows,
        read=_read_back(attic, table, max(units, key=lambda unit: unit.rows)),
    )


def _read_back(attic: Attic, table: str, unit: Unit) -> str:
    """Read a month as strangers would, and bring it back from the vault alone."""
    was = attic.content(f"pgtend_archive.{unit.partition}")
    with attic.vault() as vault:
        keys = [one.key for one in vault.objects("archive/") if f"/{table}/{unit.label}/" in one.key]
        (key,) = (key for key in keys if key.endswith(".age"))
        with unseal(vault, key, PrivateKeys((ESCROW,))) as plain:
            content = plain.read()
    path = attic.folder / "month.parquet"
    path.write_bytes(content)
    counted = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]  # noqa: S608 - a file of ours
    assert pq.read_table(io.BytesIO(content)).num_rows == counted == unit.rows
    attic.pass_week()
    attic.take_backup()
    attic.run()
    assert attic.unit(unit.label, table).stands is State.DROPPED
    with attic.desk(table, KEYS) as desk:
        back = restore_beside(desk, unit.month)
    assert attic.content(back.place) == was
    return f"{unit.rows:,} rows, equal"
