"""Of a plan is kept what cannot be a value, and only statements that cannot do harm are planned."""

from __future__ import annotations

import pytest

from pgtend.statements.plans import can_be_planned, read_plan

ANSWER = [
    {
        "Plan": {
            "Node Type": "Nested Loop",
            "Total Cost": 12.5,
            "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "visits", "Filter": "(name = 'hunter2'::text)"},
                {"Node Type": "Index Scan", "Index Name": "by_id", "Index Cond": "(id = $1)", "Output": ["hunter2"]},
            ],
            "Something New": "hunter2",
        },
        "Settings": {"my.word": "hunter2"},
    }
]


def test_a_kept_plan_has_no_literal_and_no_field_nobody_knows() -> None:
    """Conditions lose their literals; fields that are not known to be harmless are left out."""
    plan = read_plan(ANSWER)
    assert plan.cost == 12.5
    assert plan.tree == {
        "Node Type": "Nested Loop",
        "Total Cost": 12.5,
        "Plans": [
            {"Node Type": "Seq Scan", "Relation Name": "visits", "Filter": "(name = ?::text)"},
            {"Node Type": "Index Scan", "Index Name": "by_id", "Index Cond": "(id = $1)"},
        ],
    }


def test_the_shape_is_the_nodes_and_not_the_figures() -> None:
    """Another cost is the same plan; another index is another one."""
    dearer = [{"Plan": {**ANSWER[0]["Plan"], "Total Cost": 99}}]
    other = [{"Plan": {"Node Type": "Index Scan", "Index Name": "by_id"}}]
    assert read_plan(dearer).shape == read_plan(ANSWER).shape
    assert read_plan(other).shape != read_plan([{"Plan": {"Node Type": "Index Scan", "Index Name": "b"}}]).shape


@pytest.mark.parametrize(
    ("text", "is_planned"),
    [
        ("SELECT 1", True),
        ("WITH x AS (SELECT $1) DELETE FROM t", True),
        ("merge into t using s on true when matched then delete", True),
        ("CREATE TABLE t AS SELECT ?", False),
        ("EXPLAIN ANALYZE SELECT ?", False),
        ("SELECT 1; DROP TABLE t", False),
        ("CALL p($1)", False),
        ("", False),
    ],
)
def test_only_one_statement_that_reads_or_changes_rows_is_planned(text: str, *, is_planned: bool) -> None:
    """EXPLAIN never gets a second statement behind the first, and nothing that it would run."""
    assert can_be_planned(text) is is_planned
