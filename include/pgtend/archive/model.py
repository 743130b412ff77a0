"""Decides what is old, how fast it leaves, and when a month may go. Pure: no clock, no connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pgtend.fleet.model import TableArchive
from pgtend.kernel.digests import canonical_json, sha256_hex
from pgtend.kernel.sizes import Bytes

FEWEST_PAGES = 4
MOST_PAGES = 1024
FIRST_PAGES = 64
_AT_ONCE = 1 / 256
"""The share of the pages to go through that one batch takes at most."""


class State(StrEnum):
    """How far a month came. Kept as written."""

    DETACHING = "detaching"
    """Its partition is about to leave the live table, or just left it."""
    MOVING = "moving"
    """Rows come in."""
    SEALED = "sealed"
    """It has its key, is frozen, and holds exactly what the ledger says."""
    STORED = "stored"
    """It was written to the vault, and not yet read back."""
    PROVEN = "proven"
    """It was read back from the vault, loaded, and held exactly what the ledger says."""
    DROPPED = "dropped"
    """Only the vault has it."""
    DESTROYED = "destroyed"
    """Its time was over: nobody has it."""

    @property
    def is_in_database(self) -> bool:
        """Whether its rows lie in a partition of the archive."""
        return self in {State.MOVING, State.SEALED, State.STORED, State.PROVEN}


ALLOWED: Mapping[State, frozenset[State]] = {
    State.DETACHING: frozenset({State.MOVING}),
    State.MOVING: frozenset({State.SEALED}),
    State.SEALED: frozenset({State.MOVING, State.STORED, State.DESTROYED}),
    State.STORED: frozenset({State.MOVING, State.SEALED, State.PROVEN}),
    State.PROVEN: frozenset({State.MOVING, State.SEALED, State.DROPPED, State.DESTROYED}),
    State.DROPPED: frozenset({State.MOVING, State.DESTROYED}),
    State.DESTROYED: frozenset({State.MOVING}),
}
"""Where a month may go from where it is: back to `moving` when a late row comes, to `sealed` when rows were erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One month of one table, as the ledger in its database knows it."""

    source_id: int
    month: date
    gen: int
    state: str
    rows: int
    checksum: str
    columns: Sequence[str]
    partition: str
    came_from: str
    sealed_at: datetime | None
    proven_at: datetime | None
    dropped_at: datetime | None
    is_held: bool
    is_held_by_law: bool

    @property
    def stands(self) -> State:
        """How far it came."""
        return State(self.state)

    @property
    def is_uncounted(self) -> bool:
        """Whether it came as a whole partition and nobody counted it yet: the ledger says nothing of its rows."""
        return bool(self.came_from) and self.rows == 0 and self.stands is State.MOVING

    @property
    def label(self) -> str:
        """The month as people write it."""
        return f"{self.month:%Y-%m}"


def cutoff_month(now: datetime, rule: TableArchive) -> date:
    """Tell the first month of which something is too young to leave, by the calendar of the rule's zone."""
    local = now.astimezone(ZoneInfo(rule.zone)).replace(tzinfo=None)
    return (local - rule.keep).date().replace(day=1)


def forget_month(now: datetime, rule: TableArchive) -> date | None:
    """Tell the first month that is too young to be destroyed; none when nothing ever is."""
    if rule.forget_after is None:
        return None
    local = now.astimezone(ZoneInfo(rule.zone)).replace(tzinfo=None)
    return (local - rule.forget_after).date().replace(day=1)


