"""A clinic's database, tended by a role that owns it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import LiveDatabase
from bed.planning import Night


@pytest.fixture
def night(database: LiveDatabase, tmp_path: Path) -> Night:
    """Give a database with one table of 1,000 rows that was just analyzed, and the rules to tend it by."""
    owner = database.owner
    database.run(
        "CREATE SCHEMA clinic",
        "CREATE TABLE clinic.visits (id int PRIMARY KEY, patient int, note text) WITH (autovacuum_enabled = off)",
        "INSERT INTO clinic.visits SELECT x, mod(x, 100), 'note' FROM generate_series(1, 1000) AS x",
        address=owner,
    )
    # In a session of its own: the changes of the one before are counted when it ends, and this sets the count to zero.
    database.run("ANALYZE clinic.visits", address=owner)
    return Night(database, tmp_path / "ledger", owner)
