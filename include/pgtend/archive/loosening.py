"""Takes off a month that left as a whole what it brought along from its table: foreign keys and checks.

A month whose rows were moved has none of them. One that kept its foreign keys would lose archived rows when somebody
deletes what they point at, and one that kept its checks would refuse late rows that the table takes by now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from pgtend.archive.memory import units_of
from pgtend.archive.model import Unit
from pgtend.archive.names import SCHEMA
from pgtend.archive.tables import Shelf, find, partition_of
from pgtend.kernel.progress import Progress
from pgtend.postgres.errors import LockedOut
from pgtend.postgres.identifiers import column
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRule:
    """A foreign key or a check of a month."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """How long a transaction waits for locks."""

    patience: str


READ_OWN_RULES = query(__package__ or "", "read_own_rules", OwnRule)
DROP_OWN_RULE = command(__package__ or "", "drop_own_rule")
BE_BRIEF = query(__package__ or "", "be_brief", Brief)
_TRIES = 5
_PAUSE = 0.2


def loosen(shelf: Shelf, progress: Progress) -> None:
    """Loosen every month that left as a whole; where somebody is in the way, the next run tries again."""
    for unit in units_of(shelf.session, shelf.names):
        there = find(shelf.session, SCHEMA, unit.partition) if unit.came_from and unit.stands.is_in_database else None
        for rule in shelf.session.rows(READ_OWN_RULES, {"relation": there.oid}) if there else ():
            if not _drop(shelf, unit, rule.name):
                progress(f"{shelf.names} {unit.label}: somebody is in the way of dropping {rule.name}")


def _drop(shelf: Shelf, unit: Unit, name: str) -> bool:
    """Drop one of them; it takes a lock of what a foreign key points at, so nobody is kept waiting for long."""
    for _ in range(_TRIES):
        try:
            with shelf.session.transaction():
                shelf.session.row(BE_BRIEF)
                shelf.session.run(DROP_OWN_RULE, partition=partition_of(unit), constraint=column(name))
        except LockedOut:
            time.sleep(_PAUSE)
        else:
            return True
    return False
