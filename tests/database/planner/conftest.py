"""A clinic's database, tended by a role that owns it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, asked, statement
from bed.impatient import wait_for
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
    # The changes of a session are counted when it has ended, maybe a moment later; ANALYZE sets the count to zero.
    counted = "SELECT relname::text AS word FROM pg_stat_user_tables WHERE relname = 'visits' AND n_tup_ins = 1000"
    with database.session(owner) as session:
        wait_for(lambda: session.rows(asked(counted)))
        session.run(statement("ANALYZE clinic.visits"))
    return Night(database, tmp_path / "ledger", owner)
