"""The shape of every run: intent before, outcome after, and no result is lost because the ledger went away between."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from pgtend.kernel.errors import BrokenEvidence, PgtendError, naming_what_is_scarce
from pgtend.ledger.errors import LedgerUnreachable
from pgtend.ledger.model import Ending, Outcome, Run, ending_of


class OpenRun(Run, Protocol):
    """A run whose intent is written down and whose outcome is not yet."""

    def close(self, ending: Ending) -> None:
        """Write down how it ended; telling it twice is harmless."""
        ...


@contextmanager
def recorded(run: OpenRun) -> Generator[Run]:
    """Let the work happen, and write down how it ended."""
    try:
        with naming_what_is_scarce():
            yield run
    except BaseException as failure:
        _record_failure(run, failure)
        raise
    _record_success(run)


def _record_success(run: OpenRun) -> None:
    try:
        run.close(Ending(Outcome.SUCCEEDED))
    except PgtendError as lost:
        raise LedgerUnreachable(
            f"the work of run {run.run_id} was done, but the ledger could not be told",
            detail=f"The ledger said: {lost.message}. There the run stays open until the next one closes it.",
            hint="See docs/runbooks/ledger-unreachable.md; repeating the work is harmless.",
        ) from lost


def _record_failure(run: OpenRun, failure: BaseException) -> None:
    ending = ending_of(failure)
    try:
        run.close(ending)
    except PgtendError as lost:
        if not isinstance(failure, Exception):
            # A kill or Ctrl-C must stay what it is: as an outage it would be tried again.
            failure.add_note(f"The ledger could not be told either: {lost.message}")
            return
        if isinstance(failure, BrokenEvidence):
            # As an outage it would be tried again, and damage that was found would wake nobody.
            failure.detail = f"{failure.detail} The ledger could not be told: {lost.message}.".strip()
            return
        raise LedgerUnreachable(
            f"the work of run {run.run_id} failed, and the ledger could not be told",
            detail=f"The work said: {ending.error_message} [{ending.error_code}]. The ledger said: {lost.message}.",
            hint=ending.hint or "See docs/runbooks/ledger-unreachable.md.",
        ) from ExceptionGroup("the work failed, and so did the ledger", [failure, lost])
