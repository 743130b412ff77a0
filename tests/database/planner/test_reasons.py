"""Each reason to analyze a table, brought about on a real server, acted upon and gone afterwards."""

from __future__ import annotations

import pytest

from bed.clusters import statement
from bed.planning import Night
from pgtend.planner.errors import UnknownColumns
from pgtend.planner.model import Reason
from pgtend.planner.report import Outcome

QUIET = "WITH (autovacuum_enabled = off)"
FIRST_HALF, SECOND_HALF = "FROM ('2026-01-01') TO ('2026-07-01')", "FROM ('2026-07-01') TO ('2027-01-01')"
METRICS = (
    "CREATE TABLE clinic.metrics (at date, person int) PARTITION BY RANGE (at)",
    f"CREATE TABLE clinic.metrics_1 PARTITION OF clinic.metrics FOR VALUES {FIRST_HALF} {QUIET}",
    f"CREATE TABLE clinic.metrics_2 PARTITION OF clinic.metrics FOR VALUES {SECOND_HALF} {QUIET}",
    "INSERT INTO clinic.metrics SELECT date '2026-01-01' + mod(x, 300), x FROM generate_series(1, 1000) AS x",
)


def becomes_fresh(night: Night, table: str, reason: Reason) -> None:
    """Check that a table is due for this reason, is analyzed, and is not due afterwards."""
    assert night.decision(table).reason is reason
    report = night.work()
    assert [result.name for result in report.ended(Outcome.FAILED)] == []
    assert table in [result.name for result in report.ended(Outcome.PROVED)]
    assert night.plan().due == ()


def test_a_fresh_table_is_left_alone(night: Night) -> None:
    """The good night: nothing to do, and that is what is said."""
    assert night.decision("clinic.visits").reason is Reason.FRESH
    report = night.work()
    assert str(report).startswith("1 skipped in")
    assert any("nothing to analyze" in line for line in night.lines)


def test_changed_rows_bring_a_table_back(night: Night) -> None:
    """More than 50 and 2 % of the rows."""
    night.live.run("UPDATE clinic.visits SET note = 'new' WHERE id <= 80")
    becomes_fresh(night, "clinic.visits", Reason.CHANGED)


def test_a_new_column_has_no_statistics(night: Night) -> None:
    """Autovacuum would not notice: no row changed."""
    night.live.run("ALTER TABLE clinic.visits ADD COLUMN ward text DEFAULT 'a'")
    assert night.decision("clinic.visits").explanation == "column ward"
    becomes_fresh(night, "clinic.visits", Reason.MISSING)


def test_an_index_on_an_expression_needs_statistics_of_its_own(night: Night) -> None:
    """They are made by the next ANALYZE and not by CREATE INDEX."""
    night.live.run("CREATE INDEX by_note ON clinic.visits (lower(note))")
    assert night.decision("clinic.visits").explanation == "index by_note"
    becomes_fresh(night, "clinic.visits", Reason.MISSING)


def test_a_partial_index_whose_rows_escape_the_sample_is_not_asked_for_again(night: Night) -> None:
    """Its expression has no statistics after ANALYZE either, and that is right."""
    night.live.run("CREATE INDEX nobody ON clinic.visits (lower(note)) WHERE patient = 12345")
    assert night.decision("clinic.visits").reason is Reason.FRESH


def test_extended_statistics_are_made_by_the_next_analyze(night: Night) -> None:
    """CREATE STATISTICS alone gives the planner nothing."""
    night.live.run("CREATE STATISTICS clinic.together ON patient, note FROM clinic.visits")
    assert night.decision("clinic.visits").explanation == "statistics together"
    becomes_fresh(night, "clinic.visits", Reason.MISSING)


def test_a_partitioned_table_gets_statistics_of_the_whole(night: Night) -> None:
    """Autovacuum analyzes the partitions and never the whole."""
    night.live.run(*METRICS, "ANALYZE clinic.metrics_1", "ANALYZE clinic.metrics_2", address=night.address)
    assert night.decision("clinic.metrics").explanation == (
        "column at over all partitions, column person over all partitions"
    )
    becomes_fresh(night, "clinic.metrics", Reason.MISSING)


def test_changed_partitions_bring_the_whole_back(night: Night) -> None:
    """The changes of all partitions count together."""
    night.live.run(*METRICS, "ANALYZE clinic.metrics", address=night.address)
    night.live.run("UPDATE clinic.metrics SET person = 0 WHERE person <= 200")
    becomes_fresh(night, "clinic.metrics", Reason.PARENT_CHANGED)


