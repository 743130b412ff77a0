"""A depot for every test: a database that its owner backs up into a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.backups import Depot, tools_on_path
from bed.clusters import LiveDatabase
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace


@pytest.fixture
def depot(database: LiveDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Depot:
    """Give a database with a clinic in it, backed up by its owner."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(database.server.tools.major))
    database.run(
        "CREATE SCHEMA clinic",
        "CREATE TABLE clinic.visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patient int, note text)",
        "INSERT INTO clinic.visits (patient, note) SELECT mod(x, 100), 'note ' || x FROM generate_series(1, 5000) AS x",
        "CREATE TABLE clinic.patients (id int PRIMARY KEY, name text NOT NULL)",
        "INSERT INTO clinic.patients SELECT x, 'patient ' || x FROM generate_series(0, 99) AS x",
        "ALTER TABLE clinic.visits ADD FOREIGN KEY (patient) REFERENCES clinic.patients",
        "CREATE VIEW clinic.recent AS SELECT * FROM clinic.visits ORDER BY id DESC LIMIT 10",
        address=database.owner,
    )
    vault = FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))
    return Depot(database, vault, tmp_path / "ledger", database.owner)
