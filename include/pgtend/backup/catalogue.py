"""Which backups there are, from the vault alone: a backup exists when its manifest does, and that is the truth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from pgtend.backup.errors import NoSuchBackup, UnreadableManifest
from pgtend.backup.manifest import MANIFEST, ROOT, Manifest, backup_folder, parse_manifest, read_small
from pgtend.backup.marks import ENDED, LEASES, MARKS, Lease, Mark, ended, read_lease, read_mark
from pgtend.backup.retention import Holdings, KnownBackup
from pgtend.backup.states import BackupState
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.names import counted, suggestion
from pgtend.kernel.sizes import Bytes
from pgtend.vault.errors import ObjectDamaged, ObjectMissing
from pgtend.vault.keys import is_key
from pgtend.vault.model import StoredObject, Vault

LATEST = "latest"
_BACKUP = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
"""The name of a backup. Anything else is not ours to remove."""
_SAVED = "holds what a restore in place was about to replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One backup as a vault shows it."""

    manifest: Manifest
    manifest_sha256: str
    state: BackupState
    faults: tuple[str, ...]
    """What is wrong with it at a first look, as phrases."""
    in_use: str
    committed_at: datetime
    """When the vault took its manifest: by the vault's clock."""
    checked_at: datetime
    """When somebody last found out what its state says."""
    locked_until: datetime | None
    keys: tuple[str, ...]
    """Everything in its folder, the manifest included."""
    odd: tuple[str, ...] = ()
    """Keys of what lies where marks do and is none."""

    @property
    def backup_id(self) -> str:
        """The name of the backup."""
        return self.manifest.backup_id

    @property
    def taken_at(self) -> datetime:
        """The moment it shows."""
        return self.manifest.snapshot.taken_at

    def known(self) -> KnownBackup:
        """Say what retention has to know."""
        return KnownBackup(
            backup_id=self.backup_id,
            taken_at=self.taken_at,
            size=Bytes(self.manifest.stored_size),
            rows=self.manifest.rows,
            state=self.state,
            locked_until=self.locked_until,
            in_use=self.in_use,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Objects of a backup that was never finished, or never wholly removed."""

    backup_id: str
    keys: tuple[str, ...]
    size: Bytes
    touched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All backups of one database in one vault, newest first."""

    place: str
    fleet: str
    database: str
    entries: tuple[CatalogueEntry, ...]
    leftovers: tuple[Leftover, ...]
    unreadable: tuple[str, ...]
    """Keys of manifests and marks that are not what they should be."""

    def choose(self, wanted: str) -> CatalogueEntry:
        """Find the newest, the one of this name, or the newest that is not later than a moment.

        What a restore in place saved before it began is what somebody wanted to be rid of: whoever tries again, and
        asks for the latest once more, must not get that.
        """
        if wanted == LATEST:
            sound = [entry for entry in self.entries if not entry.state.is_unfit]
            return self._first([one for one in sound if not one.manifest.is_saved] or sound, "no sound backup", wanted)
        named = [entry for entry in self.entries if entry.backup_id == wanted]
        moment = None if named else _moment(wanted)
        if moment is None:
            return self._first(named, f"no backup '{wanted}'", wanted)
        early = [entry for entry in self.entries if entry.taken_at <= moment and not entry.state.is_unfit]
        return self._first(early, f"no backup as early as {moment:%Y-%m-%d %H:%M:%S} UTC", wanted)

    def newest(self) -> CatalogueEntry:
        """Find the newest one whatever is known of it: who asks how backups are must hear of a damaged one first."""
        return self._first(self.entries, "no backup", LATEST)

    def passed_over(self, wanted: str, chosen: CatalogueEntry) -> tuple[str, ...]:
        """Say what is newer than the one that was chosen and no candidate: whoever takes the older one must know it."""
        if wanted == chosen.backup_id:
            return ()
        moment = _moment(wanted)
        latest = f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}~" if moment else "~"
        unlisted = {
            **{leftover.backup_id: "is not finished" for leftover in self.leftovers},
            **{self._backup_of(key): "cannot be read" for key in self.unreadable},
        }
        found = {
            # Of what cannot be read the name alone tells the time, to the second.
            **{backup_id: why for backup_id, why in unlisted.items() if chosen.backup_id < backup_id <= latest},
            **{
                entry.backup_id: f"is {entry.state}" if entry.state.is_unfit else _SAVED
                for entry in takewhile(lambda entry: entry.backup_id != chosen.backup_id, self.entries)
                if (entry.state.is_unfit or (wanted == LATEST and entry.manifest.is_saved))
                and (moment is None or entry.taken_at <= moment)
            },
        }
        return tuple(f"backup {backup_id} is newer and {why}" for backup_id, why in sorted(found.items(), reverse=True))

    def unreadable_since(self, chosen: CatalogueEntry) -> tuple[str, ...]:
        """List what cannot be read of a backup, and of any that may be newer."""
        return tuple(key for key in self.unreadable if self._backup_of(key) >= chosen.backup_id)

    def holdings(self) -> Holdings:
        """Say what retention has to know, doubts included."""
        return Holdings(
            database=self.database,
            place=self.place,
            backups=tuple(entry.known() for entry in self.entries),
            doubts=(
                *self._unreadable_doubts(),
                *self._damage_doubts(),
                *self._broken_doubts(),
                *self._failure_doubts(),
            ),
        )

    def old_leftovers(self, now: datetime, young: timedelta) -> tuple[Leftover, ...]:
        """List what nobody can still be writing."""
        return tuple(leftover for leftover in self.leftovers if leftover.touched_at <= now - young)

    def _backup_of(self, key: str) -> str:
        return key.removeprefix(backup_folder(self.fleet, self.database)).partition("/")[0]

    def _first(self, found: Sequence[CatalogueEntry], missing: str, wanted: str) -> CatalogueEntry:
        if found:
            return found[0]
        known = [entry.backup_id for entry in self.entries]
        odd = f" What cannot be read is {', '.join(self.unreadable)}." if self.unreadable else ""
        raise NoSuchBackup(
            f"there is {missing} of {self.database}",
            detail=f"Looked in {self.place}, which holds {counted(len(known), 'backup')} of it.{odd}",
            hint=self._advice(wanted, known),
        )

    def _advice(self, wanted: str, known: Sequence[str]) -> str:
        if wanted == LATEST:
            what = (
                "Name a damaged one to use it all the same" if known else f"`pgtend backup {self.database}` takes one"
            )
            return f"A second vault may hold one: --copy VAULT. {what}."
        return f"{suggestion(wanted, [*known, LATEST])} `pgtend backups {self.database}` lists them."

    def _unreadable_doubts(self) -> list[str]:
        return [
            f"Nothing is removed: '{key}' cannot be read. See docs/runbooks/backup-damaged.md."
            for key in self.unreadable
        ]

    def _damage_doubts(self) -> list[str]:
        return [
            f"Nothing is removed: backup {entry.backup_id} is damaged, {', '.join(entry.faults)}. "
            "See docs/runbooks/backup-damaged.md."
            for entry in self.entries
            if entry.faults
        ]

    def _broken_doubts(self) -> list[str]:
        """Doubt everything while the newest drilled backup is a broken one: what is wrong may be in the others too."""
        drilled = (entry for entry in self.entries if entry.state in {BackupState.PROVEN, BackupState.BROKEN})
        newest = next(drilled, None)
        if newest is None or newest.state is BackupState.PROVEN:
            return []
        found = f"a drill found backup {newest.backup_id} broken, and none after it was proven"
        return [f"Nothing is removed: {found}. See docs/runbooks/drill-copy-differs.md."]

    def _failure_doubts(self) -> list[str]:
        newest = self.entries[0].committed_at if self.entries else None
        return [
            f"Nothing is removed: the newest attempt, {leftover.backup_id}, was not finished."
            for leftover in self.leftovers
            if newest is not None and leftover.touched_at > newest
        ]