@pytest.mark.pg("< 18")
def test_partitions_taken_along_are_confirmed_one_by_one(night: Night) -> None:
    """They are not analyzed twice, and each is proved all the same."""
    night.live.run(*METRICS, address=night.address)
    report = night.work()
    covered = [result for result in report.results if result.decision.reason is Reason.COVERED]
    assert [(r.name, r.outcome) for r in covered] == [
        ("clinic.metrics_1", Outcome.PROVED),
        ("clinic.metrics_2", Outcome.PROVED),
    ]


def test_a_parent_by_plain_inheritance_gets_statistics_of_the_whole(night: Night) -> None:
    """The old way of partitioning is still in use."""
    night.live.run(
        "CREATE TABLE clinic.log (id int) WITH (autovacuum_enabled = off)",
        "CREATE TABLE clinic.log_old () INHERITS (clinic.log) WITH (autovacuum_enabled = off)",
        "INSERT INTO clinic.log_old SELECT generate_series(1, 500)",
        "ANALYZE clinic.log_old",
        address=night.address,
    )
    assert night.decision("clinic.log").explanation == "column id, column id over all partitions"
    becomes_fresh(night, "clinic.log", Reason.MISSING)


def test_a_wanted_statistics_target_is_set_and_used(night: Night) -> None:
    """By ALTER TABLE ... SET STATISTICS, and only where it differs."""
    night.rules = {"statistics_targets": {"clinic.visits.patient": 500}}
    assert night.decision("clinic.visits").explanation == "patient: the default -> 500"
    becomes_fresh(night, "clinic.visits", Reason.TARGET)
    assert night.decision("clinic.visits").table.targets["patient"] == 500


def test_a_target_of_a_partitioned_table_reaches_its_partitions(night: Night) -> None:
    """A new partition does not take it over by itself."""
    night.live.run(*METRICS, "ANALYZE clinic.metrics", address=night.address)
    night.rules = {"statistics_targets": {"clinic.metrics.person": 50}}
    becomes_fresh(night, "clinic.metrics", Reason.TARGET)
    assert night.decision("clinic.metrics_2").table.targets["person"] == 50


def test_targets_of_unknown_columns_are_refused_all_at_once(night: Night) -> None:
    """A mistyped name must not be ignored every night."""
    night.rules = {"statistics_targets": {"clinic.visits.pateint": 500, "clinic.visit.id": 1, "clinic.visits.id": 9}}
    with pytest.raises(UnknownColumns) as caught:
        night.plan()
    assert [(problem.what, problem.hint) for problem in caught.value.problems] == [
        ("clinic.visits has no column pateint", "did you mean 'patient'?"),
        ("there is no table clinic.visit", "did you mean 'clinic.visits'?"),
    ]


def test_a_materialized_view_is_tended_like_a_table(night: Night) -> None:
    """REFRESH replaces all of its rows."""
    night.live.run(
        "CREATE MATERIALIZED VIEW clinic.per_patient AS SELECT patient, count(*) FROM clinic.visits GROUP BY 1",
        address=night.address,
    )
    becomes_fresh(night, "clinic.per_patient", Reason.MISSING)


def test_names_may_hold_quotes_and_any_letter(night: Night) -> None:
    """A name is never pasted into a statement."""
    night.live.run(
        'CREATE SCHEMA "Ward ""7"""',
        # A statement of a test doubles its percent signs, as the driver wants it.
        'CREATE TABLE "Ward ""7"""."Größe %% {x} 表" ("von; bis" int)',
        'INSERT INTO "Ward ""7"""."Größe %% {x} 表" SELECT generate_series(1, 100)',
        address=night.address,
    )
    becomes_fresh(night, 'Ward "7".Größe % {x} 表', Reason.MISSING)


def test_row_level_security_hides_nothing_from_analyze(night: Night) -> None:
    """ANALYZE samples all rows; only whether statistics exist has to be seen by their keys."""
    night.live.run(
        "ALTER TABLE clinic.visits ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE clinic.visits FORCE ROW LEVEL SECURITY",
        "UPDATE clinic.visits SET note = 'new'",
    )
    assert night.decision("clinic.visits").reason is Reason.NO_RIGHT
    role = night.address.user
    for problem in night.plan().missing_rights:
        assert f"TO {role};" in problem.hint
        night.live.run(problem.hint)
    try:
        becomes_fresh(night, "clinic.visits", Reason.CHANGED)
    finally:
        night.live.run(f"DROP OWNED BY {role} CASCADE")


def test_temporary_tables_of_others_are_left_alone(night: Night) -> None:
    """Nobody but their session can reach them."""
    with night.live.session(night.address) as session:
        session.run(statement("CREATE TEMPORARY TABLE scratch AS SELECT 1 AS id"))
        reasons = [d.reason for d in night.plan().decisions if d.table.facts.name == "scratch"]
    assert reasons == [Reason.TEMPORARY]
