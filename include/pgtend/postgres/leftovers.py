"""Folders of throwaway servers, and of what is made beside them, whose owner died before it could clean up."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pgtend.kernel.times import utc_now

_LOCK = "owner.lock"
_YOUNG = timedelta(minutes=1)
_LAST_CHANCE = timedelta(seconds=5)
_STILL_TIDIED_UP = frozenset({errno.ENOENT, errno.ENOTEMPTY})


class Kind(StrEnum):
    """What a folder is for; its name begins so."""

    SERVER = "pgtend-server-"
    INITDB = "pgtend-initdb-"
    CANARY = "pgtend-canary-"
    FLIPPED = "pgtend-flipped-"


@contextmanager
def claimed_folder(parent: Path | None = None, kind: Kind = Kind.SERVER) -> Generator[Path]:
    """Make a folder that is removed at the end, and by the next sweep if we never get there."""
    folder = Path(tempfile.mkdtemp(prefix=kind, dir=parent))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        # The kernel drops this lock when we die, however we die: that is how a sweep knows.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


def sweep_leftovers(parent: Path | None = None) -> tuple[Path, ...]:
    """Stop the throwaway servers whose owners are gone, remove all that they left, and tell what."""
    place = parent or Path(tempfile.gettempdir())
    found = sorted(folder for kind in Kind for folder in place.glob(f"{kind}*"))
    return tuple(folder for folder in found if _is_ours(folder) and _sweep(folder))


def _is_ours(folder: Path) -> bool:
    """Leave alone what others made, and what is not a folder of its own."""
    return folder.is_dir() and not folder.is_symlink() and (os.geteuid() in {0, folder.stat().st_uid})


def _sweep(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return _sweep_unclaimed(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        # Another sweep may have removed the folder between our opening its lock and getting it.
        if not folder.exists():
            return False
        _stop_server(folder / "data")
        _remove(folder)
        return True
    finally:
        os.close(lock)


def _sweep_unclaimed(folder: Path) -> bool:
    """Remove a folder without a lock once it is so old that nobody is about to lock it."""
    if not folder.exists() or utc_now().timestamp() - folder.stat().st_mtime < _YOUNG.total_seconds():
        return False
    _remove(folder)
    return True


def _remove(folder: Path) -> None:
    """Remove a folder, also while the last processes of a server that was just stopped tidy up in it."""
    deadline = time.monotonic() + _LAST_CHANCE.total_seconds()
    while True:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if error.errno not in _STILL_TIDIED_UP or time.monotonic() >= deadline:
                raise
            if not folder.exists():
                return
        else:
            return


def _stop_server(data: Path) -> None:
    """End a server that outlived its owner, after making sure that the process is that server."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    deadline = time.monotonic() + _LAST_CHANCE.total_seconds()
    while not (written := pid_file.read_text().split()) and time.monotonic() < deadline:
        # It is just being written.
        time.sleep(0.02)
    if not written:
        return
    pid = int(written[0])
    for number in (signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + _LAST_CHANCE.total_seconds()
        if not _works_in(pid, data):
            return
        os.kill(pid, number)
        while _works_in(pid, data) and time.monotonic() < deadline:
            time.sleep(0.02)


def _works_in(pid: int, data: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except (FileNotFoundError, PermissionError):
        # Somebody else's process: a server that ran between walls wrote down the number that it had in there.
        return False
