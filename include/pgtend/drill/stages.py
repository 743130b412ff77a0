"""The steps of a drill, and how long each took. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Stage(StrEnum):
    """The steps of a drill, in their order. Kept and shown as written."""

    SELECT = "select"
    PROVISION = "provision"
    ISOLATE = "isolate"
    FETCH = "fetch"
    GLOBALS = "globals"
    PRE_DATA = "pre-data"
    DATA = "data"
    POST_DATA = "post-data"
    ANALYZE = "analyze"
    VERIFY_DATA = "verify data"
    VERIFY_PAGES = "verify pages"
    OWNERS = "owners and rights"
    VERIFY_STRUCTURE = "verify structure"
    SMOKE = "smoke"
    BY_PRODUCTS = "by-products"
    SECOND_GENERATION = "second generation"
    NEGATIVE_CONTROL = "negative control"
    WIPE = "wipe"

    @property
    def is_recovery(self) -> bool:
        """Whether a real recovery would take this time too: from the server to the last answer of the application."""
        return Stage.PROVISION.rank <= self.rank <= Stage.SMOKE.rank

    @property
    def grows(self) -> bool:
        """Whether it takes longer when the database is larger."""
        return self in {Stage.DATA, Stage.POST_DATA, Stage.ANALYZE, Stage.VERIFY_DATA, Stage.VERIFY_PAGES}

    @property
    def rank(self) -> int:
        """Where it stands in the order."""
        return list(Stage).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """When a step ran, and how much went through it."""

    stage: Stage
    started_at: datetime
    took: timedelta
    """By a clock that nobody sets."""
    size: int | None = None
    """Bytes that went through, unpacked, where that means something."""
    rows: int | None = None

    @property
    def ended_at(self) -> datetime:
        """When it ended."""
        return self.started_at + self.took

    @property
    def rate(self) -> float | None:
        """Bytes per second, where bytes were counted."""
        return self.size / self.took.total_seconds() if self.size and self.took else None
