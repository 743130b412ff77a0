"""Amounts of bytes, read and written as PostgreSQL does: 1 kB is 1024 bytes."""

from __future__ import annotations

import re

from pgtend.kernel.errors import Misconfigured

_UNITS = {"b": 0, "bytes": 0, "kb": 1, "kib": 1, "mb": 2, "mib": 2, "gb": 3, "gib": 3, "tb": 4, "tib": 4}
_NAMES = ("bytes", "kB", "MB", "GB", "TB")
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)


class UnreadableSize(Misconfigured):
    """A size was written in a way we do not know."""

    code = "kernel.unreadable_size"


class Bytes(int):
    """A number of bytes that shows itself the way people read it."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Bytes:
        """Read `64 MB`, `1.5 GB` or a plain number of bytes."""
        match = _PATTERN.fullmatch(text.strip())
        power = _UNITS.get((match.group(2) or "b").lower()) if match else None
        if match is None or power is None:
            raise UnreadableSize(
                f"'{text}' is not a size", hint="Write a number and a unit: 512 kB, 64 MB, 1.5 GB, 2 TB."
            )
        return cls(float(match.group(1)) * 1024**power)

    def __str__(self) -> str:
        amount, power = float(self), 0
        while abs(amount) >= 1024 and power < len(_NAMES) - 1:  # noqa: PLR2004 - the base of every binary unit
            amount, power = amount / 1024, power + 1
        return f"{amount:.0f} {_NAMES[power]}" if power == 0 or amount >= 100 else f"{amount:.1f} {_NAMES[power]}"  # noqa: PLR2004 - three digits are enough to compare two sizes

    __repr__ = __str__
