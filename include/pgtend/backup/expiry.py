"""Removes what retention lets go of, one backup after the other, looking again before each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pgtend.backup.catalogue import Catalogue, Leftover, read_catalogue
from pgtend.backup.manifest import MANIFEST, backup_folder
from pgtend.backup.retention import RetentionPlan, plan_retention
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, utc_now
from pgtend.vault.errors import ObjectLocked, ObjectMissing
from pgtend.vault.keys import is_key
from pgtend.vault.model import StoredVersion, Unfinished, Vault

_LONGEST_UPLOAD = timedelta(days=3)
"""Five terabytes at twenty megabytes a second. An upload may be another database's, whose rules nobody knows here."""


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

    def plan(self, now: datetime, doubts: tuple[str, ...] = ()) -> RetentionPlan:
        """Judge what is there; `doubts` are those that a list of names cannot show."""
        holdings = self.catalogue(now).holdings()
        return plan_retention(replace(holdings, doubts=(*holdings.doubts, *doubts)), self.rules, now)

    def behind(self) -> BehindNames:
        """Look behind the names, where the vault keeps versions."""
        return BehindNames(self.vault.versions(backup_folder(self.fleet, self.database)))


@dataclass(frozen=True, slots=True)
class BehindNames:
    """What a listing does not show: versions that were replaced, and those that somebody deleted."""

    versions: Sequence[StoredVersion]

    @property
    def doubts(self) -> tuple[str, ...]:
        """Say which objects are not what was stored first: the older version may be the only good one."""
        current = {one.key for one in self.versions if one.is_current and not one.is_deletion}
        replaced = sorted({one.key for one in self.versions if not one.is_current and one.key in current})
        return tuple(
            f"Nothing is removed: '{key}' was replaced by somebody, and the first version is behind it. "
            "See docs/runbooks/backup-damaged.md."
            for key in replaced
        )

    def deleted_before(self, moment: datetime) -> Sequence[StoredVersion]:
        """List all versions of what was deleted before a moment, the marks of deletion too."""
        marks = {one.key: one.stored_at for one in self.versions if one.is_current and one.is_deletion}
        return [one for one in self.versions if one.key in marks and marks[one.key] <= moment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What was removed."""

    plan: RetentionPlan
    removed: tuple[str, ...]
    locked: tuple[str, ...]
    """Backups that the vault would not let go of, although no rule keeps them."""
    leftovers: tuple[Leftover, ...]
    unfinished: tuple[Unfinished, ...]
    versions: int
    """What somebody deleted long ago in a bucket that keeps versions."""
    freed: Bytes

    def __str__(self) -> str:
        said = f"removed {counted(len(self.removed), 'backup')}"
        if self.leftovers or self.unfinished:
            said += f", the remains of {len(self.leftovers)} and {len(self.unfinished)} broken-off uploads"
        if self.versions:
            said += f", {self.versions} versions of what was deleted long ago"
        locked = f"; the vault still locks {', '.join(self.locked)}" if self.locked else ""
        return f"{said}, which freed {self.freed}{locked}"


def expire(
    holding: Holding, progress: Progress, *, intend: Callable[[str], object] = str, clock: Clock = utc_now
) -> Expired:
    """Remove what no rule keeps, and what unfinished work left behind; nothing at all when there is doubt.

    The backups are judged again before each removal: somebody may have begun to restore one in the meantime. `intend`
    is told of each before it goes, and keeps it by raising.
    """
    behind = holding.behind()
    plan = holding.plan(clock(), behind.doubts)
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
    old = () if plan.doubts else _forget(holding.vault, behind.deleted_before(clock() - holding.rules.undelete))
    return Expired(
        plan=plan,
        removed=tuple(removed),
        locked=tuple(locked),
        leftovers=remains,
        unfinished=() if plan.doubts else holding.vault.sweep(max(holding.rules.young, _LONGEST_UPLOAD)),
        versions=len(old),
        freed=Bytes(freed + sum(one.size for one in (*remains, *old))),
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
        if is_key(stored.key):
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


def _forget(vault: Vault, versions: Sequence[StoredVersion]) -> Sequence[StoredVersion]:
    """Remove versions for good, the mark that hides them last: until then the next run finds them again."""
    gone: list[StoredVersion] = []
    for one in sorted(versions, key=lambda version: version.is_deletion):
        try:
            vault.delete(one.key, version=one.version)
        except ObjectLocked:
            continue  # protected for longer than it may be brought back: the next run looks again
        gone.append(one)
    return gone


def _delete(vault: Vault, key: str) -> None:
    """Remove an object for good: in a versioned bucket the version, not only its name."""
    try:
        vault.delete(key, version=vault.head(key).version)
    except ObjectMissing:
        return  # somebody else removed it, which is what was wanted
