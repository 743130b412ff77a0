"""Errors in four families, and the family decides what happens next.

Written as PostgreSQL writes them: the message is one lower-case line without a full stop, the detail and the hint are
full sentences, and the hint names a command or a runbook. A secret or the content of a row never enters one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final


class PgtendError(Exception):
    """Something a person may have to act upon: what happened, why we think so, what to do."""

    code: ClassVar[str] = "pgtend.error"
    exit_status: ClassVar[int] = 70

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.message} [{self.code}]"]
        if self.detail:
            lines.append(f"DETAIL: {self.detail}")
        if self.hint:
            lines.append(f"HINT: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive a trip between processes: the default drops keyword arguments."""
        return (_rebuild, (type(self), self.message, self.detail, self.hint, self.__dict__.copy()))


def _rebuild(kind: type[PgtendError], message: str, detail: str, hint: str, state: dict[str, object]) -> PgtendError:
    error = kind.__new__(kind)
    PgtendError.__init__(error, message, detail=detail, hint=hint)
    error.__dict__.update(state)
    return error


class Outage(PgtendError):
    """Trying again may help: the scheduler does, with backoff."""

    exit_status: ClassVar[int] = 75


class MachineExhausted(Outage):
    """The machine on which we run has run out of something: room, memory, open files, processes."""

    code: ClassVar[str] = "pgtend.machine_exhausted"


class Refusal(PgtendError):
    """A safety rule said no: the hint says what a person may do."""

    exit_status: ClassVar[int] = 77


class Misconfigured(PgtendError):
    """The fleet file or the environment is wrong: all problems are listed together."""

    exit_status: ClassVar[int] = 78


class BrokenEvidence(PgtendError):
    """Data is not what we promised: someone is paged."""

    exit_status: ClassVar[int] = 65


WORST_FIRST: Final[tuple[type[PgtendError], ...]] = (BrokenEvidence, Misconfigured, Refusal, Outage)
_NAMED: Final = 20
_SCARCE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what would be right."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class ManyProblems(Misconfigured):
    """Several things are wrong, and all of them are said at once."""

    code: ClassVar[str] = "pgtend.misconfigured"

    def __init__(self, message: str, problems: tuple[Problem, ...], *, hint: str = "") -> None:
        super().__init__(message, detail="\n" + "\n".join(f"  - {problem}" for problem in problems), hint=hint)
        self.problems = problems
        self._listed = self.detail

    @property
    def besides(self) -> str:
        """What the detail says besides the problems: it was added on the way out."""
        return self.detail.strip().removeprefix(self._listed.strip()).strip()

    @classmethod
    def raise_if_any(cls, message: str, problems: tuple[Problem, ...], *, hint: str = "") -> None:
        """Say everything that is wrong, or nothing."""
        if problems:
            raise cls(message, problems, hint=hint)


def family_of(error: PgtendError) -> type[PgtendError]:
    """Tell which of the four families an error belongs to."""
    for family in (Outage, Refusal, Misconfigured, BrokenEvidence):
        if isinstance(error, family):
            return family
    return PgtendError


def together(failed: Sequence[tuple[str, PgtendError]], what_failed: str) -> PgtendError:
    """Make one error of several: the kind of the worst, and each named; `what_failed` follows their number."""
    worst = min((error for _, error in failed), key=_badness)
    if len(failed) == 1:
        return worst
    named = "; ".join(f"{name}: {error.message} [{error.code}]" for name, error in failed[:_NAMED])
    rest = f"; and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    hints = [hint for hint in dict.fromkeys(error.hint for _, error in failed) if hint]
    return type(worst)(
        f"{len(failed)} {what_failed}, the worst: {worst.message}", detail=f"{named}{rest}.", hint=" ".join(hints[:3])
    )


def _badness(error: PgtendError) -> int:
    return next((rank for rank, family in enumerate(WORST_FIRST) if isinstance(error, family)), len(WORST_FIRST))


@contextmanager
def naming_what_is_scarce() -> Generator[None]:
    """Turn what the system says when this machine has too little of something into an outage of its own.

    Rooms whose own disk may be full, such as the vault, say so in their words before it comes to this.
    """
    try:
        yield
    except (OSError, MemoryError) as error:
        number = error.errno if isinstance(error, OSError) else errno.ENOMEM
        if number not in _SCARCE:
            raise
        raise MachineExhausted(
            f"this machine has run out of something: {os.strerror(number)}",
            detail="What was begun is undone, or goes on with the next try.",
            hint="Look at the disk of TMPDIR first; see docs/runbooks/machine-exhausted.md.",
        ) from error


__all__ = [
    "WORST_FIRST",
    "BrokenEvidence",
    "MachineExhausted",
    "ManyProblems",
    "Misconfigured",
    "Outage",
    "PgtendError",
    "Problem",
    "Refusal",
    "family_of",
    "naming_what_is_scarce",
    "together",
]
