"""Months begin and end: a row always finds its place, and forgetting is dropping a month."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bed.clusters import LiveDatabase
from bed.ledgers import KGC, RECORD, Looked, ask, tell
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.session import Session

PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reporting.run'::regclass"
    " AND inhrelid::regclass::text <> 'reporting.run_default' ORDER BY 1"
)
MONTHS = (
    "SELECT 'reporting.run_' || to_char(now() + make_interval(months => n), 'YYYY_MM') FROM generate_series(0, {}) AS n"
)


def old_run(run_id: str, age: str) -> str:
    """Write a run of the past, which falls into the default partition when its month has none."""
    return (
        "INSERT INTO reporting.run (run_id, database, pipeline, actor, started_at, ended_at, outcome)"  # noqa: S608 - ours
        f" SELECT '{run_id}', 'kgc', 'analyze', 'me', moment, moment, 'succeeded'"
        f" FROM (SELECT date_trunc('month', now()) + interval '14 days' - interval '{age}') AS x (moment)"
    )


def test_partitions_are_there_before_their_month(reporting: LiveDatabase) -> None:
    """This month and the two after it; asking again makes none."""
    with reporting.session() as session:
        assert ask(session, PARTITIONS) == ask(session, MONTHS.format(2))
        tables = len(ask(session, "SELECT partrelid FROM pg_partitioned_table"))
        assert ask(session, "SELECT reporting.ensure_partitions(2)") == [0]
        assert ask(session, "SELECT reporting.ensure_partitions(4)") == [2 * tables]
        assert ask(session, PARTITIONS) == ask(session, MONTHS.format(4))


def test_a_run_makes_the_partitions_that_are_missing(reporting: LiveDatabase, ledger: DatabaseLedger) -> None:
    """Nobody has to migrate every month; a job that is only a pgtend_writer does it in passing."""
    with reporting.session() as session:
        for name in ask(session, PARTITIONS):
            tell(session, f"DROP TABLE {name}")
        with ledger.run(KGC) as run:
            run.add(RECORD, [Looked("a")])
        assert ask(session, PARTITIONS) == ask(session, MONTHS.format(2))
        assert ask(session, "SELECT count(*) FROM reporting.run_default") == [0]


def test_a_row_without_a_partition_is_kept_and_moved_later(reporting: LiveDatabase, session: Session) -> None:
    """The default partition is a net: the row is never lost, and the next call puts it where it belongs."""
    with reporting.session() as owner:
        tell(owner, old_run("stray", "5 months"))
        assert ask(owner, "SELECT count(*) FROM reporting.run_default") == [1]
        assert ask(session, "SELECT reporting.ensure_partitions(2)") == [1]
        assert ask(owner, "SELECT count(*) FROM reporting.run_default") == [0]
        home = "SELECT tableoid::regclass::text = 'reporting.run_' || to_char(started_at, 'YYYY_MM') FROM reporting.run"
        assert ask(owner, home) == [True]


def test_a_run_starts_even_when_a_partition_cannot_be_made_now(reporting: LiveDatabase, ledger: DatabaseLedger) -> None:
    """A long query on the default partition delays the partition, not the work."""
    with reporting.session() as session, reporting.session() as reader:
        for name in ask(session, PARTITIONS):
            tell(session, f"DROP TABLE {name}")
        tell(reader, "BEGIN", "SELECT count(*) FROM reporting.run_default")
        with ledger.run(KGC):
            tell(reader, "COMMIT")
        assert ask(session, "SELECT count(*) FROM reporting.run_default") == [1]
        with ledger.run(KGC):
            assert ask(session, "SELECT count(*) FROM reporting.run_default") == [0]


def test_forgetting_drops_whole_months_and_never_the_audit(reporting: LiveDatabase, ledger: DatabaseLedger) -> None:
    """A month goes when all of it is older than what is kept, and the audit says that it went."""
    with reporting.session() as owner:
        tell(owner, old_run("old", "13 months"), old_run("older", "14 months"), old_run("young", "6 months"))
        tell(owner, "SELECT reporting.ensure_partitions(0)")
        audited = ledger.audit_head().seq
        gone = ledger.forget(keep=timedelta(days=365), actor="me")
        assert len(gone) == 2
        assert ask(owner, "SELECT run_id FROM reporting.run") == ["young"]
        assert [(e.action, e.target) for e in ledger.entries(audited)] == [("ledger.forgot", name) for name in gone]
        assert ledger.forget(keep=timedelta(days=365), actor="me") == ()


def test_recovered_alerts_are_forgotten_and_open_ones_never(reporting: LiveDatabase, ledger: DatabaseLedger) -> None:
    """What is still broken is still to be told."""
    alert = (
        "INSERT INTO reporting.alert"
        " (key, database, pipeline, severity, code, message, opened_at, last_failed_at, recovered_at)"
        " VALUES ('{0}', 'kgc', 'analyze', 'page', 'x', 'y', now() - interval '2 years', now(), {1})"
    )
    with reporting.session() as owner:
        tell(owner, alert.format("open", "NULL"), alert.format("old", "now() - interval '1 year 2 days'"))
        ledger.forget(keep=timedelta(days=365), actor="me")
        assert ask(owner, "SELECT key FROM reporting.alert") == ["open"]


def test_a_question_about_a_month_reads_a_month(reporting: LiveDatabase) -> None:
    """Through the view, as a dashboard asks."""
    with reporting.session() as owner:
        plan = ask(
            owner, "EXPLAIN SELECT * FROM reporting.runs WHERE started_at >= '2026-01-01' AND started_at < '2026-01-02'"
        )
        assert not any("run_20" in str(line) for line in plan)


@pytest.mark.parametrize("table", ["run", "table_analysis"])
def test_what_grows_is_found_by_brin(reporting: LiveDatabase, table: str) -> None:
    """Every partition has its own, made with it."""
    with reporting.session() as owner:
        indexes = (
            "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam"
            " JOIN pg_inherits ON inhrelid = indrelid"
            " WHERE amname = 'brin' AND inhparent = to_regclass(%(table)s)"
        )
        assert ask(owner, indexes, {"table": f"reporting.{table}"}) == [4]
