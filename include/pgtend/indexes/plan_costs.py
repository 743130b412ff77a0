"""Asks what the planner thinks the dearest statements of a table cost, before a rebuild and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pgtend.indexes.advice_model import Statement
from pgtend.postgres.session import Session
from pgtend.statements.plans import Json, ask_plan


@dataclass(slots=True)
class TopStatements:
    """The statements of a database that cost most, and which tables each of them reads, once that was asked."""

    statements: Sequence[Statement]
    _tables: dict[Statement, frozenset[str]] = field(default_factory=dict[Statement, frozenset[str]])

    def cost(self, session: Session, table: str) -> float | None:
        """Add up what the plans of the statements of a table cost; None when no statement of it can be planned."""
        costs = [cost for one in self.statements if (cost := self._cost(session, one, table)) is not None]
        return sum(costs) if costs else None

    def _cost(self, session: Session, statement: Statement, table: str) -> float | None:
        if table not in self._tables.get(statement, {table}):
            return None
        plan = ask_plan(session, statement.text, statement.role)
        self._tables[statement] = frozenset(tables_of(plan.tree or {}))
        return plan.cost if table in self._tables[statement] else None


def tables_of(node: Mapping[str, Json]) -> Iterator[str]:
    """Name the tables that a plan reads or changes."""
    name = node.get("Relation Name")
    if isinstance(name, str):
        yield name
    children = node.get("Plans")
    for child in children if isinstance(children, list) else ():
        if isinstance(child, dict):
            yield from tables_of(child)
