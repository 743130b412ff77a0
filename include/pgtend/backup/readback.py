"""Reads from the vault what was just stored: only then does it count."""

from __future__ import annotations

from collections.abc import Sequence

from pgtend.backup.record import Part, State
from pgtend.fleet.model import ReadBack
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.vault.model import Vault
from pgtend.vault.parts import MIB

_ENDS = 2


def read_back(
    vault: Vault, folder: str, parts: Sequence[Part], how: ReadBack, progress: Progress
) -> tuple[State, tuple[Part, ...]]:
    """Read parts to their last byte and judge each by its digest; say how far this went."""
    chosen = {part.name for part in (parts if how is ReadBack.FULL else _extremes(parts))}
    for part in parts:
        if part.name in chosen:
            read_whole(vault, f"{folder}{part.name}", part.stored_sha256)
    seen = tuple(part.model_copy(update={"read_back": part.name in chosen}) for part in parts)
    amount = Bytes(sum(part.stored_size for part in seen if part.read_back))
    progress(f"read back {len(chosen)} of {counted(len(parts), 'object')}, {amount}: all as they were sent")
    return (State.VERIFIED if len(chosen) == len(parts) else State.STORED), seen


def read_whole(vault: Vault, key: str, sha256: str) -> None:
    """Read an object to its last byte, where the vault judges it."""
    with vault.open(key, sha256=sha256) as stream:
        while stream.read(MIB):
            pass


def _extremes(parts: Sequence[Part]) -> Sequence[Part]:
    by_size = sorted(parts, key=lambda part: part.stored_size)
    return by_size if len(by_size) <= _ENDS else (by_size[0], by_size[-1])
