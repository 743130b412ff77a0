"""Writes into the ledger what a vault holds, so that SQL and dashboards see backups without asking the vault.

The vault alone is the truth. A ledger that was lost knows all backups again after one look through each vault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgtend.backup.catalogue import Catalogue, CatalogueEntry
from pgtend.backup.expiry import Holding
from pgtend.backup.manifest import Manifest
from pgtend.backup.retention import RetentionPlan, Verdict, plan_retention
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.model import Run
from pgtend.sqlfiles import command

RECORD_BACKUP = command(__package__ or "", "record_backup")
RECORD_LISTING = command(__package__ or "", "record_listing")
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBackup:
    """A backup as it was seen in a vault."""

    database: str
    vault: str
    backup_id: str
    taken_at: datetime
    stored_at: datetime
    checked_at: datetime
    state: str
    faults: str
    stored_bytes: int
    plain_bytes: int
    rows: int
    tables: int
    took: timedelta
    snapshot_held: timedelta
    server_version: str
    sealed_for: str
    keep: bool
    keep_until: date | None
    keep_reason: str
    in_use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultListing:
    """That a vault was looked through."""

    database: str
    vault: str
    place: str
    is_copy: bool
    backups: int
    unfinished: int
    doubts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One database's backups in one vault of the fleet file."""

    name: str
    """The vault's name in the fleet file."""
    is_copy: bool
    holding: Holding


def record_listing(run: Run, place: Place, *, clock: Clock = utc_now) -> Catalogue:
    """Look through a vault, and write into the ledger what is there: once for each vault and run."""
    found = place.holding.catalogue(clock())
    plan = plan_retention(found.holdings(), place.holding.rules, clock())
    run.add(RECORD_BACKUP, seen_backups(place.name, found, plan))
    listing = VaultListing(
        database=found.database,
        vault=place.name,
        place=found.place,
        is_copy=place.is_copy,
        backups=len(found.entries),
        unfinished=len(found.leftovers),
        doubts=" ".join(plan.doubts)[:_LONGEST],
    )
    run.add(RECORD_LISTING, [listing])
    return found


def record_new(run: Run, vault: str, manifest: Manifest) -> None:
    """Write down a backup that has just come to be: the vault need not be looked through for it."""
    taken = _seen(manifest, vault, manifest.finished_at, manifest.finished_at, manifest.state.value)
    run.add(RECORD_BACKUP, [taken])


def seen_backups(vault: str, found: Catalogue, plan: RetentionPlan) -> list[SeenBackup]:
    """Say of every backup how it is, how long it stays, and why."""
    verdicts = {verdict.backup.backup_id: verdict for verdict in plan.verdicts}
    return [_seen_entry(vault, entry, verdicts[entry.backup_id]) for entry in found.entries]


def _seen_entry(vault: str, entry: CatalogueEntry, verdict: Verdict) -> SeenBackup:
    return _seen(
        entry.manifest,
        vault,
        entry.committed_at,
        entry.checked_at,
        entry.state.value,
        faults=entry.faults,
        verdict=verdict,
    )


def _seen(  # noqa: PLR0913 - which backup, where, when it was stored and looked at, what came of it
    manifest: Manifest,
    vault: str,
    stored_at: datetime,
    checked_at: datetime,
    state: str,
    *,
    faults: Sequence[str] = (),
    verdict: Verdict | None = None,
) -> SeenBackup:
    return SeenBackup(
        database=manifest.database,
        vault=vault,
        backup_id=manifest.backup_id,
        taken_at=manifest.snapshot.taken_at,
        stored_at=stored_at,
        checked_at=checked_at,
        state=state,
        faults="; ".join(faults)[:_LONGEST],
        stored_bytes=manifest.stored_size,
        plain_bytes=manifest.plain_size,
        rows=manifest.rows,
        tables=len(manifest.tables),
        took=timedelta(seconds=manifest.timing.total),
        snapshot_held=timedelta(seconds=manifest.timing.snapshot_held),
        server_version=manifest.source.version_text,
        sealed_for=", ".join(one.name for one in manifest.encryption.recipients),
        keep=verdict.keep if verdict else True,
        keep_until=verdict.until if verdict else None,
        keep_reason="; ".join(verdict.reasons)[:_LONGEST] if verdict else "taken just now",
        in_use=verdict.backup.in_use if verdict else "",
    )
