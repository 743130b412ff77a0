"""Whether a table still is what was planned for: a run takes hours, and meanwhile somebody may change the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.archive.errors import TableChanged
from pgtend.archive.facts import LeafFacts
from pgtend.archive.names import Names
from pgtend.archive.preflight import Reading
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The columns of a table, and the foreign keys that point at it."""

    columns: Sequence[str]
    foreign_keys: Sequence[str]


READ_SHAPE = query(__package__ or "", "read_shape", Shape)
KEEP_SHAPE = command(__package__ or "", "keep_shape")


def keep_shape(session: Session, reading: Reading, leaf: LeafFacts) -> None:
    """Let a table stay as it was planned for to the end of a transaction, whose first statement this has to be."""
    session.run(KEEP_SHAPE, table=relation(leaf.schema, leaf.name))
    require_shape(session, reading, leaf)


def require_shape(session: Session, reading: Reading, leaf: LeafFacts) -> None:
    """Stop when a column would be left behind, or when a row of another table would go that was not asked about."""
    now = session.row(READ_SHAPE, {"relation": reading.facts.oid, "leaf": leaf.oid})
    planned = sorted(one.name for one in reading.references)
    if (list(now.columns), sorted(now.foreign_keys)) != (reading.layout.described, planned):
        raise table_changed(reading.names)


def table_changed(names: Names) -> TableChanged:
    """Say that a table is not what was planned for any more."""
    return TableChanged(
        f"{names} was changed by somebody while it was worked on",
        detail="It has other columns, or other tables point at it. What was begun with it was undone.",
        hint="It is planned anew when it is tried again; see docs/runbooks/archive-refused.md.",
    )
