"""How long a recovery would take today, and when it will take too long: pure arithmetic over what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pgtend.drill.model import Target
from pgtend.drill.stages import StageTime

_ENOUGH = timedelta(days=2)


def measured(stages: Sequence[StageTime]) -> timedelta:
    """Add up what a real recovery would need too."""
    return sum((stage.took for stage in stages if stage.stage.is_recovery), timedelta())


def predicted(stages: Sequence[StageTime], size_then: int, size_now: int) -> timedelta:
    """Scale the stages that grow with the database to another size."""
    growth = size_now / size_then if size_then else 1.0
    spans = (stage.took * (growth if stage.stage.grows else 1.0) for stage in stages if stage.stage.is_recovery)
    return sum(spans, timedelta())


def recovery(
    stages: Sequence[StageTime], target: timedelta, size_then: int, sizes: Sequence[tuple[datetime, int]]
) -> Target:
    """Say how long it took, how long it would take today, and when it will take longer than it may.

    `sizes` are those of the database at the moments of its backups, in any order.
    """
    history = sorted(sizes)
    now_size = history[-1][1] if history else size_then
    today = predicted(stages, size_then, now_size)
    return Target(
        target=target,
        measured=measured(stages),
        predicted=today,
        crosses_at=_crossing(stages, target, size_then, history) if today <= target else None,
    )


def _crossing(
    stages: Sequence[StageTime], target: timedelta, size_then: int, history: Sequence[tuple[datetime, int]]
) -> datetime | None:
    """Follow the straight line through the sizes to where the target is; nothing when it does not get there."""
    if len(history) < 2 or history[-1][0] - history[0][0] < _ENOUGH:  # noqa: PLR2004 - a line needs two points
        return None
    per_second = _slope(history)
    growing = sum((stage.took for stage in stages if stage.stage.is_recovery and stage.stage.grows), timedelta())
    if per_second <= 0 or not growing or not size_then:
        return None
    room = target - predicted(stages, size_then, history[-1][1])
    seconds = room / (growing / size_then) / per_second
    left = datetime.max.replace(tzinfo=history[-1][0].tzinfo) - history[-1][0]
    return history[-1][0] + timedelta(seconds=seconds) if seconds < left.total_seconds() else None


def _slope(history: Sequence[tuple[datetime, int]]) -> float:
    """Give the growth in bytes per second by least squares, so that one odd backup does not decide."""
    first = history[0][0]
    points = [((moment - first).total_seconds(), float(size)) for moment, size in history]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
