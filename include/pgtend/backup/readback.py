"""Reads from the vault what was just stored: only then does it count."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pgtend.backup.record import Part, State
from pgtend.fleet.model import BackupRules, ReadBack
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.vault.model import Vault
from pgtend.vault.parts import MIB

_ENDS = 2


def read_back(
    vault: Vault, folder: str, parts: Sequence[Part], rules: BackupRules, progress: Progress
) -> tuple[State, tuple[Part, ...]]:
    """Read parts to their last byte and judge each by its digest; say how far this went."""
    chosen = parts if rules.read_back is ReadBack.FULL else _extremes(parts)
    _read_all(vault, folder, sorted(chosen, key=lambda part: -part.stored_size), rules.parallel)
    names = {part.name for part in chosen}
    seen = tuple(part.model_copy(update={"read_back": part.name in names}) for part in parts)
    amount = Bytes(sum(part.stored_size for part in chosen))
    progress(f"read back {len(chosen)} of {counted(len(parts), 'object')}, {amount}: all as they were sent")
    return (State.VERIFIED if len(chosen) == len(parts) else State.STORED), seen


def _read_all(vault: Vault, folder: str, parts: Sequence[Part], parallel: int) -> None:
    """Read several objects at a time to the last byte of each, where the vault judges it. One that fails ends all."""
    is_over = threading.Event()

    def work(part: Part) -> None:
        with vault.open(f"{folder}{part.name}", sha256=part.stored_sha256) as stream:
            while not is_over.is_set() and stream.read(MIB):
                pass

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="read-back") as crew:
        try:
            for _ in crew.map(work, parts):
                pass
        except BaseException:
            is_over.set()
            raise


def _extremes(parts: Sequence[Part]) -> Sequence[Part]:
    by_size = sorted(parts, key=lambda part: part.stored_size)
    return by_size if len(by_size) <= _ENDS else (by_size[0], by_size[-1])
