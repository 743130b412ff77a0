"""Statistics for the planner, made once all rows are there and all indexes: the large tables side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.kernel.sizes import Bytes
from pgtend.postgres.identifiers import listed, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

_ROOM = __package__ or ""
_SMALL = Bytes.parse("1 MB")
_AT_ONCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzable:
    """A table or a materialized view."""

    schema: str
    name: str
    size: int


READ_ANALYZABLE = query(_ROOM, "read_analyzable", Analyzable)
ANALYZE_TABLES = command(_ROOM, "analyze_tables")


def bundled(tables: Sequence[Analyzable]) -> list[tuple[Analyzable, ...]]:
    """Decide what is analyzed by one statement: a large table by itself, the largest first, and small ones together."""
    ordered = sorted(tables, key=lambda one: -one.size)
    large = [(one,) for one in ordered if one.size >= _SMALL]
    rest = range(len(large), len(ordered), _AT_ONCE)
    return [*large, *(tuple(ordered[first : first + _AT_ONCE]) for first in rest)]


def analyze_tables(session: Session, tables: Sequence[Analyzable]) -> None:
    """Make statistics of some tables; each is a transaction of its own."""
    session.run(ANALYZE_TABLES, tables=listed(relation(one.schema, one.name) for one in tables))
