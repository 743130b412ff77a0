"""Makes sealed months small without leaving PostgreSQL: written once more, sorted, without gaps, with tiny indexes.

PostgreSQL compresses no row that is shorter than 2 kB, so what can be saved is what lies between columns, and the
indexes: nobody writes into a sealed month, so its key need not be guarded any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pgtend.archive.detach import RENAME_MONTH
from pgtend.archive.facts import ColumnFacts
from pgtend.archive.leaving import DROP_MONTH
from pgtend.archive.memory import units_of
from pgtend.archive.model import State, Unit
from pgtend.archive.names import SCHEMA
from pgtend.archive.seal import ADD_BRIN, FREEZE_MONTH, READ_INDEXES, compare, digest, oid_of
from pgtend.archive.tables import DESCRIBE_ARCHIVE, Shelf, find, partition_of
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.errors import LockedOut
from pgtend.postgres.identifiers import column, columns, relation, text
from pgtend.sqlfiles import command

PACKED = "Packed by pgtend: sorted, and without a primary key."
"""The comment by which a packed month is known."""
_WIDTHS: Final = (
    frozenset({"int8", "float8", "timestamp", "timestamptz", "time", "money"}),
    frozenset({"int4", "float4", "date", "oid"}),
    frozenset({"int2"}),
    frozenset({"bool", "uuid"}),
)
"""Types by what they are aligned to, widest first; all others have a length of their own and come last."""

CREATE_PACKED = command(__package__ or "", "create_packed")
REQUIRE_VALUE = command(__package__ or "", "require_value")
DETACH_FOR_PACKED = command(__package__ or "", "detach_for_packed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A month that was made small."""

    unit: Unit
    before: Bytes
    after: Bytes


def unpacked(shelf: Shelf) -> Sequence[Unit]:
    """List the sealed months that were not made small yet, or not again since a late row came."""
    sealed = [unit for unit in units_of(shelf.session, shelf.names) if unit.stands is State.SEALED and unit.rows]
    return [
        unit
        for unit in sealed
        if not shelf.session.row(READ_INDEXES, {"relation": oid_of(shelf.session, unit)}).is_packed
    ]


def pack_month(shelf: Shelf, unit: Unit, person: str) -> Packed | None:
    """Write a month again, compare it with the ledger, and exchange the two; none when readers were in the way."""
    session, old = shelf.session, partition_of(unit)
    name = f"packed_{unit.source_id}_{unit.month:%Y_%m}"
    new = relation(SCHEMA, name)
    before = session.row(READ_INDEXES, {"relation": oid_of(session, unit)}).size
    if find(session, SCHEMA, name) is not None:
        # An interrupted run left it behind.
        session.run(DROP_MONTH, partition=new)
    order = [person, shelf.layout.by.name] if person else [shelf.layout.by.name]
    archived = shelf.archived_columns()
    without_gaps = columns(one.name for one in sorted(archived, key=_place))
    session.run(CREATE_PACKED, new=new, table=old, columns=without_gaps, key=columns(order))
    for one in archived:
        if one.is_required:
            session.run(REQUIRE_VALUE, table=new, column=column(one.name))
    for by in order:
        session.run(ADD_BRIN, partition=new, time=column(by))
    session.run(FREEZE_MONTH, partition=new)
    compare(shelf.names, unit, digest(session, new, unit, shelf.layout), "its packed table")
    try:
        _exchange(shelf, unit, name)
    except LockedOut:
        session.run(DROP_MONTH, partition=new)
        return None
    after = session.row(READ_INDEXES, {"relation": oid_of(session, unit)}).size
    return Packed(unit=unit, before=Bytes(before), after=Bytes(after))


def _place(one: ColumnFacts) -> tuple[int, int]:
    width = next((place for place, types in enumerate(_WIDTHS) if one.type in types), len(_WIDTHS))
    return width, one.place


def _exchange(shelf: Shelf, unit: Unit, name: str) -> None:
    session, old = shelf.session, partition_of(unit)
    with session.transaction():
        session.run(DETACH_FOR_PACKED, archive=shelf.names.archive, partition=old)
        session.run(DROP_MONTH, partition=old)
        session.run(RENAME_MONTH, partition=relation(SCHEMA, name), new=column(unit.partition))
        shelf.attach(unit.month, old)
        shelf.give(old)
        session.run(DESCRIBE_ARCHIVE, archive=old, comment=text(PACKED))
