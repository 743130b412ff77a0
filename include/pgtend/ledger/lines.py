"""The chain as a file: one entry a line, appended and synced, read from either end."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pgtend.ledger.errors import FolderDamaged
from pgtend.ledger.model import AuditEntry

_STEP = 4096


class Line(BaseModel):
    """An entry as it stands in the file; the detail is the very text that was hashed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    seq: int
    at: str
    login: str
    actor: str
    action: str
    target: str
    detail: str
    prev: str
    hash: str


def write_line(path: Path, entry: AuditEntry) -> None:
    """Append an entry; it is on disk when this returns."""
    is_new = not path.exists()
    line = Line(
        seq=entry.seq,
        at=entry.at.isoformat(),
        login=entry.login,
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        detail=entry.detail,
        prev=entry.prev.hex(),
        hash=entry.hash.hex(),
    )
    with path.open("ab") as file:
        file.write(json.dumps(line.model_dump(), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)


def parse_line(line: bytes, path: Path) -> AuditEntry:
    """Read an entry, or say that the file holds something that we never wrote."""
    try:
        read = Line.model_validate_json(line)
        return AuditEntry(
            seq=read.seq,
            at=datetime.fromisoformat(read.at),
            login=read.login,
            actor=read.actor,
            action=read.action,
            target=read.target,
            detail=read.detail,
            prev=bytes.fromhex(read.prev),
            hash=bytes.fromhex(read.hash),
        )
    except (ValidationError, ValueError) as error:
        raise FolderDamaged(
            f"{path} holds a line that is no entry of the audit",
            hint="Keep the folder as it is and follow docs/runbooks/audit-chain-broken.md.",
        ) from error


def read_lines(path: Path) -> list[AuditEntry]:
    """Read all entries in the order of the file."""
    if not path.exists():
        return []
    return [parse_line(line, path) for line in path.read_bytes().splitlines()]


def last_line(path: Path) -> bytes:
    """Read the newest line without reading the whole file; empty when there is none."""
    return _from_end(path, skip=1).strip(b"\n")


def torn_tail(path: Path) -> int:
    """Count the bytes behind the last line end: what a dying process left half written."""
    return len(_from_end(path, skip=0))


def _from_end(path: Path, *, skip: int) -> bytes:
    """Read what stands behind the last line end, after skipping so many bytes at the end of the file."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        end = max(file.seek(0, os.SEEK_END) - skip, 0)
        start, found = end, b""
        while start > 0 and b"\n" not in found:
            start = max(start - _STEP, 0)
            file.seek(start)
            found = file.read(end - start)
    return found.rpartition(b"\n")[2]


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