def month_after(month: date) -> date:
    """Tell the next month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def rule_digest(name: str, rule: TableArchive) -> str:
    """Tell one rule from another: whoever approves, approves exactly this."""
    return sha256_hex(canonical_json({"table": name, **rule.model_dump(mode="json")}))[:16]


def in_order(rules: Mapping[str, TableArchive]) -> tuple[str, ...]:
    """Order tables so that each comes after those it waits for."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in rules[name].after:
            if other not in done:
                visit(other)
        done[name] = None

    for name in rules:
        if name not in done:
            visit(name)
    return tuple(done)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many pages the next batch takes, so that a batch takes as long as it should and nobody waits for it."""

    target: timedelta
    pages: int = FIRST_PAGES
    most: int = MOST_PAGES

    def over(self, pages: int) -> Pace:
        """Go through so many pages: who corrects an old row waits when it moves just then, so few may move at once."""
        most = min(max(round(pages * _AT_ONCE), FEWEST_PAGES), MOST_PAGES)
        return Pace(self.target, min(self.pages, most), most)

    def after(self, took: timedelta) -> Pace:
        """Grow or shrink by what the last batch took, at most to half or to double."""
        ratio = self.target / max(took, timedelta(milliseconds=1))
        return self._of(self.pages * min(max(ratio, 0.5), 2.0))

    def halved(self) -> Pace:
        """Take less: somebody waited, or we did."""
        return self._of(self.pages / 2)

    def smallest(self) -> Pace:
        """Take as little as possible: somebody holds a row, and nobody knows which."""
        return self._of(FEWEST_PAGES)

    def _of(self, pages: float) -> Pace:
        return Pace(self.target, min(max(round(pages), FEWEST_PAGES), self.most), self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMonth:
    """One month that is old enough, in one table that holds rows."""

    month: date
    rows: int
    first_block: int
    last_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What archiving a table is going to cost, as far as it can be known beforehand."""

    rows: int
    heap: Bytes
    indexes: Bytes

    @property
    def wal(self) -> Bytes:
        """Each page once as a whole, each row once more, and what frames them: measured at 220 to 245 bytes a row."""
        return Bytes(int(self.heap) * 2 + self.rows * 100)

    @property
    def disk(self) -> Bytes:
        """What the archive takes: the rows, and a primary key of about 22 bytes a row. The live table shrinks later."""
        return Bytes(int(self.heap) + self.rows * 22)

    @property
    def took(self) -> timedelta:
        """Measured at about 250,000 rows a second with a seal behind it."""
        return timedelta(seconds=self.rows / 250_000)


class Stay(StrEnum):
    """Why a month that is proven stays in the database all the same. Shown to people as written."""

    LAW = "a legal hold is on it"
    HELD = "a hold is on it"
    GRACE = "its grace is not over"
    NO_BACKUP = "no verified backup is younger than its seal"
    TABLE = "its rule keeps it in the database"
    UNPROVEN = "it was not read back from the vault yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Whether a month leaves the database, and why not."""

    unit: Unit
    stays: Stay | None

    @property
    def leaves(self) -> bool:
        """Whether it may be dropped."""
        return self.stays is None


def decide_departures(
    units: Iterable[Unit], rule: TableArchive, now: datetime, newest_backup: datetime | None
) -> tuple[Departure, ...]:
    """Judge the months that are in the database; the first rule that keeps one there wins."""
    return tuple(
        Departure(unit=unit, stays=_why_it_stays(unit, rule, now, newest_backup))
        for unit in units
        if unit.stands.is_in_database
    )


def _why_it_stays(unit: Unit, rule: TableArchive, now: datetime, newest_backup: datetime | None) -> Stay | None:
    if rule.tier.value != "cold":
        return Stay.TABLE
    if unit.stands is not State.PROVEN or unit.proven_at is None:
        return Stay.UNPROVEN
    return _why_it_may_not_go(unit, newest_backup) or (Stay.GRACE if now < unit.proven_at + rule.grace else None)


def _why_it_may_not_go(unit: Unit, newest_backup: datetime | None) -> Stay | None:
    if unit.is_held_by_law:
        return Stay.LAW
    if unit.is_held:
        return Stay.HELD
    if newest_backup is None or unit.sealed_at is None or newest_backup <= unit.sealed_at:
        return Stay.NO_BACKUP
    return None


def decide_destructions(
    units: Iterable[Unit], rule: TableArchive, now: datetime, newest_backup: datetime | None
) -> Iterator[Departure]:
    """Judge the months that are so old that nobody shall have them any more."""
    limit = forget_month(now, rule)
    for unit in units:
        if limit is None or unit.month >= limit or unit.stands in {State.DESTROYED, State.DETACHING}:
            continue
        if unit.stands is State.MOVING or (rule.tier.value == "cold" and unit.stands is State.SEALED):
            yield Departure(unit=unit, stays=Stay.UNPROVEN)
        elif unit.stands is State.DROPPED:
            law = Stay.LAW if unit.is_held_by_law else Stay.HELD if unit.is_held else None
            yield Departure(unit=unit, stays=law)
        else:
            yield Departure(unit=unit, stays=_why_it_may_not_go(unit, newest_backup))
