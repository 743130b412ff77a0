"""When something that people were told of is over, and how it ended: pure.

A slowness that lasts becomes the usual time of its statement after some weeks, and no night is worse than usual any
more. Whoever hears that it is over must not take that for a repair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from pgtend.statements.model import Judgement, Key, Kind

SLOWER: Final = "statements.slower"
ALL_SLOWER: Final = "statements.all_slower"
MANY_SLOWER: Final = "statements.many_slower"
CONDITIONS: Final = frozenset({SLOWER, ALL_SLOWER, MANY_SLOWER})
"""The codes under which people are told of it: no run failed."""
_GONE_AFTER: Final = timedelta(days=7)


class Ending(StrEnum):
    """How a slowness ended. Shown to people as written."""

    QUICK = "It is about as quick as it was before."
    USUAL = "It is as slow as it was, but after so many nights that is its usual time: it was not repaired."
    GONE = "It has not run for a week."
    CALM = "The server as a whole is as quick as usual again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """A slowness that people were told of: the statement, and what a call took before it began."""

    fingerprint: str
    role: str
    usual_ms: float

    @property
    def key(self) -> Key:
        """The statement it is about."""
        return self.fingerprint, self.role


def ending_of(key: Key, judged: Judgement, before: Slowness | None, ratio_limit: float) -> Ending | None:
    """Tell how the slowness of a statement ended; None while it lasts, and while nobody can tell."""
    if judged.remark or any(found.key == key for found in judged.of(Kind.REGRESSION)):
        return None
    if key in judged.means:
        is_quick = before is None or judged.means[key] <= ratio_limit * before.usual_ms
        return Ending.QUICK if is_quick else Ending.USUAL
    ran = judged.last_ran.get(key)
    return Ending.GONE if ran is None or judged.day - ran >= _GONE_AFTER else None


def ending_of_all(judged: Judgement) -> Ending | None:
    """Tell whether a night in which everything was slow was the last one."""
    return None if judged.remark or judged.of(Kind.WHOLE_SERVER) else Ending.CALM
