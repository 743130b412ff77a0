"""Keeps one caller from taking the ledger away from all others: a bucket of questions for each login."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from pgtend_airflow.web.problems import TooFast
from pgtend_airflow.web.standing import StandingDep

# Opening a page asks about ten times; a person who clicks fast stays far below, a loop without a pause does not.
BURST: Final = 240
EACH_SECOND: Final = 20.0
_MOST_CALLERS: Final = 10_000


@dataclass(slots=True)
class Pace:
    """One bucket for each caller; it fills up steadily, and every question takes one out."""

    burst: float = BURST
    each_second: float = EACH_SECOND
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, caller: str, now: float) -> bool:
        """Take one out of the caller's bucket, and tell whether there was one."""
        with self._lock:
            left, since = self._buckets.pop(caller, (self.burst, now))
            left = min(self.burst, left + (now - since) * self.each_second)
            self._buckets[caller] = (max(left - 1, 0.0), now)
            # The oldest stand first: whoever has not asked for longest has a full bucket anyway.
            while len(self._buckets) > _MOST_CALLERS:
                del self._buckets[next(iter(self._buckets))]
            return left >= 1

    def forget(self) -> None:
        """Begin anew, with every bucket full."""
        with self._lock:
            self._buckets.clear()


PACE: Final = Pace()


def keep_pace(who: StandingDep) -> None:
    """Refuse a caller who asks faster than a person with many windows could."""
    if not PACE.take(who.user.get_id(), time.monotonic()):
        raise TooFast(
            f"more than {BURST} questions at once, or {EACH_SECOND:g} a second",
            hint="Wait ten seconds, and ask for larger pages instead of many.",
        )
