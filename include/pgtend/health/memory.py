"""What one look has to remember for the next: counters to compare with, and since when something has been going on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from pgtend.fleet.health import Watched
from pgtend.health.model import Finding, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What servers counted up to a moment, and the beginning of that count."""

    at: datetime
    epoch: str
    """Changes whenever counting begins anew: a reset, a restart, another server behind the name."""
    values: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the last look left for the next one."""

    counters: Counters | None = None
    """Of the quick questions, which are asked at every look."""
    details: Counters | None = None
    """Of the detailed ones, and when they were asked last."""
    detail_readings: tuple[Reading, ...] = ()
    """What the detailed questions gave, until they are asked again."""
    first_seen: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """Since when something has been going on that the server does not say itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How a database stood at the last look."""

    at: datetime
    findings: tuple[Finding, ...]
    memory: Memory

    @property
    def by_metric(self) -> Mapping[Watched, Finding]:
        """The findings by what they are about."""
        return {finding.watched: finding for finding in self.findings}


@dataclass(frozen=True, slots=True)
class Grown:
    """What was added to the counters since a look before, where the two can be compared."""

    before: Counters | None
    now: Counters

    @property
    def seconds(self) -> float | None:
        """The time in between; None when there is nothing to compare with."""
        if self.before is None or self.before.epoch != self.now.epoch:
            return None
        elapsed = (self.now.at - self.before.at).total_seconds()
        return elapsed if elapsed > 0 else None

    def by(self, name: str) -> int | None:
        """By how much one counter grew; a counter that shrank says nothing."""
        found = self._difference(name)
        return found if found is not None and found >= 0 else None

    def has_shrunk(self, name: str) -> bool:
        """Whether a sum became less although nothing was reset: what was counted in it is gone."""
        found = self._difference(name)
        return found is not None and found < 0

    def _difference(self, name: str) -> int | None:
        if self.before is None or self.seconds is None:
            return None
        old, new = self.before.values.get(name), self.now.values.get(name)
        return new - old if old is not None and new is not None else None


FINDINGS: Final = TypeAdapter(tuple[Finding, ...])
MEMORY: Final = TypeAdapter(Memory)
