"""Second copies: stored bytes go from vault to vault, and a copy counts when it was read back where it is.

The database is not read again, and no key is needed: what is copied is sealed. The manifest is copied last, so that a
copy exists exactly when all of it does; a copy that was broken off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pgtend.backup.catalogue import Catalogue, CatalogueEntry, read_catalogue
from pgtend.backup.errors import CopyLate
from pgtend.backup.marks import Lease, Mark, in_use, put_mark
from pgtend.backup.retention import kept_by_rules
from pgtend.backup.states import BackupState
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, say_span, utc_now
from pgtend.ledger.model import Ledger, Subject
from pgtend.vault.errors import ObjectExists
from pgtend.vault.model import Vault
from pgtend.vault.streams import judge_copy

COPY = "copy"
"""The pipeline's name in the ledger: copying is a run of its own, and may fail by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyState:
    """How far a second vault is behind the first."""

    source: str
    held: int
    """How many backups there are to copy; none is no success."""
    place: str
    missing: tuple[str, ...]
    """Backups that are not there, newest first."""
    lag: timedelta
    """How long the first backup that is newer than every copy has been waiting; zero when the newest is there."""

    def is_late(self, allowed: timedelta) -> bool:
        """Tell whether the newest backup should have been there by now."""
        return self.lag > allowed

    def __str__(self) -> str:
        if not self.held:
            return f"{self.source} holds no sound backup that could be copied"
        if not self.missing:
            return f"{self.place} has every backup"
        behind = f" and is {say_span(self.lag)} behind" if self.lag else ""
        return f"{self.place} lacks {counted(len(self.missing), 'backup')} of {self.source}{behind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What was copied."""

    copied: tuple[str, ...]
    size: Bytes
    state: CopyState


def compare_vaults(source: Catalogue, copy: Catalogue, rules: RetentionRules, now: datetime) -> CopyState:
    """Tell what a second vault lacks of what the first has. What it would let go of by its own rules is not missing.

    A damaged copy is none: what it lacks is copied again, and what differs from the first is an error before it is.
    """
    there = {entry.backup_id: entry for entry in copy.entries if entry.state is not BackupState.DAMAGED}
    damaged = {entry.backup_id for entry in copy.entries} - there.keys()
    absent = [entry for entry in source.entries if entry.backup_id not in there and not entry.state.is_unfit]
    copied = [replace(entry.known(), state=BackupState.VERIFIED, in_use="", locked_until=None) for entry in absent]
    wanted = damaged | kept_by_rules([*(entry.known() for entry in there.values()), *copied], rules, now)
    missing = [entry for entry in absent if entry.backup_id in wanted]
    newest = max((entry.taken_at for entry in there.values()), default=None)
    waiting = [entry.committed_at for entry in missing if newest is None or entry.taken_at > newest]
    return CopyState(
        source=source.place,
        held=sum(not entry.state.is_unfit for entry in source.entries),
        place=copy.place,
        missing=tuple(entry.backup_id for entry in missing),
        lag=max(now - min(waiting), timedelta()) if waiting else timedelta(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyWork:
    """From where to where, and whose backups."""

    source: Vault
    copy: Vault
    rules: RetentionRules
    """Which copies are kept: no others are made."""
    fleet: str
    database: str
    by: str
    """On whose behalf."""

    def state(self, now: datetime) -> CopyState:
        """Tell what the second vault lacks at the moment."""
        there = read_catalogue(self.copy, self.fleet, self.database, now)
        return compare_vaults(self.first(now), there, self.rules, now)

    def first(self, now: datetime) -> Catalogue:
        """List what there is to copy."""
        return read_catalogue(self.source, self.fleet, self.database, now)


def copy_backups(work: CopyWork, progress: Progress, *, clock: Clock = utc_now) -> CopyReport:
    """Copy what the second vault lacks, newest first, each judged by reading it there."""
    todo = work.state(clock()).missing
    wanted = [entry for entry in work.first(clock()).entries if entry.backup_id in todo]
    for entry in wanted:
        lease = Lease.begun(entry.backup_id, "copied", work.by, clock())
        with in_use(work.source, entry.manifest, lease, progress):
            _copy(work.source, work.copy, entry, progress)
        found = Mark(
            backup_id=entry.backup_id,
            state=BackupState.VERIFIED,
            at=clock(),
            manifest_sha256=entry.manifest_sha256,
            by=work.by,
        )
        put_mark(work.copy, entry.manifest, found)
    return CopyReport(copied=tuple(entry.backup_id for entry in wanted), size=_size(wanted), state=work.state(clock()))


def keep_copies(  # noqa: PLR0913 - what, how late, on whose behalf, who watches
    work: CopyWork, allowed: timedelta, ledger: Ledger, subject: Subject, progress: Progress, *, clock: Clock = utc_now
) -> CopyReport:
    """Copy what the second vault lacks, write it down, and say so when it is behind all the same."""
    with ledger.run(subject):
        report = copy_backups(work, progress, clock=clock)
        progress(f"{work.database}: copied {counted(len(report.copied), 'backup')}, {report.size}; {report.state}")
        if report.state.is_late(allowed):
            raise CopyLate(
                f"the copies in {report.state.place} are {say_span(report.state.lag)} behind",
                detail=f"Allowed are {say_span(allowed)}; missing: {', '.join(report.state.missing[:5])}.",
                hint="Look at the source with `pgtend verify`; see docs/runbooks/vault-unreachable.md.",
            )
        return report


def in_each(vaults: Iterable[str], keep: Callable[[str], object], progress: Progress) -> None:
    """Do it for every second vault: one that fails keeps no other from its copies, and is told when all had their turn.

    Of several failures the one that trying again does not cure is raised.
    """
    failures: list[PgtendError] = []
    for name in vaults:
        try:
            keep(name)
        except PgtendError as failure:
            progress(f"the copies in {name} could not be kept: {failure.message}")
            failures.append(failure)
    if failures:
        raise min(failures, key=lambda failure: isinstance(failure, Outage))


def _copy(source: Vault, copy: Vault, entry: CatalogueEntry, progress: Progress) -> None:
    manifest = entry.manifest
    for part in manifest.parts:
        _copy_object(source, copy, manifest.key_of(part), part.stored_sha256)
    _copy_object(source, copy, manifest.key, entry.manifest_sha256)
    progress(f"copied {entry.backup_id}, {Bytes(manifest.stored_size)}, to {copy.place} and read it there")


def _copy_object(source: Vault, copy: Vault, key: str, sha256: str) -> None:
    """Copy one object; one that somebody else copies at the same moment is judged like our own."""
    try:
        copy.copy_from(source, key, sha256=sha256)
    except ObjectExists:
        judge_copy(copy, key, sha256)


def _size(entries: Sequence[CatalogueEntry]) -> Bytes:
    return Bytes(sum(entry.manifest.stored_size for entry in entries))
