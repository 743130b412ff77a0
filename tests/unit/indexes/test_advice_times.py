"""When a difference of time is the work of an index, and when it is the machine's."""

from __future__ import annotations

import pytest

from pgtend.indexes.advice_model import Statement
from pgtend.indexes.advice_proof import Compared, Measured, is_open, least

READ = Statement(text="SELECT * FROM stays WHERE room = $1", role="", calls=1, exec_ms=1.0)
WRITE = Statement(text="INSERT INTO stays (id) VALUES ($1)", role="", calls=1, exec_ms=1.0)


def pair(there: float, gone: float, plan: str = "another") -> tuple[Measured, Measured]:
    """Say how long two runs took, and whether by the same plan."""
    return Measured(there, "a plan"), Measured(gone, plan)


@pytest.mark.parametrize(
    ("statement", "plan", "expected"),
    [
        (READ, "a plan", Compared(2.0, 2.0)),
        (READ, "another", Compared(3.0, 2.0)),
        (WRITE, "a plan", Compared(3.0, 2.0)),
        (WRITE, "another", Compared(3.0, 2.0)),
    ],
)
def test_only_another_plan_makes_a_read_slower(statement: Statement, plan: str, expected: Compared) -> None:
    """A read by the same plan took longer because the machine was busy; a writer pays without a word in its plan."""
    assert least(statement, [pair(3.0, 2.0, plan)]) == expected


def test_the_least_of_each_side_counts() -> None:
    """Whatever else the machine did made one run of each side slower."""
    assert least(READ, [pair(9.0, 2.0), pair(3.0, 8.0)]) == Compared(3.0, 2.0)


def runs_of(statement: Statement, each: tuple[Measured, Measured]) -> int:
    """Count how often a statement is run when it takes the same time each time."""
    pairs: list[tuple[Measured, Measured]] = []
    while is_open(statement, pairs):
        pairs.append(each)
    return len(pairs)


def test_a_read_by_the_same_plan_is_run_once() -> None:
    """Nothing about it changed, so there is nothing to measure."""
    assert runs_of(READ, pair(3.0, 2.0, "a plan")) == 1


def test_what_may_be_chance_is_run_more_often() -> None:
    """A plain difference is believed after five pairs of runs, one of a few per cent after twenty."""
    assert runs_of(READ, pair(1.0, 5.0)) == 5
    assert runs_of(WRITE, pair(1.2, 1.0)) == 20


def test_what_takes_long_is_run_twice() -> None:
    """A minute of runs proves no more than two."""
    assert runs_of(WRITE, pair(3000.0, 1000.0)) == 2
