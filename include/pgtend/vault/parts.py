"""How a stream of unknown length is cut into parts: small ones first, so that memory stays small until it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgtend.kernel.sizes import Bytes
from pgtend.vault.errors import ObjectTooLarge

MIB = 1024 * 1024
MOST_PARTS = 10_000
"""S3's own limit."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Runs of equal parts: how many, and how large each. The last part of an object may be shorter."""

    runs: tuple[tuple[int, Bytes], ...]

    def size_of(self, number: int) -> Bytes:
        """Tell how large the part with this number is, counting from 1."""
        for count, size in self.runs:
            if number <= count:
                return size
            number -= count
        raise ObjectTooLarge(f"more than {self.largest_object} in one object", hint="Split the data into more objects.")

    @property
    def largest_object(self) -> Bytes:
        """The most that fits."""
        return Bytes(sum(count * size for count, size in self.runs))

    def in_flight(self, number: int) -> int:
        """Tell how many parts may be on their way at once: two, and one alone when parts are huge."""
        return 2 if self.size_of(number) <= 64 * MIB else 1

    def memory_at(self, number: int) -> Bytes:
        """Tell how much memory is in use at most while this part is read: those on their way, and this one."""
        return Bytes((self.in_flight(number) + 1) * self.size_of(number))

    def __str__(self) -> str:
        return ",".join(f"{count}x{int(size)}" for count, size in self.runs)

    @classmethod
    def parse(cls, text: str) -> PartPlan | None:
        """Read a plan from an object's metadata; an object that others made has none."""
        runs = re.findall(r"(\d+)x(\d+)", text)
        return cls(tuple((int(count), Bytes(size)) for count, size in runs)) if runs else None


STANDARD_PARTS = PartPlan(((2000, Bytes(16 * MIB)), (4000, Bytes(64 * MIB)), (4000, Bytes(1280 * MIB))))
"""5.2 TB in 10,000 parts. Held in parts: 48 MB up to 31 GB, 192 MB up to 281 GB, 2.5 GB beyond.

The process grows by more, because the client copies what it sends: `make bench` saw 67 to 97 MB for 256 MiB.
"""
