"""Decides which indexes are worth rebuilding, why, and in which order. Pure: no clock, no connection."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.facts import IndexFacts
from pgtend.kernel.sizes import Bytes

# A B-tree whose keys arrive in no order settles at 70 % full pages, and a new one has 90 %.
SCATTERED_GROWTH = 90 / 70
# The method of an index that keeps a list of rows for each entry, packed by their distance.
INVERTED = "gin"
# What bloats again within two runs is not cured by a third one.
REST = timedelta(days=14)
_WEAK_LIMIT = Bytes.parse("1 GB")


class Method(StrEnum):
    """How the size an index would have if new was found, best first. Kept and shown as written."""

    DRILL = "restored copy"
    SAMPLE = "sample build"
    DENSITY = "density of its pages"
    RATIO = "bytes a row after its last rebuild"
    NONE = "not estimated"


class Reason(StrEnum):
    """Why an index is rebuilt or left alone. Shown to people as written."""

    ASKED = "asked for"
    SWOLLEN = "many times larger than it would be if new"
    BLOATED = "larger than it would be if new, by more than the limits"
    LEAN = "close enough to the size it would have if new"
    REGROWS = "rebuilt lately and as large as before: look at fillfactor, autovacuum and old transactions"
    UNSURE = "the estimate is too weak for an index of this size"
    UNKNOWN = "nobody can tell how large it would be if new"
    AWAITS_DRILL = "only a drill can tell how large it would be if new, and none has built it yet on pages as full"
    SMALL = "too small to matter"
    INVALID = "invalid: an earlier build was not finished"
    PARTITIONED = "its partitions have indexes of their own, which are judged one by one"
    BRIN = "a BRIN index does not bloat"
    EXCLUSION = "it belongs to an exclusion constraint, which only a blocking REINDEX by hand can renew"
    TOAST = "of a TOAST table, which the role cannot name before GRANT USAGE ON SCHEMA pg_toast"
    TEMPORARY = "a temporary index of somebody's session"
    EXCLUDED = "left alone by the fleet file"
    NOT_ASKED = "not asked for"
    NO_RIGHT = "the role lacks a right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How large an index would be if new, how that was found, and how wrong it may be."""

    size: int
    method: Method
    error: float

    @property
    def is_weak(self) -> bool:
        """Whether this method alone may not move a large index."""
        return self.method in {Method.DENSITY, Method.RATIO}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMemory:
    """What the ledger remembers of an index under its name and definition."""

    rebuilt_at: datetime | None = None
    rebuilt_size: int | None = None
    rebuilt_rows: int | None = None
    settled_growth: float | None = None
    """How many times larger than new it stays by nature, as seen since its last rebuild."""
    scans_a_day: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast rebuilds go on this database, as times the usual."""

    factor: float = 1.0


USUAL = Speed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a rebuild will cost."""

    took: timedelta
    wal: int
    space: int
    """Room needed while both indexes exist, the WAL and what is sorted on disk included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReading:
    """Everything known about one index at the moment of the decision."""

    facts: IndexFacts
    estimate: Estimate | None = None
    memory: IndexMemory = IndexMemory()

    @property
    def settled(self) -> float:
        """How many times larger than new the index stays by nature."""
        if self.memory.settled_growth is not None:
            return self.memory.settled_growth
        return SCATTERED_GROWTH if self.facts.is_scattered and self.facts.kind == "btree" else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done about an index, and why."""

    index: IndexReading
    rebuild: bool
    reason: Reason
    explanation: str = ""
    gain: int = 0
    price: Price | None = None

    @property
    def name(self) -> str:
        """The index's name with its schema."""
        return self.index.facts.full_name

    @property
    def worth(self) -> float:
        """Bytes won for each second of work, more for an index that is used much."""
        seconds = self.price.took.total_seconds() if self.price else 1.0
        return self.gain * math.log2(2 + self.index.memory.scans_a_day) / max(seconds, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildPolicy:
    """When a rebuild is worth its price."""

    rules: IndexRules
    only: tuple[str, ...] = ()
    now: datetime
    insists: bool = False
    """Whether a person named the indexes and wants them rebuilt whatever their size."""

    def screen(self, facts: IndexFacts) -> Reason | None:
        """Tell why an index needs no estimate, or None when it is a candidate. Cheap: every index passes here."""
        ruled_out = self._not_ours(facts)
        if ruled_out is not None:
            return ruled_out
        if not facts.is_valid:
            return Reason.INVALID
        if facts.size < self.rules.smallest and not self.insists:
            return Reason.SMALL
        if facts.may_rebuild:
            return None
        return Reason.TOAST if facts.is_toast else Reason.NO_RIGHT

    def decide(self, index: IndexReading, speed: Speed = USUAL) -> Decision:
        """Judge one index. The first rule that applies wins."""
        ruled_out = self.screen(index.facts)
        if ruled_out is not None:
            return Decision(index=index, rebuild=False, reason=ruled_out)
        estimate = index.estimate
        if self.insists:
            best = estimate or Estimate(size=index.facts.size, method=Method.NONE, error=1.0)
            return self._rebuild(index, Reason.ASKED, best, speed)
        if estimate is None:
            return Decision(index=index, rebuild=False, reason=self._unknown(index.facts))
        return self._weigh(index, estimate, speed)

    def _weigh(self, index: IndexReading, estimate: Estimate, speed: Speed) -> Decision:
        size, said = index.facts.size, say_estimate(index.facts.size, estimate)
        # An estimate may be wrong: only what exceeds the limits at its worst is believed.
        worst = max(estimate.size * (1 + estimate.error), 1)
        is_bloated = size / worst >= self.rules.bloat_limit and self._gain(index, worst) >= self.rules.least_gain
        is_swollen = size / worst >= self.rules.always_from
        if not (is_bloated or is_swollen):
            return Decision(index=index, rebuild=False, reason=Reason.LEAN, explanation=said)
        if index.memory.rebuilt_at is not None and self.now - index.memory.rebuilt_at < REST:
            when = f"{said}; rebuilt {index.memory.rebuilt_at:%Y-%m-%d}"
            return Decision(index=index, rebuild=False, reason=Reason.REGROWS, explanation=when)
        if estimate.is_weak and size > _WEAK_LIMIT:
            return Decision(index=index, rebuild=False, reason=Reason.UNSURE, explanation=said)
        return self._rebuild(index, Reason.SWOLLEN if is_swollen else Reason.BLOATED, estimate, speed)

    def _rebuild(self, index: IndexReading, reason: Reason, estimate: Estimate, speed: Speed) -> Decision:
        return Decision(
            index=index,
            rebuild=True,
            reason=reason,
            explanation=say_estimate(index.facts.size, estimate),
            gain=max(index.facts.size - estimate.size, 0),
            price=price_of(index.facts, estimate.size, speed, memory=self.rules.memory),
        )

    def _unknown(self, facts: IndexFacts) -> Reason:
        may_be_known = facts.kind == INVERTED and facts.may_read and facts.table_size > 0
        return Reason.AWAITS_DRILL if may_be_known else Reason.UNKNOWN

    def _gain(self, index: IndexReading, size: float) -> float:
        """Count what stays won: an index with scattered keys grows back to its natural size at once."""
        return index.facts.size - size * index.settled

    def _not_ours(self, facts: IndexFacts) -> Reason | None:
        if facts.is_temporary:
            return Reason.TEMPORARY
        if self.rules.skips(facts.schema, facts.table_name):
            return Reason.EXCLUDED
        if self.only and not matches(facts, self.only):
            return Reason.NOT_ASKED
        if facts.is_partitioned:
            return Reason.PARTITIONED
        if facts.is_exclusion:
            return Reason.EXCLUSION
        return Reason.BRIN if facts.kind == "brin" else None


def price_of(facts: IndexFacts, size: int, speed: Speed, *, memory: int) -> Price:
    """Predict what a rebuild costs: two scans of the table and one build, and what is written meanwhile."""
    megabyte = 1024 * 1024
    seconds = 0.5 + 0.005 * facts.table_size / megabyte + 0.1 * size / megabyte
    sorted_on_disk = 0.9 * size if size > memory / 2 else 0
    wal = 0.95 * size
    return Price(took=timedelta(seconds=seconds * speed.factor), wal=int(wal), space=int(size + wal + sorted_on_disk))


def matches(facts: IndexFacts, patterns: Sequence[str]) -> bool:
    """Tell whether an index was asked for, by its own name or its table's, with * for any text."""
    names = (facts.full_name, facts.full_table)
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def worst_first(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Order decisions: what is rebuilt first by its worth, then what is left alone by its size."""
    return tuple(sorted(decisions, key=lambda d: (not d.rebuild, -d.worth, -d.index.facts.size, d.name)))


def fitting(decisions: Sequence[Decision], room: timedelta) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """Split rebuilds into those that end in time, with half as much again in reserve, and those that need longer."""
    fits: list[Decision] = []
    late: list[Decision] = []
    left = room
    for decision in decisions:
        needed = decision.price.took * 1.5 if decision.price else timedelta()
        if needed <= left:
            fits.append(decision)
            left -= needed
        else:
            late.append(decision)
    return tuple(fits), tuple(late)


def say_estimate(size: int, estimate: Estimate) -> str:
    """Say how an index compares with a new one."""
    times = size / max(estimate.size, 1)
    return f"{Bytes(size)}, {Bytes(estimate.size)} if new ({estimate.method}), {times:.1f} times"
