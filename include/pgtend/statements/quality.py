"""How good a night is, in one line that stands beside every figure made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pgtend.kernel.times import say_span

_NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night of one target: what it cost in all, and what may be missing in it."""

    day: date
    since: datetime | None
    taken_at: datetime
    baseline_reason: str
    readings: int
    missed_nights: int
    resets: int
    deallocated: int | None
    capacity: int
    entries_on_server: int
    entries: int
    entries_new: int
    entries_reset: int
    entries_gone: int
    entries_counted: int
    texts_missing: int
    calls: int
    exec_ms: float
    bytes_copied: int
    is_exact: bool

    @property
    def is_baseline(self) -> bool:
        """Whether nothing could be counted because there was nothing to compare with."""
        return self.since is None

    def quality(self) -> str:
        """Say in one line how far the figures of this night can be trusted."""
        return "; ".join(self._remarks())

    def _remarks(self) -> Iterator[str]:
        yield f"{say_span(self.taken_at - self.since)} counted" if self.since else "a baseline: nothing counted yet"
        if self.baseline_reason:
            yield self.baseline_reason
        if self.missed_nights:
            yield f"{_some(self.missed_nights, 'missed night')} in it"
        if self.resets:
            yield f"{_some(self.resets, 'reset')} of all counters"
        if self.entries_reset and not self.resets:
            yield f"{_some(self.entries_reset, 'statement')} reset"
        if self.deallocated:
            yield f"{_some(self.deallocated, 'eviction')}, whose counts are lost"
        full = f"{self.entries_on_server:,} of {self.capacity:,} entries"
        yield f"{full}, nearly full" if self.entries_on_server > _NEARLY_FULL * self.capacity else full
        if self.texts_missing:
            yield f"{_some(self.texts_missing, 'text')} unknown"
        yield "exact" if self.is_exact else "at least, as this server does not say since when an entry counts"


def _some(amount: int, what: str) -> str:
    return f"{amount:,} {what}" + ("" if amount == 1 else "s")
