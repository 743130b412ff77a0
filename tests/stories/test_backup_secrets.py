"""No password and no row leaves by a way that a backup was not meant for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.backups import Depot, tools_on_path
from bed.clusters import LiveDatabase
from bed.onlooker import onlooker
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

ROW = "canary-of-a-patient-5c1e"


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
    with onlooker() as seen:
        depot.take()
    assert tender.password is not None
    secrets = (tender.password.get_secret_value().encode(), ROW.encode())
    assert any(b"pg_dump" in one for one in seen), "the onlooker saw no dump, so it proves nothing"
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 6
    for content in (*seen, *written, "\n".join(depot.lines).encode()):
        for secret in secrets:
            assert secret not in content
