"""A vault in a folder: a file appears under its name complete and safely on disk, or not at all.

The digest of a file is kept in its extended attribute `user.pgtend.sha256` and not in a file beside it: it is set
before the file gets its name, so the two appear in one step, and a listing shows objects only. A disk without
attributes loses nothing but that: the digest is then known to the record of whoever stored the object.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.sizes import Bytes
from pgtend.vault.errors import FolderMissing, ObjectMissing
from pgtend.vault.folder_paths import inside, speaking, step_into
from pgtend.vault.keys import checked_key, checked_prefix
from pgtend.vault.model import (
    FolderPlace,
    Readable,
    StoredObject,
    StoredVersion,
    Unfinished,
    Vault,
    VaultAbilities,
    begun_before,
)
from pgtend.vault.parts import MIB
from pgtend.vault.streams import JudgedStream, WholeSeal, agree, damaged, exists, judge_copy

_DIGEST = "user.pgtend.sha256"
_INCOMING = ".incoming"
_NO_ATTRIBUTE = {errno.ENOTSUP, errno.ENODATA}


class FolderVault(Vault):
    """A folder on a disk or a mounted share."""

    def __init__(self, place: FolderPlace) -> None:
        self._root = place.path.expanduser().absolute()
        if place.may_create:
            with speaking(self.place, ""):
                self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._root.is_dir():
            raise FolderMissing(
                f"there is no folder {self._root}",
                detail="It is not made by itself: on a disk that is not mounted, copies would fill the wrong one.",
                hint=f"Mount the disk, or make the folder once: install -d -m 700 {self._root}",
            )

    @property
    @override
    def place(self) -> str:
        return str(self._root)

    @property
    @override
    def abilities(self) -> VaultAbilities:
        return VaultAbilities(refuses_existing=True, one_winner=True, software="folder")

    @override
    def put(self, key: str, stream: Readable, *, sha256: str | None = None) -> StoredObject:
        name = checked_key(key).rpartition("/")[2]
        token = f"{secrets.token_hex(8)}.{name}"
        with speaking(self.place, key), inside(self._root, (_INCOMING,), make=True) as incoming:
            try:
                digest, size = self._receive(incoming, token, stream)
                agree(key, sha256, digest)
                self._name(key, token, incoming)
            finally:
                # A disk without room for a new file has none to remove, and that is not what went wrong.
                with suppress(FileNotFoundError):
                    os.unlink(token, dir_fd=incoming)
        return self._confirm(key, size, digest)

    @override
    def put_if_absent(self, key: str, content: bytes) -> StoredObject:
        return self.put(key, io.BytesIO(content), sha256=sha256_hex(content))

    @contextmanager
    @override
    def open(self, key: str, *, sha256: str | None = None) -> Generator[Readable]:
        with self._file(key) as file:
            stored = _describe(key, file.fileno())
            seals = tuple(WholeSeal(expected) for expected in {sha256, stored.sha256} if expected)
            yield JudgedStream(_Spoken(file, self.place, key), key, stored.size, seals)

    @override
    def read_range(self, key: str, start: int, length: int) -> bytes:
        with self._file(key) as file, speaking(self.place, key):
            file.seek(start)
            content = file.read(length)
        if len(content) != length:
            raise damaged(key, f"It ends at {start + len(content)}, before the {start + length} bytes asked for.")
        return content

    @override
    def head(self, key: str) -> StoredObject:
        with self._file(key) as file, speaking(self.place, key):
            return _describe(key, file.fileno())

    @override
    def objects(self, prefix: str = "") -> tuple[StoredObject, ...]:
        folders = tuple(checked_prefix(prefix).split("/")[:-1])
        with speaking(self.place, prefix):
            try:
                with inside(self._root, folders) as folder:
                    found = list(_walk(folder, prefix))
            except FileNotFoundError:
                return ()  # nothing was ever stored there, which is what an empty listing says
        return tuple(sorted(found, key=lambda stored: stored.key))

    @override
    def copy_from(self, source: Vault, key: str, *, sha256: str) -> StoredObject:
        try:
            stored = self.head(key)
        except ObjectMissing:
            with source.open(key, sha256=sha256) as stream:
                stored = self.put(key, stream, sha256=sha256)
        judge_copy(self, key, sha256)
        return stored

    @override
    def delete(self, key: str, *, version: str = "") -> None:
        *folders, name = checked_key(key).split("/")
        with speaking(self.place, key), inside(self._root, tuple(folders)) as folder:
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    @override
    def protect(self, stored: StoredObject, until: datetime) -> bool:
        """Say no: a folder guards nothing from whoever may write into it."""
        return False

    @override
    def versions(self, prefix: str) -> tuple[StoredVersion, ...]:
        checked_prefix(prefix)
        return ()

    @override
    def room(self) -> Bytes | None:
        with speaking(self.place, ""), inside(self._root, ()) as folder:
            found = os.fstatvfs(folder)
        return Bytes(found.f_bavail * found.f_frsize)

    @override
    def unfinished(self) -> tuple[Unfinished, ...]:
        incoming = self._root / _INCOMING
        with speaking(self.place, _INCOMING):
            return tuple(
                Unfinished(key=entry.name.partition(".")[2], started_at=_moment(entry.lstat()), token=entry.name)
                for entry in (sorted(incoming.iterdir()) if incoming.is_dir() else [])
            )

    @override
    def sweep(self, older_than: timedelta) -> tuple[Unfinished, ...]:
        old = begun_before(self.unfinished(), older_than)
        with speaking(self.place, _INCOMING):
            for leftover in old:
                (self._root / _INCOMING / leftover.token).unlink(missing_ok=True)
        return old

    @contextmanager
    def _file(self, key: str) -> Generator[io.BufferedReader]:
        *folders, name = checked_key(key).split("/")
        with speaking(self.place, key), inside(self._root, tuple(folders)) as folder:
            number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        with io.FileIO(number) as raw:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise damaged(key, "It is no file.")
            yield io.BufferedReader(raw)

    def _receive(self, incoming: int, token: str, stream: Readable) -> tuple[str, int]:
        """Write a stream to its end into a file without a name in the vault, digest it, and get it onto the disk."""
        digest = hashlib.sha256()
        number = os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=incoming)
        with io.FileIO(number, "w") as file:
            while chunk := stream.read(MIB):
                digest.update(chunk)
                _write_all(file, chunk)
            _keep_digest(number, digest.hexdigest())
            os.fsync(number)
            return digest.hexdigest(), file.tell()

    def _name(self, key: str, token: str, incoming: int) -> None:
        """Give the file its name: a link, unlike a rename, refuses to take the place of another."""
        *folders, name = key.split("/")
        with inside(self._root, tuple(folders), make=True) as folder:
            try:
                os.link(token, name, src_dir_fd=incoming, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError as error:
                raise exists(key, self.place) from error
            os.fsync(folder)

    def _confirm(self, key: str, size: int, digest: str) -> StoredObject:
        stored = self.head(key)
        if stored.size != size:
            self.delete(key)
            raise damaged(key, f"{size} bytes were written and the folder shows {int(stored.size)}.")
        return replace(stored, sha256=digest)


class _Spoken(Readable):
    """Reads a file, and says its errors in the words of a vault."""

    def __init__(self, file: io.BufferedReader, place: str, key: str) -> None:
        self._file = file
        self._place = place
        self._key = key

    def read(self, size: int = -1, /) -> bytes:
        with speaking(self._place, self._key):
            return self._file.read(size)


def _walk(folder: int, prefix: str) -> Iterator[StoredObject]:
    for name in os.listdir(folder):
        if not prefix and name == _INCOMING:
            continue
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            continue  # removed since the listing: it is not there, and the listing does not say it is
        if stat.S_ISDIR(found.st_mode):
            try:
                with step_into(folder, name) as deeper:
                    yield from _walk(deeper, f"{prefix}{name}/")
            except FileNotFoundError:
                continue  # removed since it was looked at, and it alone: what lies beside it is there
        elif stat.S_ISREG(found.st_mode):
            yield StoredObject(key=f"{prefix}{name}", size=Bytes(found.st_size), stored_at=_moment(found))
        else:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)


def _write_all(file: io.FileIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[file.write(view) :]


def _keep_digest(number: int, digest: str) -> None:
    try:
        os.setxattr(number, _DIGEST, digest.encode())
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTE:
            raise


def _kept_digest(number: int) -> str | None:
    try:
        return os.getxattr(number, _DIGEST).decode()
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTE:
            raise
        return None


def _describe(key: str, number: int) -> StoredObject:
    found = os.fstat(number)
    return StoredObject(key=key, size=Bytes(found.st_size), stored_at=_moment(found), sha256=_kept_digest(number))


def _moment(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)
