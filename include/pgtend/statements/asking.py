"""Answers what people ask of the nights: the dearest statements, and what changed between two spans of nights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from pgtend.kernel.errors import Refusal
from pgtend.kernel.names import counted, suggestion
from pgtend.ledger.model import Ledger
from pgtend.postgres.identifiers import column
from pgtend.sqlfiles import query
from pgtend.statements.judging import READ_NIGHTS
from pgtend.statements.quality import Night
from pgtend.statements.snapshot import Target, require_database

Row = TypeVar("Row")
RANKED_BY: Mapping[str, str] = {
    "time": "exec_ms",
    "calls": "calls",
    "mean": "mean_ms",
    "blocks": "shared_blks_read",
    "io": "read_ms",
    "wal": "wal_bytes",
    "temp": "temp_blks",
    "jit": "jit_ms",
    "planning": "plan_ms",
}


class NothingRead(Refusal):
    """No night of this database was read yet, so there is nothing to show."""

    code = "statements.nothing_read"


class UnknownRanking(Refusal):
    """Statements cannot be ranked by this word."""

    code = "statements.unknown_ranking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one statement of one role cost in a span of nights."""

    fingerprint: str
    role: str
    query: str
    calls: int
    exec_ms: float
    mean_ms: float
    deviation_ms: float
    share: float
    rows: int
    plan_ms: float
    shared_blks_hit: int
    shared_blks_read: int
    read_ms: float
    temp_blks: int
    wal_bytes: int
    jit_ms: float
    nights_seen: int

    @property
    def hit_share(self) -> float:
        """How much of what it touched was in the server's cache."""
        touched = self.shared_blks_hit + self.shared_blks_read
        return self.shared_blks_hit / touched if touched else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What one statement of one role cost in a span of nights, beside an earlier one."""

    fingerprint: str
    role: str
    query: str
    calls: int
    earlier_calls: int
    mean_ms: float
    earlier_mean_ms: float
    change_ms: float
    by_calls_ms: float
    by_mean_ms: float
    blocks_per_call: float
    earlier_blocks_per_call: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Generic[Row]):
    """An answer, the nights it was made of, and how good they are."""

    rows: Sequence[Row]
    last: date
    nights: int
    quality: str


READ_TOP = query(__package__ or "", "read_top", Spent)
READ_COMPARISON = query(__package__ or "", "read_comparison", Compared)


def read_top(ledger: Ledger, target: Target, *, days: int, by: str, rows: int) -> Ranking[Spent]:
    """Rank the statements of the last nights."""
    nights = _nights(ledger, target, days)
    last = nights[0].day
    ranking = _ranking(by)
    span = {"first_day": last - timedelta(days=days - 1), "day": last}
    asked = {**_named(target), **span, "ranked_by": ranking, "rows": rows}
    found = require_database(ledger).reach(lambda session: session.rows(READ_TOP, asked, ranking=column(ranking)))
    counted = [night for night in nights if not night.is_baseline]
    return Ranking(rows=found, last=last, nights=len(counted), quality=summed_quality(nights))


def read_comparison(ledger: Ledger, target: Target, *, days: int, rows: int) -> Ranking[Compared]:
    """Set the last nights beside as many before them, the largest change first."""
    nights = _nights(ledger, target, 2 * days)
    last = nights[0].day
    first = last - timedelta(days=days - 1)
    spans = {
        "first_day": first,
        "day": last,
        "earlier_first": first - timedelta(days=days),
        "earlier_last": first - timedelta(days=1),
    }
    asked = {**_named(target), **spans, "rows": rows}
    found = require_database(ledger).reach(lambda session: session.rows(READ_COMPARISON, asked))
    return Ranking(rows=found, last=last, nights=len(nights), quality=summed_quality(nights))


def summed_quality(nights: Sequence[Night]) -> str:
    """Say in one line how far figures of several nights can be trusted."""
    amounts = {
        "baselines": sum(night.is_baseline for night in nights),
        "missed": sum(night.missed_nights for night in nights),
        "resets of all counters": sum(night.resets for night in nights),
        "statements reset": sum(night.entries_reset for night in nights if not night.resets),
        "evictions, whose counts are lost": sum(night.deallocated or 0 for night in nights),
    }
    said = [f"{amount:,} {what}" for what, amount in amounts.items() if amount]
    newest = nights[0]
    exact = "exact" if all(night.is_exact for night in nights) else "at least: the server does not tell every reset"
    full = f"{newest.entries_on_server:,} of {newest.capacity:,} entries used"
    return "; ".join([f"{counted(len(nights), 'night')}", *said, full, exact])


def _nights(ledger: Ledger, target: Target, days: int) -> Sequence[Night]:
    asked = {**_named(target), "day": date.max, "nights": days}
    found = require_database(ledger).reach(lambda session: session.rows(READ_NIGHTS, asked))
    if not found:
        raise NothingRead(
            f"no night of {target} was read yet",
            detail="The first reading is only a baseline; from the second one on there are figures.",
            hint=f"Run `pgtend statements {target.database}`, or wait for the night.",
        )
    return [night for night in found if night.day > found[0].day - timedelta(days=days)]


def _named(target: Target) -> Mapping[str, object]:
    return {"database": target.database, "replica": target.replica}


def _ranking(by: str) -> str:
    if by not in RANKED_BY:
        raise UnknownRanking(
            f"statements cannot be ranked by '{by}'",
            detail=f"There are {', '.join(RANKED_BY)}.",
            hint=suggestion(by, RANKED_BY),
        )
    return RANKED_BY[by]
