"""Kill -9 of whoever takes a backup, and of the server: no backup comes of it, and the next one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.backups import KEYS, OPERATIONS, Depot, tools_on_path
from bed.clusters import LiveDatabase, asked, tools_of
from database.backup.test_faults import copying, dumps_of, nothing_stays_and_the_next_succeeds, once
from pgtend.backup.catalogue import read_catalogue
from pgtend.backup.verify import verify_backup
from pgtend.kernel.errors import Outage
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.postgres.throwaway import ServerDidNotStart, ThrowawayServer
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

FILL = "INSERT INTO clinic.scans SELECT x, repeat(md5(x::text), 20) FROM generate_series(1, 100000) AS x"


def worker(depot: Depot, folder: Path) -> subprocess.Popen[bytes]:
    """Start `pgtend backup` as a process of its own, which backs up into the depot's vault."""
    plan = {
        "fleet": "tests",
        "vaults": {"main": {"folder": {"path": depot.vault.place}}},
        "keys": {"recipients": {"operations": OPERATIONS.public}},
        "databases": {"clinic": {"connection": depot.live.superuser.conninfo}},
    }
    fleet = folder / "fleet.yaml"
    fleet.write_text(json.dumps(plan), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PGTEND_FLEET": str(fleet),
        "PGTEND_PG_BINDIRS": os.environ["PGTEND_PG_BINDIRS"],
    }
    command = (str(Path(sys.executable).parent / "pgtend"), "backup", "clinic", "--yes")
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def soon(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.05)


def sessions(depot: Depot) -> list[str]:
    """List the sessions of backups in the server."""
    query = asked("SELECT application_name AS word FROM pg_stat_activity WHERE application_name LIKE 'pgtend:backup%%'")
    with depot.live.session() as session:
        return [one.word for one in session.rows(query)]


@pytest.mark.pg(">= 18")
def test_a_killed_worker_leaves_no_backup_and_nobody_behind(depot: Depot, tmp_path: Path) -> None:
    """Its dumps die with it, the server lets its sessions and locks go, and what it stored is no backup."""
    create = "CREATE TABLE clinic.scans (id int PRIMARY KEY, content text)"
    depot.live.run(create, FILL, address=depot.live.owner)
    Path(depot.vault.place).mkdir(exist_ok=True)
    process = worker(depot, tmp_path)
    with once(copying(depot), process.kill):
        process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL
    soon(lambda: dumps_of(depot.live.name) == [])
    soon(lambda: sessions(depot) == [])
    found = read_catalogue(depot.vault, "tests", "clinic", utc_now())
    assert found.entries == ()
    assert {key.rpartition("/")[2] for key in depot.stored()} <= {"pre-data.dump.zst.age", "post-data.dump.zst.age"}
    made = depot.take()
    assert verify_backup(depot.vault, made, KEYS, quietly).faults == ()


def start_again(server: ThrowawayServer) -> None:
    """Start a server whose postmaster was killed, as soon as its last child has noticed."""
    deadline = time.monotonic() + 60
    while True:
        try:
            server.start()
        except ServerDidNotStart:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def test_a_killed_server_leaves_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash in the middle is an outage; after its recovery the next backup is whole."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(18))
    with ThrowawayServer(tools=tools_of(18)) as server:
        live = LiveDatabase(server, "postgres", server.superuser())
        live.run("CREATE SCHEMA clinic", "CREATE TABLE clinic.scans (id int PRIMARY KEY, content text)", FILL)
        vault = FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))
        depot = Depot(live, vault, tmp_path / "ledger", server.superuser())
        with once(copying(depot), lambda: os.kill(server.pid, signal.SIGKILL)), pytest.raises(Outage):
            depot.take()
        server.stop(signal.SIGKILL)
        start_again(server)
        nothing_stays_and_the_next_succeeds(depot)
