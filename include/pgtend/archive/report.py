"""What a run of the archive did, in numbers and in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from pgtend.archive.plan import ArchivePlan
from pgtend.kernel.names import counted
from pgtend.kernel.times import say_span


@dataclass(slots=True, kw_only=True)
class ArchiveReport:
    """What a run did."""

    plan: ArchivePlan
    run_id: str
    rows: int = 0
    converted: int = 0
    detached: int = 0
    sealed: int = 0
    packed: int = 0
    proven: int = 0
    dropped: int = 0
    destroyed: int = 0
    took: timedelta = timedelta()
    longest_wait: timedelta = timedelta()
    waiting: list[str] = field(default_factory=list[str])
    taken: dict[str, int] = field(default_factory=dict[str, int])
    doubled: list[str] = field(default_factory=list[str])
    is_finished: bool = True

    def __str__(self) -> str:
        steps = (
            (self.converted, "table", "partitioned"),
            (self.detached, "month", "detached"),
            (self.sealed, "month", "sealed"),
            (self.packed, "month", "packed"),
            (self.proven, "month", "proven in the vault"),
            (self.dropped, "month", "gone from the database"),
            (self.destroyed, "month", "destroyed"),
        )
        said = "".join(f", {counted(amount, thing)} {what}" for amount, thing, what in steps if amount)
        left = "" if self.is_finished else "; not finished, the next run goes on"
        waits = f"; waiting for approval: {', '.join(self.waiting)}" if self.waiting else ""
        return f"{counted(self.rows, 'row')} moved{said} in {say_span(self.took)}{left}{waits}"
