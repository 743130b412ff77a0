"""The policy of ANALYZE: which rule applies, which applies first, and the arithmetic of the limits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bed.planning import YESTERDAY, table_facts
from pgtend.fleet.model import AnalyzeRules
from pgtend.planner.facts import MissingStatistics
from pgtend.planner.model import AnalyzePolicy, Reason, TableReading, matches

POLICY = AnalyzePolicy(rules=AnalyzeRules())
LAST_WEEK = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
PARENT = {
    "oid": 1,
    "name": "metrics",
    "kind": "partitioned table",
    "rows": 0,
    "holds_rows": False,
    "has_children": True,
    "children_rows": 100_000,
    "children_hold_rows": True,
    "children_analyzed_at": YESTERDAY,
}


def missing(*columns: str, inherited: tuple[str, ...] = ()) -> MissingStatistics:
    """Describe a table whose columns have no statistics."""
    return MissingStatistics(oid=16400, columns=columns, inherited=inherited, expressions=(), extended=())


@pytest.mark.parametrize(
    ("facts", "reason", "analyze"),
    [
        ({}, Reason.FRESH, False),
        ({"modified": 250}, Reason.FRESH, False),
        ({"modified": 251}, Reason.CHANGED, True),
        ({"rows": None, "modified": 51}, Reason.CHANGED, True),
        ({"rows": 200_000_000, "modified": 1_000_050}, Reason.FRESH, False),
        ({"rows": 200_000_000, "modified": 1_000_051}, Reason.CHANGED, True),
        ({"analyzed_at": None}, Reason.FORGOTTEN, True),
        ({"analyzed_at": None, "rows": 0, "holds_rows": False}, Reason.EMPTY, False),
        ({"rows": 0, "holds_rows": False}, Reason.EMPTY, False),
        ({"kind": "foreign table"}, Reason.FOREIGN, False),
        ({"is_temporary": True}, Reason.TEMPORARY, False),
        ({"may_analyze": False, "modified": 9_999}, Reason.NO_RIGHT, False),
        ({"may_use_schema": False}, Reason.NO_RIGHT, False),
        ({**PARENT, "children_modified": 5_050}, Reason.FRESH, False),
        ({**PARENT, "children_modified": 5_051}, Reason.PARENT_CHANGED, True),
        ({**PARENT, "children_reanalyzed": 60_000}, Reason.PARENT_CHANGED, True),
        ({**PARENT, "analyzed_at": LAST_WEEK}, Reason.PARENT_RESTED, True),
        ({**PARENT, "analyzed_at": LAST_WEEK, "children_analyzed_at": LAST_WEEK}, Reason.FRESH, False),
        ({**PARENT, "analyzed_at": None}, Reason.FORGOTTEN, True),
        ({**PARENT, "children_rows": 0, "children_hold_rows": False}, Reason.EMPTY, False),
    ],
)
def test_each_rule_applies_where_it_should(facts: dict[str, object], reason: Reason, analyze: bool) -> None:  # noqa: FBT001 - a column of the table above
    """The border of every limit is written out, one row to each side."""
    decision = POLICY.decide(TableReading(facts=table_facts(**facts)))
    assert (decision.reason, decision.analyze) == (reason, analyze)


def test_a_wanted_target_comes_before_everything_else() -> None:
    """Statistics made before the target is set would be made twice."""
    facts = table_facts(analyzed_at=None, modified=9_999)
    reading = TableReading(facts=facts, missing=missing("user_id"), wanted_targets={"user_id": 500})
    decision = POLICY.decide(reading)
    assert decision.reason is Reason.TARGET
    assert decision.explanation == "user_id: the default -> 500"


def test_a_target_that_is_already_set_is_no_reason() -> None:
    """Only where it differs is it applied."""
    reading = TableReading(facts=table_facts(), targets={"user_id": 500}, wanted_targets={"user_id": 500})
    assert POLICY.decide(reading).reason is Reason.FRESH


def test_a_target_needs_an_owner_and_analyze_alone_does_not() -> None:
    """MAINTAIN allows ANALYZE, but only an owner may set a statistics target."""
    facts = table_facts(may_alter=False, modified=9_999)
    assert POLICY.decide(TableReading(facts=facts)).reason is Reason.CHANGED
    assert POLICY.decide(TableReading(facts=facts, wanted_targets={"user_id": 500})).reason is Reason.NO_RIGHT


def test_missing_statistics_are_named_and_come_before_changes() -> None:
    """People read which columns the planner is blind for."""
    decision = POLICY.decide(
        TableReading(facts=table_facts(modified=9_999), missing=missing("id", "user_id", "value", "at"))
    )
    assert decision.reason is Reason.MISSING
    assert decision.explanation == "column id, column user_id, column value and 1 more"


def test_an_empty_table_cannot_lack_statistics() -> None:
    """ANALYZE of nothing makes nothing, so asking for it every night would never end."""
    facts = table_facts(rows=0, holds_rows=False)
    assert POLICY.decide(TableReading(facts=facts, missing=missing("id"))).reason is Reason.EMPTY


def test_statistics_of_the_whole_are_only_missed_where_partitions_hold_rows() -> None:
    """A partitioned table has no rows of its own."""
    lacking = missing(inherited=("user_id",))
    full = TableReading(facts=table_facts(**PARENT), missing=lacking)
    empty = TableReading(facts=table_facts(**{**PARENT, "children_hold_rows": False}), missing=lacking)
    assert full.lacks == ("column user_id over all partitions",)
    assert empty.lacks == ()


def test_a_table_the_fleet_file_leaves_alone_is_left_alone() -> None:
    """The rule of a person comes before every rule of ours."""
    policy = AnalyzePolicy(rules=AnalyzeRules(skip=("public.vis*",)))
    assert policy.decide(TableReading(facts=table_facts(analyzed_at=None))).reason is Reason.EXCLUDED


def test_a_partition_is_not_analyzed_twice_where_its_whole_takes_it_along() -> None:
    """Before 18, ANALYZE of a partitioned table goes through all of its partitions."""
    whole = TableReading(facts=table_facts(**PARENT, children_modified=50_000))
    part = TableReading(facts=table_facts(oid=2, name="metrics_2026", ancestor_oids=(1,), modified=50_000))
    before_18 = AnalyzePolicy(rules=AnalyzeRules(), recurses=True).decide_all([part, whole])
    since_18 = AnalyzePolicy(rules=AnalyzeRules()).decide_all([part, whole])
    assert [(d.table.name, d.reason) for d in before_18] == [
        ("public.metrics", Reason.PARENT_CHANGED),
        ("public.metrics_2026", Reason.COVERED),
    ]
    assert [(d.table.name, d.reason) for d in since_18] == [
        ("public.metrics", Reason.PARENT_CHANGED),
        ("public.metrics_2026", Reason.CHANGED),
    ]


def test_the_most_urgent_table_comes_first() -> None:
    """When the window closes early, the planner has gained the most."""
    readings = [
        TableReading(facts=table_facts(name="changed_little", modified=300)),
        TableReading(facts=table_facts(name="changed_much", modified=9_000)),
        TableReading(facts=table_facts(name="small_and_blind", rows=10), missing=missing("id")),
        TableReading(facts=table_facts(name="large_and_blind"), missing=missing("id")),
        TableReading(facts=table_facts(name="forgotten", analyzed_at=None)),
        TableReading(facts=table_facts(name="fresh")),
        TableReading(facts=table_facts(name="wanted"), wanted_targets={"id": 1}),
    ]
    assert [d.table.facts.name for d in POLICY.decide_all(readings)] == [
        "wanted",
        "large_and_blind",
        "small_and_blind",
        "forgotten",
        "changed_much",
        "changed_little",
        "fresh",
    ]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("public.visits", True),
        ("visits", True),
        ("public.*", True),
        ("vis*", True),
        ("audit.*", False),
        ("visit", False),
    ],
)
def test_a_table_is_asked_for_by_name_or_pattern(pattern: str, matched: bool) -> None:  # noqa: FBT001 - a column of the table above
    """The schema may be left out, and * stands for any text."""
    assert matches("public.visits", [pattern]) is matched


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.floats(0.001, 1))
def test_a_larger_table_never_has_a_smaller_limit(rows: int, more: int, fraction: float) -> None:
    """The limit grows with the table, from the floor to the floor and the cap."""
    assert 50 <= POLICY.limit(rows, fraction) <= POLICY.limit(rows + more, fraction) <= 1_000_050


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_changes_never_make_a_table_fresher(rows: int, changes: int) -> None:
    """Once there is enough reason, one more changed row does not take it away."""
    once = POLICY.decide(TableReading(facts=table_facts(rows=rows, modified=changes)))
    again = POLICY.decide(TableReading(facts=table_facts(rows=rows, modified=changes + 1)))
    assert again.analyze >= once.analyze
    assert once.analyze == (changes > 50 + min(int(rows * 0.02), 1_000_000))


@given(st.permutations(["a", "b", "c", "d", "e"]))
def test_the_order_of_work_does_not_depend_on_the_order_of_reading(names: list[str]) -> None:
    """Two runs over the same facts do the same."""
    decided = POLICY.decide_all(TableReading(facts=table_facts(name=name, modified=500)) for name in names)
    assert [decision.table.facts.name for decision in decided] == ["a", "b", "c", "d", "e"]
