"""When a difference of time is the work of an index, and when it is the machine's."""

from __future__ import annotations

import pytest

from pgtend.indexes.advice_model import Statement
from pgtend.indexes.advice_proof import Measured, time_after

READ = Statement(text="SELECT * FROM stays WHERE room = $1", role="", calls=1, exec_ms=1.0)
WRITE = Statement(text="INSERT INTO stays (id) VALUES ($1)", role="", calls=1, exec_ms=1.0)


@pytest.mark.parametrize(
    ("statement", "plan", "expected"),
    [(READ, "same", 2.0), (READ, "other", 3.0), (WRITE, "same", 3.0), (WRITE, "other", 3.0)],
)
def test_only_another_plan_makes_a_read_slower(statement: Statement, plan: str, expected: float) -> None:
    """A read by the same plan took longer because the machine was busy; a writer pays without a word in its plan."""
    assert time_after(statement, Measured(2.0, ("same",)), Measured(3.0, (plan,))) == expected
