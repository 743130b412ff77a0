"""What was found out about a backup after it was taken, and who is at it: small objects beside its manifest.

A manifest is never rewritten, so each later finding is an object of its own. That keeps every key append-only, and a
vault tells the whole state of its backups without a ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from typing import TypeVar

from pydantic import ValidationError

from pgtend.backup.errors import UnreadableManifest
from pgtend.backup.manifest import Manifest, read_small
from pgtend.backup.record import Record
from pgtend.backup.states import BackupState
from pgtend.kernel.digests import canonical_json, sha256_hex
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import new_run_id
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import ObjectLocked, VaultFull, VaultRefused
from pgtend.vault.model import StoredObject, Vault

Kind = TypeVar("Kind", bound=Record)
MARKS = "marks/"
LEASES = "in-use/"
ENDED = "-ended.json"
LEASE = timedelta(days=1)
RENEWAL = LEASE / 4
"""Often enough that a vault may be away three times in a row."""


class Mark(Record):
    """Something that was found out about a backup in this vault."""

    backup_id: str
    state: BackupState
    at: datetime
    manifest_sha256: str
    """Of the manifest that was looked at: a mark says nothing about any other."""
    by: str
    what: tuple[str, ...] = ()
    """Of a damaged one: what is wrong with it, as phrases."""


class Lease(Record):
    """Somebody who is reading a backup, and until when that may be believed."""

    backup_id: str
    doing: str
    by: str
    since: datetime
    until: datetime

    @classmethod
    def begun(cls, backup_id: str, doing: str, by: str, now: datetime) -> Lease:
        """Begin one; it is renewed while its holder lives, and runs out by itself when that one dies."""
        return cls(backup_id=backup_id, doing=doing, by=by, since=now, until=now + LEASE)

    def __str__(self) -> str:
        return f"being {self.doing} by {self.by} since {self.since:%Y-%m-%d %H:%M} UTC"


def put_mark(vault: Vault, manifest: Manifest, mark: Mark) -> StoredObject:
    """Write down what was found out about a backup."""
    return _put(vault, f"{manifest.folder}{MARKS}{mark.state.value.lower()}-{new_run_id(mark.at)}.json", mark)


def read_mark(vault: Vault, key: str) -> Mark:
    """Read a mark."""
    return _read(vault, key, Mark)


def read_lease(vault: Vault, key: str) -> Lease:
    """Read who is at a backup."""
    return _read(vault, key, Lease)


@contextmanager
def in_use(
    vault: Vault, manifest: Manifest, lease: Lease, progress: Progress, *, renewal: timedelta = RENEWAL
) -> Generator[None]:
    """Tell retention that a backup is being read. Where nothing can be written one goes on without, and is told so."""
    folder = f"{manifest.folder}{LEASES}"
    try:
        notes = [_put_lease(vault, folder, lease, lease.since)]
    except VaultRefused:
        progress("these credentials may only read the vault: retention cannot see that the backup is in use")
        yield
        return
    except VaultFull:
        progress("there is no room in the vault: retention cannot see that the backup is in use")
        yield
        return
    try:
        with _each(renewal, lambda: _renew(vault, folder, notes, lease, progress)):
            yield
    finally:
        for stored in notes:
            _let_go(vault, stored, lease, progress)


def _renew(vault: Vault, folder: str, notes: list[StoredObject], lease: Lease, progress: Progress) -> None:
    """Put a later note beside the earlier ones, whose keys are never written again."""
    now = utc_now()
    try:
        notes.append(_put_lease(vault, folder, lease.model_copy(update={"until": now + LEASE}), now))
    except PgtendError as trouble:
        progress(f"the note that the backup is in use could not be renewed: {trouble.message}")


def _put_lease(vault: Vault, folder: str, lease: Lease, now: datetime) -> StoredObject:
    return _put(vault, f"{folder}{new_run_id(now)}.json", lease)


@contextmanager
def _each(span: timedelta, do: Callable[[], None]) -> Generator[None]:
    """Do something again and again beside what is done meanwhile."""
    over = threading.Event()

    def keep_on() -> None:
        while not over.wait(span.total_seconds()):
            do()

    keeper = threading.Thread(target=keep_on, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def ended(key: str) -> str:
    """Name the note that a lease is over, for vaults in which nothing is removed."""
    return f"{key.removesuffix('.json')}{ENDED}"


def _let_go(vault: Vault, stored: StoredObject, lease: Lease, progress: Progress) -> None:
    """Remove the lease, or say beside it that it is over; it runs out by itself in the end.

    Whatever fails here, what was done with the backup counts: hours of work, or the damage that ended them.
    """
    try:
        try:
            vault.delete(stored.key, version=stored.version)
        except (VaultRefused, ObjectLocked):
            _put(vault, ended(stored.key), lease.model_copy(update={"until": utc_now()}))
    except PgtendError:
        progress(f"the note that the backup is in use stays in the vault; it is void after {LEASE.days} day")


def _put(vault: Vault, key: str, content: Record) -> StoredObject:
    """Store a note. Its name holds a random number, so it needs no vault that can tell one of two writers off."""
    note = canonical_json(content.model_dump(mode="json")) + b"\n"
    return vault.put(key, BytesIO(note), sha256=sha256_hex(note))


def _read(vault: Vault, key: str, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate_json(read_small(vault, key))
    except ValidationError as error:
        raise UnreadableManifest(
            f"'{key}' cannot be read as what it should be",
            detail="It is no mark that pgtend wrote.",
            hint="Look who wrote it, and remove it; see docs/runbooks/backup-damaged.md.",
        ) from error
