"""What a rebuild won: in bytes, to the planner, and in the nights before and after it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.indexing import Ward
from bed.ledgers import ask, new_ledger, tell
from bed.lines import Acting
from pgtend.indexes.advice_model import Statement
from pgtend.indexes.errors import PlansWorse
from pgtend.indexes.plan_costs import TopStatements
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer

BY_DEVICE = "SELECT id FROM clinic.visits WHERE device = $1"
BY_KEY = "SELECT 1 FROM pg_class WHERE oid = $1"
NIGHTS = """
INSERT INTO reporting.statement_target (database) VALUES ('clinic');
INSERT INTO reporting.statement (fingerprint, query, query_hash, scrub_version, last_seen)
    VALUES ('f1', 'SELECT id FROM clinic.visits WHERE device = $1', '\\x01', 1, current_date);
INSERT INTO reporting.statement_series (target_id, database_oid, role_oid, is_toplevel, queryid, role, fingerprint,
        statement_id, first_seen, last_seen)
    SELECT target_id, 1, 1, true, 1, '', 'f1', statement_id, current_date, current_date
    FROM reporting.statement_target, reporting.statement;
INSERT INTO reporting.statement_snapshot (target_id, day, run_id, taken_at, since, system_identifier, timeline,
        postmaster_started_at, is_standby, server_version, extension_version, database_oid, has_stats_since, capacity,
        entries_on_server)
    SELECT target_id, day, 'r', day + interval '1 day', day, 'x', 1, now(), false, 180000, '1.12', 1, true, 10, 1
    FROM reporting.statement_target, generate_series(current_date - 7, current_date + 7, '1 day') AS day;
INSERT INTO reporting.statement_day (day, target_id, flags, series_id, calls, rows, exec_ms, exec_ssq)
    SELECT day, target_id, 0, series_id, 100, 100, CASE WHEN day < current_date THEN 400 ELSE 100 END, 0
    FROM reporting.statement_series, generate_series(current_date - 7, current_date + 7, '1 day') AS day
"""
KEEP_PLAN = """INSERT INTO reporting.statement_plan (run_id, database, day, fingerprint, plan)
    VALUES ('r', 'clinic', current_date, 'f1', '{"Plans": [{"Index Name": "visits_device"}]}')"""
FORGET = "UPDATE pg_statistic SET stadistinct = 1 WHERE starelid = 'clinic.visits'::regclass AND staattnum = 3"
GAIN = (
    "SELECT format('%s %s %s %s %s', bytes_won > 0, cost_after <= cost_before, statements, ms_before, ms_after)"
    " FROM reporting.index_rebuild_gains WHERE index_name = 'visits_device'"
)


@pytest.fixture
def memory(server: ThrowawayServer) -> Generator[Session]:
    """Give a reporting database of its own."""
    with new_ledger(server) as reporting, reporting.session() as session:
        yield session


@pytest.mark.pg(">= 18")
def test_the_ledger_shows_what_a_rebuild_won(ward: Ward, memory: Session) -> None:
    """Bytes and plans at once, and after some nights the time that the statements which use the index really took."""
    ward.kept_by = DatabaseLedger(memory)
    tell(memory, *(text for text in NIGHTS.split(";\n") if text.strip()))
    ward.work("clinic.visits_device", insists=True)
    assert ask(memory, GAIN) == ["t t 0  "]
    tell(memory, KEEP_PLAN)
    assert ask(memory, GAIN) == ["t t 1 4 1"]


def test_statements_are_asked_about_for_their_own_tables_alone(ward: Ward) -> None:
    """A statement of another table, or one that cannot be planned, says nothing about this one."""
    texts = (BY_DEVICE, BY_KEY, "SELECT nothing FROM nowhere")
    known = TopStatements([Statement(text=text, role="", calls=1, exec_ms=1.0) for text in texts])
    with ward.session() as session:
        assert (known.cost(session, "visits") or 0) > 0
        assert known.cost(session, "rooms") is None


@pytest.mark.pg(">= 18")
def test_statements_that_look_dearer_afterwards_are_told(ward: Ward, memory: Session) -> None:
    """What the planner thinks may become worse while an index is rebuilt; the index is proved all the same."""
    ward.kept_by = DatabaseLedger(memory)
    tell(memory, *(text for text in NIGHTS.split(";\n") if text.strip()))
    with ward.live.session() as reader, ward.live.session() as other:
        tell(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1")
        ward.lines = Acting("waiting for old snapshots", lambda: (tell(other, FORGET), tell(reader, "ROLLBACK")))
        with pytest.raises(PlansWorse, match=r"after the rebuild of clinic\.visits_device"):
            ward.work("clinic.visits_device", insists=True)
    assert ask(memory, "SELECT outcome FROM reporting.index_rebuilds WHERE index_name = 'visits_device'") == ["proved"]
