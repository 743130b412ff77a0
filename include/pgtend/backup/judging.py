"""Verifies backups and leaves in the vault what was found, so that the next look at the vault knows it too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pgtend.backup.catalogue import LATEST, Catalogue, CatalogueEntry
from pgtend.backup.errors import UnreadableManifest
from pgtend.backup.marks import Lease, Mark, in_use, put_mark
from pgtend.backup.states import BackupState
from pgtend.backup.verify import Verdict, verify_backup
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.errors import VaultRefused
from pgtend.vault.model import Vault

FRESH = timedelta(days=1)
"""A finding that is no older need not be repeated: each is an object that every later listing reads."""


def to_be_read(
    found: Catalogue, wanted: str, progress: Progress, *, every: bool = False
) -> tuple[Sequence[CatalogueEntry], Sequence[str]]:
    """Choose which backups are read again, and name what should be among them and cannot be read.

    The latest is the latest even when it is known to be damaged: here people come to hear of that.
    """
    if wanted != LATEST:
        entry = found.choose(wanted)
        return [entry], entry.odd
    if not found.entries and found.unreadable:
        return [], found.unreadable
    newest = found.newest()
    for remark in found.passed_over(LATEST, newest):
        progress(f"{found.database}: {remark}")
    return (found.entries, found.unreadable) if every else ([newest], found.unreadable_since(newest))


def refuse_unreadable(database: str, keys: Sequence[str]) -> None:
    """Page someone when a manifest, or what was noted beside it, is not what it should be: it may hide damage."""
    if keys:
        raise UnreadableManifest(
            f"{counted(len(keys), 'object')} of {database} cannot be read",
            detail=f"Manifests, or what was noted beside them: {', '.join(keys)}.",
            hint="Use another copy, and see docs/runbooks/backup-damaged.md.",
        )


def verify_and_mark(  # noqa: PLR0913 - what, with which keys, on whose behalf, who watches
    vault: Vault,
    entry: CatalogueEntry,
    keys: PrivateKeys | None,
    by: str,
    progress: Progress,
    *,
    clock: Clock = utc_now,
) -> Verdict:
    """Read a backup whole and write beside it what came of it, good or bad."""
    with in_use(vault, entry.manifest, Lease.begun(entry.backup_id, "verified", by, clock()), progress):
        verdict = verify_backup(vault, entry.manifest, keys, progress)
    if _is_news(entry, verdict, clock()):
        _leave(vault, entry, _finding(entry, verdict, by, clock()), progress)
    return verdict


def _is_news(entry: CatalogueEntry, verdict: Verdict, now: datetime) -> bool:
    is_known = entry.state.includes(BackupState.VERIFIED) if verdict.holds else entry.state is BackupState.DAMAGED
    return not is_known or entry.checked_at <= now - FRESH


def _finding(entry: CatalogueEntry, verdict: Verdict, by: str, now: datetime) -> Mark:
    return Mark(
        backup_id=entry.backup_id,
        state=BackupState.VERIFIED if verdict.holds else BackupState.DAMAGED,
        at=now,
        manifest_sha256=entry.manifest_sha256,
        by=by,
        what=tuple(f"{fault.part} was found damaged" for fault in verdict.faults),
    )


def _leave(vault: Vault, entry: CatalogueEntry, finding: Mark, progress: Progress) -> None:
    """Leave a finding; whoever asked gets the verdict also when there is no place for it, damage above all."""
    try:
        put_mark(vault, entry.manifest, finding)
    except VaultRefused:
        progress("these credentials may only read the vault: what was found is not written beside the backup")
    except PgtendError as trouble:
        progress(f"what was found is not written beside the backup: {trouble.message}")
