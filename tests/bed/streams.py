"""Streams that behave as badly as real producers do."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass

from pgtend.vault.parts import MIB

PATTERN = random.Random(7).randbytes(1_000_003)  # noqa: S311 - a pattern whose period fits no part


class ProducerDied(Exception):
    """What a checked pipe says when its process did not end well."""


@dataclass(slots=True)
class Recipe:
    """So many bytes, made as they are read, in the small and uneven helpings of a pipe."""

    size: int
    fails_at_end: bool = False
    given: int = 0

    def read(self, size: int = -1, /) -> bytes:
        """Give some bytes; the end, or the failure, comes after the last."""
        if self.given >= self.size:
            if self.fails_at_end:
                raise ProducerDied
            return b""
        helping = min(size if size > 0 else MIB, self.size - self.given, 65_536 + self.given % 4099)
        start = self.given % len(PATTERN)
        chunk = (PATTERN[start:] + PATTERN)[:helping]
        self.given += len(chunk)
        return chunk


class CheckedPipe:
    """The output of a process, whose end counts only when the process ended well."""

    def __init__(self, *argv: str) -> None:
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE)

    def read(self, size: int = -1, /) -> bytes:
        """Read on; at the end ask the process how it went."""
        assert self._process.stdout is not None
        chunk = self._process.stdout.read(size)
        if not chunk:
            self._process.stdout.close()
            if self._process.wait(timeout=10) != 0:
                raise ProducerDied
        return chunk


def everything(recipe: Recipe) -> bytes:
    """Read a recipe to its end."""
    return b"".join(iter(lambda: recipe.read(MIB), b""))
