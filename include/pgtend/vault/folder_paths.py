"""Walking inside a folder without ever leaving it: each step is opened from the one before and follows no link."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pgtend.kernel.errors import PgtendError
from pgtend.vault.errors import ObjectMissing, VaultFull, VaultRefused, VaultUnreachable

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LINKS = {errno.ELOOP, errno.ENOTDIR}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def inside(root: Path, folders: tuple[str, ...], *, make: bool = False) -> Generator[int]:
    """Open the folder at the end of a way below the root."""
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            if make:
                _make(folder, here)
            deeper = os.open(folder, _STEP, dir_fd=here)
            os.close(here)
            here = deeper
        yield here
    finally:
        os.close(here)


@contextmanager
def step_into(here: int, folder: str) -> Generator[int]:
    """Open one folder below an open one."""
    deeper = os.open(folder, _STEP, dir_fd=here)
    try:
        yield deeper
    finally:
        os.close(deeper)


def _make(folder: str, here: int) -> None:
    try:
        os.mkdir(folder, 0o700, dir_fd=here)
    except FileExistsError:
        return
    os.fsync(here)


@contextmanager
def speaking(place: str, key: str) -> Generator[None]:
    """Say what the operating system said in the words of a vault."""
    try:
        yield
    except OSError as error:
        raise _translate(error, place, key) from error


def _translate(error: OSError, place: str, key: str) -> PgtendError:
    said = os.strerror(error.errno or 0)
    if error.errno == errno.ENOENT:
        return ObjectMissing(f"there is no '{key}' in {place}", hint="List what is there: pgtend vault list.")
    if error.errno in _FULL:
        return VaultFull(f"no room left in {place}", detail=f"{said}.", hint="Make room: docs/runbooks/vault-full.md.")
    if error.errno in _LINKS:
        return VaultRefused(
            f"'{key}' leads out of {place}",
            detail="A step on the way to it is a link or a file, and a vault follows no links.",
            hint="Remove the link, or make the folder it points to a vault of its own.",
        )
    if error.errno in _REFUSED:
        return VaultRefused(
            f"{place} does not let us touch '{key}'",
            detail=f"{said}.",
            hint="Give the folder to the user that runs pgtend, with mode 0700.",
        )
    return VaultUnreachable(
        f"{place} failed at '{key}'",
        detail=f"{said}.",
        hint="Look at the disk or mount: docs/runbooks/vault-unreachable.md.",
    )
