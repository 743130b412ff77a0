"""How long work shows itself: one line at a time, to whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]


def quietly(_line: str) -> None:
    """Show nothing, for callers that have nobody watching."""
