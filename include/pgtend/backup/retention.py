"""Which backups stay and which may go, and why: decided from what is known alone, without a clock or a vault.

Days, weeks, months and years are counted only where there is a backup, never from today. So when backups stop coming,
nothing is removed, however long it lasts; and a clock that jumped ahead makes nothing old. Every rule is there to keep;
what no rule keeps may go, and only when there is no doubt at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TypeAlias

from pgtend.backup.states import BackupState
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import CLOCKS_DIFFER, say_span

_COMPARED = 7
_ENOUGH_TO_COMPARE = 3
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBackup:
    """What retention has to know about one backup."""

    backup_id: str
    taken_at: datetime
    size: Bytes
    rows: int
    state: BackupState
    locked_until: datetime | None = None
    in_use: str = ""
    """Who is at it at the moment, in words; empty when nobody is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """All backups of one database in one vault, and what makes the list doubtful."""

    database: str
    place: str
    backups: tuple[KnownBackup, ...]
    doubts: tuple[str, ...] = ()
    """Why the list may be incomplete or the last attempt failed, as full sentences; empty when neither is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether one backup stays, and why. Shown to people as written."""

    backup: KnownBackup
    keep: bool
    reasons: tuple[str, ...]
    until: date | None
    """The day on which the last rule lets go of it if a backup is taken every day; None when no rule sets a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """What stays, what may go, and what made us doubt, newest backup first."""

    holdings: Holdings
    rules: RetentionRules
    verdicts: tuple[Verdict, ...]
    doubts: tuple[str, ...]

    @property
    def kept(self) -> tuple[Verdict, ...]:
        """What stays."""
        return tuple(verdict for verdict in self.verdicts if verdict.keep)

    @property
    def removable(self) -> tuple[Verdict, ...]:
        """What may go."""
        return tuple(verdict for verdict in self.verdicts if not verdict.keep)

    def __str__(self) -> str:
        """Say it in English sentences."""
        sentences = (_counted(self), _freed(self), _trust(self.holdings.backups, self.rules), *self.doubts)
        return " ".join(filter(None, sentences))


@dataclass(frozen=True, slots=True)
class _Hold:
    """One rule that keeps one backup."""

    backup_id: str
    reason: str
    until: date | None = None


_Order: TypeAlias = "tuple[datetime, str]"
_Keeper: TypeAlias = "Callable[[Sequence[KnownBackup], RetentionRules, datetime], Iterable[_Hold]]"


def plan_retention(holdings: Holdings, rules: RetentionRules, now: datetime) -> RetentionPlan:
    """Judge every backup. One rule that keeps is enough; one doubt keeps everything."""
    newest_first = sorted(holdings.backups, key=_order, reverse=True)
    doubts = (*holdings.doubts, *_doubts(newest_first, rules, now))
    holds = _holds(newest_first, rules, now)
    verdicts = tuple(_verdict(backup, holds.get(backup.backup_id, []), doubts) for backup in newest_first)
    return RetentionPlan(holdings=holdings, rules=rules, verdicts=verdicts, doubts=doubts)


def kept_by_rules(backups: Iterable[KnownBackup], rules: RetentionRules, now: datetime) -> frozenset[str]:
    """Name those that some rule keeps. Taking the others away changes nothing about these."""
    return frozenset(_holds(sorted(backups, key=_order, reverse=True), rules, now))


def _holds(newest_first: Sequence[KnownBackup], rules: RetentionRules, now: datetime) -> Mapping[str, list[_Hold]]:
    holds: dict[str, list[_Hold]] = {}
    for keeper in _KEEPERS:
        for hold in keeper(newest_first, rules, now):
            holds.setdefault(hold.backup_id, []).append(hold)
    return holds


def _verdict(backup: KnownBackup, holds: Sequence[_Hold], doubts: Sequence[str]) -> Verdict:
    days = [hold.until for hold in holds if hold.until is not None]
    until = max(days) if days else None
    if holds:
        return Verdict(backup=backup, keep=True, reasons=tuple(hold.reason for hold in holds), until=until)
    if doubts:
        return Verdict(backup=backup, keep=True, reasons=("no rule keeps it, but there is doubt",), until=None)
    return Verdict(backup=backup, keep=False, reasons=("no rule keeps it",), until=None)


def _doubts(newest_first: Sequence[KnownBackup], rules: RetentionRules, now: datetime) -> Iterable[str]:
    """Find what makes it unsafe to remove anything."""
    if not newest_first:
        return
    newest, before = newest_first[0], newest_first[1 : 1 + _COMPARED]
    if newest.taken_at > now + CLOCKS_DIFFER:
        yield (
            f"Nothing is removed: backup {newest.backup_id} is {say_span(newest.taken_at - now)} in the future, so one "
            "clock is wrong."
        )
    if not any(backup.state.includes(BackupState.VERIFIED) for backup in newest_first):
        yield "Nothing is removed: not one backup was ever read back whole. Run `pgtend verify`."
    if len(before) >= _ENOUGH_TO_COMPARE:
        yield from _shrunken(newest, before, rules.shrunken)


def _shrunken(newest: KnownBackup, before: Sequence[KnownBackup], limit: float) -> Iterable[str]:
    usual_size = Bytes(median(backup.size for backup in before))
    usual_rows = int(median(backup.rows for backup in before))
    start = f"Nothing is removed: the newest backup {newest.backup_id} has"
    if newest.size < limit * usual_size:
        yield f"{start} {newest.size}, the ones before it {usual_size}."
    if newest.rows < limit * usual_rows:
        yield f"{start} {counted(newest.rows, 'row')}, the ones before it {usual_rows:,}."


def _newest(newest_first: Sequence[KnownBackup], rules: RetentionRules, _now: datetime) -> Iterable[_Hold]:
    for backup in newest_first[: rules.at_least]:
        yield _Hold(backup.backup_id, f"one of the newest {rules.at_least}")


def _known_good(newest_first: Sequence[KnownBackup], rules: RetentionRules, _now: datetime) -> Iterable[_Hold]:
    """Keep the last ones of each kind of proof: a drill proves more, but there may be none yet."""
    for state in (BackupState.PROVEN, BackupState.VERIFIED):
        good = [backup for backup in newest_first if backup.state.includes(state)]
        for backup in good[: rules.proven]:
            yield _Hold(backup.backup_id, f"one of the last {rules.proven} {state.value}")


def _young(newest_first: Sequence[KnownBackup], rules: RetentionRules, now: datetime) -> Iterable[_Hold]:
    for backup in newest_first:
        if backup.taken_at > now - rules.young:
            yield _Hold(
                backup.backup_id, f"younger than {say_span(rules.young)}", _day_after(backup.taken_at + rules.young)
            )


def _in_use(newest_first: Sequence[KnownBackup], _rules: RetentionRules, _now: datetime) -> Iterable[_Hold]:
    for backup in newest_first:
        if backup.in_use:
            yield _Hold(backup.backup_id, backup.in_use)


def _locked(newest_first: Sequence[KnownBackup], _rules: RetentionRules, now: datetime) -> Iterable[_Hold]:
    for backup in newest_first:
        lock = backup.locked_until
        if lock is not None and lock > now:
            yield _Hold(backup.backup_id, f"locked by the vault until {lock:%Y-%m-%d}", _day_after(lock))


@dataclass(frozen=True, slots=True)
class _Generation:
    """A kind of period, and how a backup stands for the one it was taken in."""

    word: str
    days: int

    def period(self, taken_at: datetime) -> int:
        """Give the period a number that grows with time."""
        day = taken_at.astimezone(UTC).date()
        if self.word == "day":
            return day.toordinal()
        if self.word == "week":
            return (day.toordinal() - 1) // 7
        return day.year * 12 + day.month if self.word == "month" else day.year

    def representative(self, backups: Sequence[KnownBackup]) -> KnownBackup:
        """Choose the first that was read back whole, or else the first that is not bad: no later one replaces it."""
        verified = [backup for backup in backups if backup.state.includes(BackupState.VERIFIED)]
        not_bad = [backup for backup in backups if not backup.state.is_unfit]
        return min(verified or not_bad or backups, key=_order)


def _generations(newest_first: Sequence[KnownBackup], rules: RetentionRules, _now: datetime) -> Iterable[_Hold]:
    """Keep one backup of each of the last days, weeks, months and years that have any."""
    counts = (rules.daily, rules.weekly, rules.monthly, rules.yearly)
    for generation, count in zip(_GENERATIONS, counts, strict=True):
        periods: dict[int, list[KnownBackup]] = {}
        for backup in newest_first:
            periods.setdefault(generation.period(backup.taken_at), []).append(backup)
        for period in sorted(periods, reverse=True)[:count]:
            chosen = generation.representative(periods[period])
            until = _day_after(chosen.taken_at + timedelta(days=generation.days * count))
            yield _Hold(chosen.backup_id, f"first of its {generation.word}, {count} {generation.word}s are kept", until)


_GENERATIONS = (_Generation("day", 1), _Generation("week", 7), _Generation("month", 31), _Generation("year", 366))
_KEEPERS: tuple[_Keeper, ...] = (_in_use, _locked, _young, _newest, _known_good, _generations)


def _order(backup: KnownBackup) -> _Order:
    """Order by the moment it shows; never by name, which only breaks a tie."""
    return (backup.taken_at, backup.backup_id)


def _day_after(moment: datetime) -> date:
    """Round up to a day; a lock for ever stays a date that exists."""
    return date.max if moment.year == date.max.year else (moment + _A_DAY).date()


def _counted(plan: RetentionPlan) -> str:
    total = len(plan.verdicts)
    where = f"of {plan.holdings.database} in {plan.holdings.place}"
    if not total:
        return f"There is no backup {where}."
    if not plan.removable:
        return f"All {total} backups {where} are kept." if total > 1 else f"The one backup {where} is kept."
    return f"Of {total} backups {where}, {len(plan.kept)} are kept and {len(plan.removable)} may be removed."


def _freed(plan: RetentionPlan) -> str:
    room = Bytes(sum(verdict.backup.size for verdict in plan.removable))
    return f"That frees {room}." if plan.removable else ""


def _trust(backups: Sequence[KnownBackup], rules: RetentionRules) -> str:
    """Say what counts as good, because before the first drill it is less than people may think."""
    if not backups:
        return ""
    proven = sum(backup.state is BackupState.PROVEN for backup in backups)
    if proven:
        return f"{proven} of them were proven by a drill; the last {rules.proven} of those always stay."
    return (
        "None was proven by a drill yet; until then those read back whole (VERIFIED) count as the best known, and the "
        f"last {rules.proven} of them always stay."
    )
