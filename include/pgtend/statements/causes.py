"""Why a statement got slower, concluded from what a call did before and does now: pure, the surest cause first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import median

from pgtend.statements.model import Key

_MUCH = 2.0
_PART = 0.3
_SHIFTED = 0.5
_WORTH_TELLING = 1.2


class Cause(StrEnum):
    """The most likely cause. Kept and shown as written."""

    ANOTHER_PLAN = "another plan: it reads many more blocks for the same rows"
    MORE_TO_READ = "it reads many more blocks for the same rows: a missing index, a bloated or a much larger table"
    MORE_ROWS = "it returns or changes many more rows per call"
    SPILLS = "it spills to temporary files: work_mem has become too small for it"
    FROM_DISK = "the same blocks come from disk instead of the cache"
    WHOLE_PAGES = "it writes many more whole pages to the WAL: checkpoints come more often"
    GENERIC_PLANS = "generic plans took the place of plans of its own"
    COMPILING = "it spends its time compiling (JIT)"
    NO_WORKERS = "parallel workers it planned for could not start"
    WAITING = "the same work takes longer: locks, processor or a busy machine"
    FASTER = "it does the same work in less time"
    LESS_TO_READ = "it reads far fewer blocks for the same rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Everything one statement of one role did in one night."""

    fingerprint: str
    role: str
    day: date
    calls: int
    exec_ms: float
    rows: int
    plans: int
    plan_ms: float
    hit: int
    read: int
    temp: int
    wal_fpi: int
    read_ms: float
    jit_ms: float
    to_launch: int
    launched: int
    generic: int

    @property
    def key(self) -> Key:
        """Its identity."""
        return self.fingerprint, self.role

    def per_call(self) -> Mapping[str, float]:
        """Write it as what one call did."""
        blocks = self.hit + self.read
        return {
            "mean_ms": self.exec_ms / self.calls,
            "blocks_per_call": blocks / self.calls,
            "rows_per_call": self.rows / self.calls,
            "read_per_call": self.read / self.calls,
            "read_ms_per_call": self.read_ms / self.calls,
            "temp_blocks_per_call": self.temp / self.calls,
            "wal_fpi_per_call": self.wal_fpi / self.calls,
            "jit_ms_per_call": self.jit_ms / self.calls,
            "plan_ms_per_plan": self.plan_ms / self.plans if self.plans else 0.0,
            "generic_share": self.generic / self.calls,
            "workers_missing": (self.to_launch - self.launched) / self.calls,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cause, and the figures it was concluded from: each with its usual value."""

    cause: Cause
    evidence: Mapping[str, Mapping[str, float]]


def explain(tonight: Detail, past: Sequence[Detail], *, has_new_plan: bool = False) -> Explanation:
    """Conclude from one night and the nights before why the time of a call changed."""
    now = tonight.per_call()
    nights = [night.per_call() for night in past]
    usual = {name: median(night[name] for night in nights) if nights else 0.0 for name in now}
    comparison = Comparison(now, usual, has_new_plan=has_new_plan)
    return Explanation(comparison.cause(), comparison.evidence())


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a call does now beside what it usually did."""

    now: Mapping[str, float]
    usual: Mapping[str, float]
    has_new_plan: bool

    def cause(self) -> Cause:
        """Choose the first cause that fits; what reads more blocks is no matter of waiting."""
        if self.now["mean_ms"] < self.usual["mean_ms"]:
            return Cause.LESS_TO_READ if self.ratio("blocks_per_call") < 1 / _MUCH else Cause.FASTER
        return next(self._causes())

    def evidence(self) -> Mapping[str, Mapping[str, float]]:
        """List what changed by a fifth or more, and in any case the figures that tell most."""
        always = ("mean_ms", "blocks_per_call", "rows_per_call")
        told = [name for name in self.now if name in always or self._is_worth_telling(name)]
        return {name: {"usual": round(self.usual[name], 4), "now": round(self.now[name], 4)} for name in told}

    def ratio(self, name: str) -> float:
        """Tell how many times as much it is as usual; of nothing, anything is very much."""
        if self.usual[name] > 0:
            return self.now[name] / self.usual[name]
        return float("inf") if self.now[name] > 0 else 1.0

    def _causes(self) -> Iterator[Cause]:
        slower = self.now["mean_ms"] - self.usual["mean_ms"]
        blocks, rows = self.ratio("blocks_per_call"), self.ratio("rows_per_call")
        if blocks > _MUCH and rows > blocks / _MUCH:
            yield Cause.MORE_ROWS
        if blocks > _MUCH:
            yield Cause.ANOTHER_PLAN if self.has_new_plan else Cause.MORE_TO_READ
        if rows > _MUCH:
            yield Cause.MORE_ROWS
        if self.ratio("temp_blocks_per_call") > _MUCH and self.now["temp_blocks_per_call"] >= 1:
            yield Cause.SPILLS
        if self._comes_from_disk(slower):
            yield Cause.FROM_DISK
        if self.ratio("wal_fpi_per_call") > _MUCH and self.now["wal_fpi_per_call"] >= _PART:
            yield Cause.WHOLE_PAGES
        if self.now["generic_share"] - self.usual["generic_share"] > _SHIFTED:
            yield Cause.GENERIC_PLANS
        if self.now["jit_ms_per_call"] - self.usual["jit_ms_per_call"] > _PART * slower:
            yield Cause.COMPILING
        if self.now["workers_missing"] - self.usual["workers_missing"] > _SHIFTED:
            yield Cause.NO_WORKERS
        yield Cause.ANOTHER_PLAN if self.has_new_plan and blocks > _WORTH_TELLING else Cause.WAITING

    def _comes_from_disk(self, slower: float) -> bool:
        """Where the server times its reads, they say it; elsewhere the blocks that were not in the cache do."""
        if self.now["read_ms_per_call"] > 0:
            return self.now["read_ms_per_call"] - self.usual["read_ms_per_call"] > _PART * slower
        more = self.now["read_per_call"] - self.usual["read_per_call"]
        return self.ratio("read_per_call") > _MUCH and more > _PART * self.now["blocks_per_call"]

    def _is_worth_telling(self, name: str) -> bool:
        low, high = sorted((self.usual[name], self.now[name]))
        return high > low * _WORTH_TELLING
