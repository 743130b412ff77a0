"""How tables are shared out among the sessions that analyze them."""

from __future__ import annotations

import pytest

from bed.planning import table_facts
from pgtend.planner.crew import batches
from pgtend.planner.model import Decision, Reason, TableReading

MB = 1024 * 1024


def due(*sizes: int) -> list[Decision]:
    """Make tables of so many megabytes due."""
    facts = (table_facts(oid=number, size=size * MB) for number, size in enumerate(sizes))
    return [Decision(table=TableReading(facts=one), analyze=True, reason=Reason.CHANGED) for one in facts]


@pytest.mark.parametrize(
    ("sizes", "sessions", "expected"),
    [
        ([0] * 500, 1, [20] * 25),
        ([0] * 500, 4, [20] * 25),
        # Few tables are shared by all sessions, so that none waits behind a slow one.
        ([0, 0], 2, [1, 1]),
        ([0] * 16, 2, [2] * 8),
        # A large one goes alone, and its neighbours are not held up.
        ([0] * 20 + [500] + [0] * 19, 1, [10, 10, 1, 10, 9]),
        ([], 4, []),
    ],
)
def test_small_tables_go_together_and_large_ones_alone(sizes: list[int], sessions: int, expected: list[int]) -> None:
    """At most twenty, at most 16 MB, and enough batches for every session."""
    tables = due(*sizes)
    made = batches(tables, sessions)
    assert [len(batch) for batch in made] == expected
    assert [one for batch in made for one in batch] == tables
