"""No check can be removed without a test failing: each is written out as the one that found something for real."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pgtend.drill.failures import FailureClass
from pgtend.drill.model import CheckName

STORIES = Path(__file__).parents[2] / "stories" / "test_drills_that_fail.py"


def expected_failures() -> Iterator[tuple[str, str]]:
    """List what the stories write out: `assert failures(outcome) == [("rows", "DATA_MISMATCH"), ...]`."""
    for node in ast.walk(ast.parse(STORIES.read_text(encoding="utf-8"))):
        match node:
            case ast.Assert(
                test=ast.Compare(
                    left=ast.Call(func=ast.Name(id="failures")), ops=[ast.Eq()], comparators=[ast.List() as found]
                )
            ):
                yield from ast.literal_eval(found)


def test_every_check_is_seen_to_fail_in_a_story() -> None:
    """A story lists all that failed, so it fails itself when one of its checks no longer looks."""
    assert {name for name, _ in expected_failures()} == {check.value for check in CheckName}


def test_every_failure_class_is_seen_in_a_story() -> None:
    """Each class is produced by a real drill, and named as it must be."""
    assert {failure for _, failure in expected_failures()} == {failure.value for failure in FailureClass}


def test_a_check_is_seen_with_the_class_of_its_own() -> None:
    """That a check was blamed on something else does not count."""
    seen = set(expected_failures())
    assert [check for check in CheckName if (check.value, check.failure.value) not in seen] == []