def read_catalogue(
    vault: Vault, fleet: str, database: str, now: datetime, *, lock: timedelta | None = None
) -> Catalogue:
    """List the backups of a database. `lock` is how long the vault protects what it was given."""
    grouped = _by_backup(vault.objects(backup_folder(fleet, database)), backup_folder(fleet, database))
    entries: list[CatalogueEntry] = []
    unreadable: list[str] = []
    leftovers: list[Leftover] = []
    for backup_id, found in grouped.items():
        manifest = found.get(MANIFEST)
        if manifest is None:
            if _BACKUP.fullmatch(backup_id):
                leftovers.append(_leftover(backup_id, found))
            continue
        try:
            entries.append(_entry(vault, manifest, found, now, lock))
        except (UnreadableManifest, ObjectDamaged):
            # One that is damaged must not hide the others from whoever needs one of them now.
            unreadable.append(manifest.key)
        except ObjectMissing:
            continue  # somebody removed the backup since the listing, its manifest first
    return Catalogue(
        place=vault.place,
        fleet=fleet,
        database=database,
        entries=tuple(sorted(entries, key=lambda entry: (entry.taken_at, entry.backup_id), reverse=True)),
        leftovers=tuple(sorted(leftovers, key=lambda leftover: leftover.touched_at, reverse=True)),
        unreadable=(*unreadable, *(key for entry in entries for key in entry.odd)),
    )


def databases_in(vault: Vault) -> tuple[tuple[str, str], ...]:
    """Name every fleet and database of which a vault holds a backup."""
    steps = [stored.key.split("/") for stored in vault.objects(f"{ROOT}/")]
    return tuple(sorted({(parts[1], parts[2]) for parts in steps if len(parts) > 4 and parts[-1] == MANIFEST}))  # noqa: PLR2004 - root, fleet, database, backup, object


