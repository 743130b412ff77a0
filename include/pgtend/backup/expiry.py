"""Removes what retention lets go of, one backup after the other, looking again before each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.backup.catalogue import Catalogue, Leftover, read_catalogue
from pgtend.backup.manifest import MANIFEST, backup_folder
from pgtend.backup.retention import RetentionPlan, plan_retention
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, utc_now
from pgtend.vault.errors import ObjectLocked, ObjectMissing
from pgtend.vault.model import Unfinished, Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One database's backups in one vault, and the rules that hold there."""

    vault: Vault
    fleet: str
    database: str
    rules: RetentionRules
    lock: timedelta | None = None
    """How long the vault protects what it was given."""

    def catalogue(self, now: datetime) -> Catalogue:
        """List what is there."""
        return read_catalogue(self.vault, self.fleet, self.database, now, lock=self.lock)

    def plan(self, now: datetime) -> RetentionPlan:
        """Judge what is there."""
        return plan_retention(self.catalogue(now).holdings(), self.rules, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What was removed."""

    plan: RetentionPlan
    removed: tuple[str, ...]
    locked: tuple[str, ...]
    """Backups that the vault would not let go of, although no rule keeps them."""
    leftovers: tuple[Leftover, ...]
    unfinished: tuple[Unfinished, ...]
    freed: Bytes

    def __str__(self) -> str:
        said = f"removed {len(self.removed)} backups"
        if self.leftovers or self.unfinished:
            said += f", the remains of {len(self.leftovers)} and {len(self.unfinished)} broken-off uploads"
        locked = f"; the vault still locks {', '.join(self.locked)}" if self.locked else ""
        return f"{said}, which freed {self.freed}{locked}"


def expire(
    holding: Holding, progress: Progress, *, intend: Callable[[str], object] = str, clock: Clock = utc_now
) -> Expired:
    """Remove what no rule keeps, and what unfinished work left behind; nothing at all when there is doubt.

    The backups are judged again before each removal: somebody may have begun to restore one in the meantime. `intend`
    is told of each before it goes, and keeps it by raising.
    """
    plan = holding.plan(clock())
    removed: list[str] = []
    locked: list[str] = []
    freed = 0
    for verdict in reversed(plan.removable):
        backup = verdict.backup
        if not _may_still_go(holding, backup.backup_id, clock()):
            progress(f"{backup.backup_id} stays: it is needed now")
            continue
        intend(backup.backup_id)
        if _remove(holding, backup.backup_id):
            progress(f"removed {backup.backup_id}, {backup.size}")
            removed.append(backup.backup_id)
            freed += backup.size
        else:
            progress(f"{backup.backup_id} stays: the vault locks it")
            locked.append(backup.backup_id)
    remains = () if plan.doubts else _sweep(holding, clock(), progress)
    return Expired(
        plan=plan,
        removed=tuple(removed),
        locked=tuple(locked),
        leftovers=remains,
        unfinished=() if plan.doubts else holding.vault.sweep(holding.rules.young),
        freed=Bytes(freed + sum(leftover.size for leftover in remains)),
    )


def _may_still_go(holding: Holding, backup_id: str, now: datetime) -> bool:
    return any(verdict.backup.backup_id == backup_id for verdict in holding.plan(now).removable)


def _remove(holding: Holding, backup_id: str) -> bool:
    """Remove a backup, its manifest first: from then on it does not exist, and what remains is swept by a later run.

    Its manifest was stored last, so that the vault locks it longest: where it may go, all of it may.
    """
    folder = backup_folder(holding.fleet, holding.database, backup_id)
    try:
        _delete(holding.vault, f"{folder}{MANIFEST}")
    except ObjectLocked:
        return False
    for stored in holding.vault.objects(folder):
        _delete(holding.vault, stored.key)
    return True


def _sweep(holding: Holding, now: datetime, progress: Progress) -> tuple[Leftover, ...]:
    """Remove what was never finished, once nobody can still be at it."""
    old = holding.catalogue(now).old_leftovers(now, holding.rules.young)
    swept: list[Leftover] = []
    for leftover in old:
        try:
            for key in leftover.keys:
                _delete(holding.vault, key)
        except ObjectLocked:
            progress(f"the remains of {leftover.backup_id} stay: the vault locks them")
            continue
        progress(f"removed the remains of {leftover.backup_id}, {leftover.size}")
        swept.append(leftover)
    return tuple(swept)


def _delete(vault: Vault, key: str) -> None:
    """Remove an object for good: in a versioned bucket the version, not only its name."""
    try:
        vault.delete(key, version=vault.head(key).version)
    except ObjectMissing:
        return  # somebody else removed it, which is what was wanted
