"""What came out of one look: findings, what changed, and the worst of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pgtend.health.look import Look
from pgtend.health.model import Change, Finding, Level, verdict, worst_first
from pgtend.kernel.errors import PgtendError


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One look at one database, judged."""

    database: str
    look: Look
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    took: timedelta
    is_first_of_day: bool = False
    was_in_doubt: bool = False
    """Whether anything was bad or unknown at the look before."""
    failure: PgtendError | None = None
    """Why the database did not answer, when it did not."""

    @property
    def level(self) -> Level:
        """The worst level of all."""
        return verdict(self.findings)

    @property
    def bad(self) -> tuple[Finding, ...]:
        """What somebody has to look at, worst first."""
        return tuple(finding for finding in worst_first(self.findings) if finding.level.is_bad)

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """What nobody could tell."""
        return tuple(finding for finding in self.findings if finding.level is Level.UNKNOWN)

    @property
    def is_in_doubt(self) -> bool:
        """Whether anything is bad or unknown, now or at the look before."""
        return self.was_in_doubt or self.level.rank > Level.OK.rank

    def __str__(self) -> str:
        amounts = [(sum(found.level is level for found in self.findings), level) for level in reversed(Level)]
        said = ", ".join(f"{amount} {level}" for amount, level in amounts if amount)
        return f"{self.database}: {self.level} ({said})"
