"""To which family an error belongs that another process met: all that is left of it is its code.

A reminder, a recovery, or the word for a task that was killed comes from a process that never imported the room where
the error is at home. The first word of a code is the name of that room.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, PgtendError, Refusal

FAMILIES = (Outage, Refusal, Misconfigured, BrokenEvidence)


@cache
def family_of(code: str) -> type[PgtendError]:
    """Tell the family, or the root of all for what is no error of ours."""
    kind = _kind_of(code)
    if kind is None:
        _import_room(code.partition(".")[0])
        kind = _kind_of(code)
    return next((family for family in FAMILIES if kind and issubclass(kind, family)), PgtendError)


def _kind_of(code: str) -> type[PgtendError] | None:
    return next((kind for kind in _known(PgtendError) if kind.code == code), None)


def _known(root: type[PgtendError]) -> Iterable[type[PgtendError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _known(kind)


def _import_room(word: str) -> None:
    """Import what belongs to a room; ours at Airflow has pages and callbacks below it that need not be known."""
    name = "pgtend_airflow" if word == "airflow" else f"pgtend.{word}"
    room = find_spec(name) if word.isidentifier() else None
    folders = (room and room.submodule_search_locations) or ()
    list_modules = pkgutil.iter_modules if word == "airflow" else pkgutil.walk_packages
    for module in list_modules(folders, f"{name}."):
        importlib.import_module(module.name)
