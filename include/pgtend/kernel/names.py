"""Words: the nearest known name for a mistyped one, names of runs that sort by time, how many there are of a thing."""

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


def suggestion(word: str, known: Iterable[str]) -> str:
    """Say it as a sentence of its own."""
    said = did_you_mean(word, known)
    return said[0].upper() + (said[1:] if said.endswith("?") else f"{said[1:]}.")


def _first_few(choices: list[str]) -> str:
    more = len(choices) - _SHOWN
    return ", ".join(choices[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def new_run_id(now: datetime) -> str:
    """Name a run so that names sort by time and never meet: 20261121T134500Z-9f2c1a7b."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def counted(amount: int, thing: str) -> str:
    """Say how many there are of a thing, as people do: 1 table, 2,000 indexes, 3 copies."""
    if amount == 1:
        return f"1 {thing}"
    if thing.endswith(("x", "s", "ch", "sh")):
        return f"{amount:,} {thing}es"
    is_soft = thing.endswith("y") and thing[-2] not in "aeiou"
    return f"{amount:,} {thing[:-1]}ies" if is_soft else f"{amount:,} {thing}s"
