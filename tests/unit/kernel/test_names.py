"""Names: what a person most likely meant, and runs that sort by time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pgtend.kernel.names import counted, did_you_mean, nearest, new_run_id, suggestion


def test_a_typo_finds_what_was_meant() -> None:
    """The nearest known name is offered."""
    assert nearest("shcedule", ["schedule", "window"]) == "schedule"
    assert did_you_mean("shcedule", ["schedule", "window"]) == "did you mean 'schedule'?"


def test_what_is_near_to_nothing_lists_the_choices() -> None:
    """A wrong guess would be worse than none."""
    assert nearest("banana", ["schedule", "window"]) == ""
    assert did_you_mean("banana", ["window", "schedule"]) == "known: schedule, window"


def test_a_suggestion_keeps_a_name_as_it_is_written() -> None:
    """It is for copying: a name in other letters is another name."""
    assert suggestion("20261122T124342z", ["20261122T124342Z-bc8c4f84"]) == "Did you mean '20261122T124342Z-bc8c4f84'?"
    assert suggestion("banana", ["Window", "schedule"]) == "Known: Window, schedule."


def test_names_of_runs_sort_by_time_and_never_meet() -> None:
    """Two runs of one second have two names."""
    early, late = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert new_run_id(early) < new_run_id(late)
    assert len({new_run_id(early) for _ in range(100)}) == 100
    assert new_run_id(early).startswith("20260102T030405Z-")


@pytest.mark.parametrize(
    ("amount", "thing", "said"),
    [
        (0, "table", "0 tables"),
        (1, "table", "1 table"),
        (2, "index", "2 indexes"),
        (2000, "copy", "2,000 copies"),
        (2, "day", "2 days"),
    ],
)
def test_one_thing_is_not_told_as_several(amount: int, thing: str, said: str) -> None:
    """Nobody says 1 tables."""
    assert counted(amount, thing) == said
