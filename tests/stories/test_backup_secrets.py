"""No password and no row leaves by a way that a backup was not meant for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bed.backups import Depot, tools_on_path
from bed.clusters import LiveDatabase
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

ROW = "canary-of-a-patient-5c1e"


def watched(stop: threading.Event, seen: set[bytes]) -> None:
    """Collect the arguments and the environment of everything that runs, as anybody on the machine could."""
    while not stop.is_set():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                for name in ("cmdline", "environ"):
                    try:
                        seen.add((entry / name).read_bytes())
                    except OSError:
                        continue


def test_no_secret_and_no_row_shows_anywhere(
    database: LiveDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments, environments, progress, ledger, manifest and stored bytes hold neither the password nor the row."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(database.server.tools.major))
    database.run(
        "CREATE TABLE public.patients (name text)",
        f"INSERT INTO public.patients SELECT '{ROW}' FROM generate_series(1, 20000)",  # noqa: S608 - the canary is ours
    )
    tender = database.new_role("tender", "LOGIN SUPERUSER")
    vault = FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))
    depot = Depot(database, vault, tmp_path / "ledger", tender)
    stop, seen = threading.Event(), set[bytes]()
    watcher = threading.Thread(target=watched, args=(stop, seen))
    watcher.start()
    try:
        depot.take()
    finally:
        stop.set()
        watcher.join()
    assert tender.password is not None
    secrets = (tender.password.get_secret_value().encode(), ROW.encode())
    assert any(b"pg_dump" in one for one in seen), "the watcher saw no dump, so it proves nothing"
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 6
    for content in (*seen, *written, "\n".join(depot.lines).encode()):
        for secret in secrets:
            assert secret not in content
