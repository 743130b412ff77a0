"""Names: the nearest known one for a mistyped one, and names of runs that sort by time."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Iterable
from datetime import datetime

_SHOWN = 12


def nearest(word: str, known: Iterable[str]) -> str:
    """Find the known name a person most likely meant, or an empty string when nothing is near."""
    folded = {name.casefold(): name for name in known}
    return next((folded[near] for near in difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say the nearest known name as a hint, or list the choices when nothing is near."""
    choices = sorted(known)
    near = nearest(word, choices)
    return f"did you mean '{near}'?" if near else f"known: {_first_few(choices)}"


def _first_few(choices: list[str]) -> str:
    more = len(choices) - _SHOWN
    return ", ".join(choices[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def new_run_id(now: datetime) -> str:
    """Name a run so that names sort by time and never meet: 20261121T134500Z-9f2c1a7b."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
