"""How a run ended is told in words that may be kept for years."""

from __future__ import annotations

import pytest

from pgtend.kernel.errors import Refusal
from pgtend.ledger.model import Ending, Outcome, Subject, ending_of


class TooEarly(Refusal):
    """A failure of a test."""

    code = "test.too_early"


def test_our_own_error_is_kept_with_its_code_and_hint() -> None:
    """It was written to be read; the detail stays out, because it may be long."""
    error = TooEarly("the window is closed", detail="It opens at 22:00.", hint="Wait.")
    assert ending_of(error) == Ending(Outcome.FAILED, "test.too_early", "the window is closed", "Wait.")


def test_a_secret_that_slipped_into_a_message_is_not_kept() -> None:
    """The ledger is read by more people than the task log."""
    error = TooEarly("cannot reach postgresql://tender:hunter2@db/kgc")
    assert "hunter2" not in ending_of(error).error_message


def test_an_endless_message_is_cut() -> None:
    """A row of the ledger is a line, not a log."""
    assert len(ending_of(TooEarly("x" * 10_000)).error_message) == 500


@pytest.mark.parametrize("error", [KeyboardInterrupt("4711"), ValueError("4711"), SystemExit(143)])
def test_of_anything_else_only_the_kind_is_kept(error: BaseException) -> None:
    """Nobody knows what is in the text of an error that is not ours."""
    kind = type(error).__name__
    assert ending_of(error) == Ending(Outcome.INTERRUPTED, kind, f"stopped by {kind}")


def test_a_subject_is_named_by_database_and_pipeline() -> None:
    """The actor and the link change from run to run, the subject does not."""
    assert Subject("kgc", "analyze", "me").target == "kgc/analyze"
