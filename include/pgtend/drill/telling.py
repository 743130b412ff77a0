"""What a drill says to people: one line for a log, and an error with its class, what is still safe, and what to do."""

from __future__ import annotations

from datetime import timedelta

from pgtend.backup.catalogue import CatalogueEntry
from pgtend.drill.errors import BY_CLASS, RecoveryWillBeTooSlow
from pgtend.drill.failures import FailureClass
from pgtend.drill.model import Check, DrillOutcome, Target, Verdict
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.times import say_span

_NAMED = 10


def say_outcome(outcome: DrillOutcome) -> str:
    """Say in one line what a drill proved."""
    why = f" ({outcome.failure.value}: {outcome.failure.meaning})" if outcome.failure else ""
    skipped = f", {len(outcome.skipped)} not checked" if outcome.skipped else ""
    return (
        f"{outcome.database}: {outcome.verdict.value}{why} of backup {outcome.backup.backup_id} "
        f"({outcome.selection.rule.meaning}); {counted(len(outcome.checks), 'check')}{skipped}; "
        f"{say_target('recovery', outcome.rto)}"
    )


def say_target(what: str, target: Target) -> str:
    """Say how long something took, against its target."""
    took = say_span(target.measured) if target.measured is not None else "unknown"
    today = f", {say_span(target.predicted)} at today's size" if target.predicted is not None else ""
    limit = f", at most {say_span(target.target)}" if target.target else ""
    return f"{what} {took}{today}{limit}"


def raise_if_failed(outcome: DrillOutcome, warn_before: timedelta, safe: CatalogueEntry | None) -> None:
    """Raise what must be told about a drill; the class of the failure is the code of the error."""
    if outcome.verdict is Verdict.FAIL:
        raise error_of(outcome, safe)
    crossing = outcome.rto.crosses_at
    if crossing is not None and crossing - outcome.ended_at < warn_before:
        raise RecoveryWillBeTooSlow(
            f"{outcome.database} will take too long to bring back from {crossing:%Y-%m-%d} on",
            detail=f"The drill itself ended {outcome.verdict.value}; {say_target('recovery', outcome.rto)}.",
            hint="Follow docs/runbooks/drill-too-late.md while there is time.",
        )


def error_of(outcome: DrillOutcome, safe: CatalogueEntry | None) -> PgtendError:
    """Make the error of a drill that failed."""
    first = outcome.failures[0]
    failure = first.failure or FailureClass.RESTORE_FAILED
    return BY_CLASS[failure](
        f"drill of {outcome.database} {outcome.backup.backup_id} failed, {failure.value}: {failure.meaning}",
        detail="\n".join([*_said(outcome), _safety(outcome, safe)]),
        hint=f"To mend: {failure.blame.value}. Follow docs/runbooks/{failure.runbook}.md.",
    )


def _said(outcome: DrillOutcome) -> list[str]:
    shown = [_sentence(check) for check in outcome.failures[:_NAMED]]
    more = len(outcome.failures) - _NAMED
    return [*shown, f"And {more} more."] if more > 0 else shown


def _sentence(check: Check) -> str:
    text = str(check)
    return f"{text[:1].upper()}{text[1:]}."


def _safety(outcome: DrillOutcome, safe: CatalogueEntry | None) -> str:
    if safe is None:
        return "Still safe: nothing that a drill has proven."
    age = say_span(outcome.ended_at - safe.taken_at)
    return f"Still safe: backup {safe.backup_id} of {safe.taken_at:%Y-%m-%d %H:%M} UTC, {age} old, proven by a drill."
