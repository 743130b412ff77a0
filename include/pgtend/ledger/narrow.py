"""Runs that are asked for a part of a database: what they left out nobody has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.ledger.model import Run
from pgtend.sqlfiles import command


@dataclass(frozen=True, slots=True)
class NarrowRun:
    """What a run was asked for."""

    database: str
    asked: str


RECORD_NARROW_RUN = command(__package__ or "", "record_narrow_run")


def note_narrow(run: Run, database: str, asked: Sequence[str]) -> None:
    """Write down what a run was asked for, where that is not everything, before it does anything."""
    if asked:
        run.add(RECORD_NARROW_RUN, [NarrowRun(database, ", ".join(asked))])
