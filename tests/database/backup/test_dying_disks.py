"""A disk that can no longer be read: under the source no backup comes of it, under the vault nobody calls it well."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from bed.backups import KEYS, Depot, tools_on_path
from bed.clusters import asked, new_database, statement, tools_of
from bed.dying_disk import DyingDisk, dying_disk
from bed.stored_backups import folder_vault
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.accounts import server_account
from pgtend.postgres.command import client
from pgtend.postgres.errors import ServerFault
from pgtend.postgres.identifiers import text
from pgtend.postgres.process import run
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.errors import VaultUnreachable

pytestmark = pytest.mark.pg(">= 18")
ROWS = "SELECT x AS id, md5(x::text) || md5((-x)::text) AS note FROM generate_series(1, 60000) AS x"


@pytest.fixture
def disk() -> Generator[DyingDisk]:
    """Mount a disk that will not live long."""
    with dying_disk() as disk:
        yield disk


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Generator[ThrowawayServer]:
    """Start a server that may be stopped in between."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(18))
    with ThrowawayServer(tools=tools_of(18)) as server:
        yield server


def test_a_source_that_cannot_read_its_disk_leaves_no_backup(
    server: ThrowawayServer, disk: DyingDisk, tmp_path: Path
) -> None:
    """A table whose second half is gone is a fault of the server, and never a table with half of its rows."""
    account = server_account()
    if account:
        account.own(disk.folder)
    with new_database(server) as live, server.session() as session:
        session.run(statement("CREATE TABLESPACE dying LOCATION {place}"), place=text(str(disk.folder)))
        live.run(f"CREATE TABLE public.lost TABLESPACE dying AS {ROWS}", "CHECKPOINT")
        with live.session() as seen:
            where = seen.row(asked("SELECT pg_relation_filepath('public.lost') AS word")).word
        depot = Depot(live, folder_vault(tmp_path / "vault"), tmp_path / "ledger", live.superuser)
        server.stop()
        disk.lose_half_of(server.data / where)
        server.start()
        with pytest.raises(ServerFault, match="pg_dump exited"):
            run(client(tools_of(18), "pg_dump", live.superuser, "--no-password"), within=timedelta(minutes=1))
        with pytest.raises(ServerFault):
            depot.take()
        assert depot.stored() == []
        live.run("DROP TABLE public.lost")
        manifest = depot.take()
        assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()


def test_a_vault_that_cannot_read_its_disk_is_an_outage(
    server: ThrowawayServer, disk: DyingDisk, tmp_path: Path
) -> None:
    """What cannot be read may be read tomorrow: it is neither well nor damaged, and its disk is named."""
    with new_database(server) as live:
        live.run(f"CREATE TABLE public.kept AS {ROWS}")
        depot = Depot(live, folder_vault(disk.folder / "vault"), tmp_path / "ledger", live.superuser)
        manifest = depot.take()
        largest = max(manifest.parts, key=lambda part: part.stored_size)
        disk.lose_half_of(disk.folder / "vault" / manifest.key_of(largest))
        with pytest.raises(VaultUnreachable) as caught:
            verify_backup(depot.vault, manifest, KEYS, quietly)
        assert caught.value.detail == "Input/output error."
        assert caught.value.hint == "Look at the disk or mount: docs/runbooks/vault-unreachable.md."


def test_a_vault_that_cannot_write_its_disk_keeps_no_backup(
    server: ThrowawayServer, disk: DyingDisk, tmp_path: Path
) -> None:
    """A file system takes what its disk refuses a moment later: nothing is there before the disk has said so."""
    with new_database(server) as live:
        live.run(f"CREATE TABLE public.kept AS {ROWS}")
        depot = Depot(live, folder_vault(disk.folder / "vault"), tmp_path / "ledger", live.superuser)
        first = depot.take()
        disk.refuse_to_write()
        with pytest.raises(VaultUnreachable) as caught:
            depot.take()
        assert caught.value.detail == "Input/output error."
        assert {key.split("/")[3] for key in depot.stored()} == {first.backup_id}