def newest_size(vault: Vault, fleet: str, database: str) -> Bytes:
    """Tell what the newest backup takes, from a listing alone; nothing when there is none."""
    grouped = _by_backup(vault.objects(backup_folder(fleet, database)), backup_folder(fleet, database))
    finished = [backup_id for backup_id, found in grouped.items() if MANIFEST in found]
    newest = grouped[max(finished)] if finished else {}
    return Bytes(sum(stored.size for stored in newest.values()))


def _by_backup(found: Sequence[StoredObject], folder: str) -> Mapping[str, dict[str, StoredObject]]:
    """Sort objects by backup; what we cannot have stored, such as a hidden file of NFS, is nobody's."""
    grouped: dict[str, dict[str, StoredObject]] = {}
    for stored in found:
        backup_id, _, name = stored.key.removeprefix(folder).partition("/")
        if not is_key(stored.key):
            continue
        grouped.setdefault(backup_id, {})[name] = stored
    return grouped


def _entry(
    vault: Vault, stored: StoredObject, found: Mapping[str, StoredObject], now: datetime, lock: timedelta | None
) -> CatalogueEntry:
    content = read_small(vault, stored.key)
    manifest = parse_manifest(content, stored.key)
    if manifest.key != stored.key:
        raise UnreadableManifest(
            f"'{stored.key}' is the manifest of another backup", hint="See docs/runbooks/backup-damaged.md."
        )
    digest = sha256_hex(content)
    notes = _read_notes(vault, found)
    marks = [mark for mark in notes.marks if (mark.manifest_sha256, mark.backup_id) == (digest, manifest.backup_id)]
    faults = (*_faults(manifest, found), *_found_later(marks))
    return CatalogueEntry(
        manifest=manifest,
        manifest_sha256=digest,
        state=BackupState.DAMAGED if faults else _state(manifest, marks),
        faults=faults,
        in_use=", ".join(dict.fromkeys(str(lease) for lease in notes.leases if lease.until > now)),
        committed_at=stored.stored_at,
        checked_at=max([manifest.finished_at, *(mark.at for mark in marks)]),
        locked_until=stored.stored_at + lock if lock else None,
        keys=tuple(sorted(one.key for one in found.values())),
        odd=tuple(notes.odd),
    )


@dataclass(slots=True)
class _Notes:
    """What lies beside a manifest."""

    marks: list[Mark] = field(default_factory=list[Mark])
    leases: list[Lease] = field(default_factory=list[Lease])
    odd: list[str] = field(default_factory=list[str])


def _read_notes(vault: Vault, found: Mapping[str, StoredObject]) -> _Notes:
    """Read the marks and leases. One that is broken casts doubt on what may be removed, and hides no backup."""
    notes = _Notes()
    for name, stored in sorted(found.items()):
        try:
            if name.startswith(MARKS):
                notes.marks.append(read_mark(vault, stored.key))
            elif name.startswith(LEASES) and not name.endswith(ENDED) and ended(name) not in found:
                notes.leases.append(read_lease(vault, stored.key))
        except (UnreadableManifest, ObjectDamaged):
            notes.odd.append(stored.key)
        except ObjectMissing:
            continue  # a lease that was given back since the listing
    return notes


def _faults(manifest: Manifest, found: Mapping[str, StoredObject]) -> tuple[str, ...]:
    missing = [f"{part.name} is missing" for part in manifest.parts if part.name not in found]
    resized = [
        f"{part.name} has {int(found[part.name].size)} bytes and not {part.stored_size}"
        for part in manifest.parts
        if part.name in found and found[part.name].size != part.stored_size
    ]
    return (*missing, *resized)


def _found_later(marks: Sequence[Mark]) -> tuple[str, ...]:
    """Repeat what was wrong when somebody last read all of it, unless that was found to be well since."""
    reads = [mark for mark in marks if mark.state in {BackupState.DAMAGED, BackupState.VERIFIED}]
    last = max(reads, key=lambda mark: mark.at, default=None)
    return last.what if last and last.state is BackupState.DAMAGED else ()


def _state(manifest: Manifest, marks: Sequence[Mark]) -> BackupState:
    """Take the best of what the manifest says and what was found out later about exactly this manifest.

    Drills are the exception: the last of them decides, because a backup may break after it was proven.
    """
    drills = [mark for mark in marks if mark.state in {BackupState.PROVEN, BackupState.BROKEN}]
    if drills:
        return max(drills, key=lambda mark: mark.at).state
    return max([BackupState(manifest.state.value), *(mark.state for mark in marks)], key=lambda state: state.rank)


def _leftover(backup_id: str, found: Mapping[str, StoredObject]) -> Leftover:
    return Leftover(
        backup_id=backup_id,
        keys=tuple(sorted(stored.key for stored in found.values())),
        size=Bytes(sum(stored.size for stored in found.values())),
        touched_at=max(stored.stored_at for stored in found.values()),
    )


def _moment(text: str) -> datetime | None:
    """Read a moment, in UTC when it names no zone; anything else is no moment."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
