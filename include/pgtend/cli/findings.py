"""What an examination found: what is fine, what is not, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from pgtend.kernel.errors import WORST_FIRST, ManyProblems, PgtendError


class State(StrEnum):
    """How a thing was found. Shown to people as written."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    UNKNOWN = "not seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    about: str
    what: str
    state: State
    said: str
    hint: str = ""
    error: PgtendError | None = None


def fine(about: str, what: str, said: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(about=about, what=what, state=State.OK, said=said)


def note(about: str, what: str, said: str, hint: str) -> Finding:
    """Say what is worth knowing and stops nothing."""
    return Finding(about=about, what=what, state=State.NOTE, said=said, hint=hint)


def not_seen(about: str, *things: str) -> list[Finding]:
    """Say what could not be looked at: not seen is not fine."""
    return [Finding(about=about, what=what, state=State.UNKNOWN, said="could not be looked at") for what in things]


def problems(about: str, what: str, error: PgtendError) -> list[Finding]:
    """Say what is wrong, one finding for each problem in it."""
    if isinstance(error, ManyProblems):
        return [
            Finding(about=about, what=what, state=State.PROBLEM, said=f"{p.where}: {p.what}", hint=p.hint, error=error)
            for p in error.problems
        ]
    said = f"{error.message} [{error.code}]"
    return [Finding(about=about, what=what, state=State.PROBLEM, said=said, hint=error.hint, error=error)]


def look(about: str, what: str, at: Callable[[], str]) -> list[Finding]:
    """Look at one thing, and turn an error into a finding."""
    try:
        return [fine(about, what, at())]
    except PgtendError as error:
        return problems(about, what, error)


def exit_status(findings: Iterable[Finding]) -> int:
    """Tell the family of the worst problem by its exit status; 0 when there is none."""
    errors = [finding.error for finding in findings if finding.error is not None]
    for family in WORST_FIRST:
        if any(isinstance(error, family) for error in errors):
            return family.exit_status
    return PgtendError.exit_status if errors else 0
