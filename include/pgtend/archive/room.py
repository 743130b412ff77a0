"""Whether the disk has room for what an archive run would write, as far as anybody can know it from here."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pgtend.archive.model import Estimate
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the databases of a server take, and where they lie."""

    used: int
    folder: str


READ_ROOM = query(__package__ or "", "read_room", Room)


def room_left(session: Session, told: Bytes | None) -> int | None:
    """Tell how much may still be written: by the size that the fleet file tells, or by the disk of this machine."""
    found = session.row(READ_ROOM)
    if told is not None:
        return int(told) - found.used
    if not session.address.is_local_socket or not found.folder:
        return None
    try:
        disk = os.statvfs(found.folder)
    except OSError:
        # The folder is not ours to look into, or the socket belongs to a server in a container.
        return None
    return disk.f_bavail * disk.f_frsize


def needed_by(estimate: Estimate) -> int:
    """Tell what a table needs: its archive, and twice the log, which replicas and the archiver may hold back."""
    return int(estimate.disk) + 2 * int(estimate.wal)
