"""Verifies backups and leaves in the vault what was found, so that the next look at the vault knows it too."""

from __future__ import annotations

from datetime import datetime, timedelta

from pgtend.backup.catalogue import CatalogueEntry
from pgtend.backup.marks import Mark, put_mark
from pgtend.backup.states import BackupState
from pgtend.backup.verify import Verdict, verify_backup
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.errors import VaultRefused
from pgtend.vault.model import Vault

FRESH = timedelta(days=1)
"""A finding that is no older need not be repeated: each is an object that every later listing reads."""


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
    try:
        put_mark(vault, entry.manifest, finding)
    except VaultRefused:
        progress("these credentials may only read the vault: what was found is not written beside the backup")
