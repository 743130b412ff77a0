"""Finds values to plan or to run a statement with whose own were taken out.

They are values of production. They are held in memory for as long as a statement needs them, and written down nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pgtend.indexes.advice_model import Statement, TableColumns
from pgtend.postgres.identifiers import Composable, column, listed, relation, text, whole_statement
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query
from pgtend.statements.plans import Json, ask_plan

Bound: TypeAlias = Mapping[int, tuple[TableColumns, str]]
"""The column that each missing value is compared with."""
Source: TypeAlias = Callable[[TableColumns, str, float], "str | None"]
"""Gives a value of a column from some place of it, from 0 to 1."""
PLACES = (0.1, 0.5, 0.9)
_BOUND = re.compile(r'(?:\w+\.)?("[^"]+"|\w+)\)?(?:::[\w ]+)? (?:=|<>|<=|>=|<|>|~~\*?|@>|<@|&&|\?[|&]?) \(?\$(\d+)')
_USUAL: Mapping[str, str] = {
    "integer": "20", "bigint": "20", "smallint": "20", "numeric": "1", "double precision": "1", "real": "1",
    "interval": "30 days", "boolean": "true", "date": "today", "text": "", "character varying": "",
    "timestamp with time zone": "now", "timestamp without time zone": "now", "jsonb": "{}", "json": "{}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampledValue:
    """A value of a column; it never leaves memory."""

    value: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The types of the values a statement lacks."""

    types: Sequence[str]


READ_PARAMETERS = query(__package__ or "", "read_parameters", Parameters)
SAMPLE_VALUES = query(__package__ or "", "sample_values", SampledValue)
SAMPLE_STATISTICS = query(__package__ or "", "sample_statistics", SampledValue)


def bound_columns(session: Session, statement: Statement, tables: Mapping[str, TableColumns]) -> Bound:
    """Tell from the plan which column each missing value is compared with."""
    tree = ask_plan(session, statement.text, statement.role).tree
    found: dict[int, tuple[TableColumns, str]] = {}
    for name, condition in _conditions(tree or {}):
        table = tables.get(name)
        for bound, number in _BOUND.findall(condition):
            if table is not None and bound.strip('"') in table.types:
                found.setdefault(int(number), (table, bound.strip('"')))
    return found


def values_for(types: Sequence[str], bound: Bound, source: Source) -> tuple[Composable, ...]:
    """Write sets of values, each from one place of the tables, so that they belong together."""
    written = dict.fromkeys(_set_of_values(types, bound, source, place) for place in PLACES)
    return tuple(whole_statement(one) for one in written)


def from_rows(session: Session) -> Source:
    """Take values from rows: of a copy, where reading them disturbs nobody."""

    def value(table: TableColumns, name: str, place: float) -> str | None:
        where = relation(table.schema, table.name)
        found = session.rows(SAMPLE_VALUES, {"place": int(table.rows * place)}, table=where, column=column(name))
        return found[0].value if found else None

    return value


def from_statistics(session: Session) -> Source:
    """Take values from the planner's statistics, which costs production nothing."""

    def value(table: TableColumns, name: str, place: float) -> str | None:
        asked = {"place": place, "schema": table.schema, "table": table.name, "column": name}
        found = session.rows(SAMPLE_STATISTICS, asked)
        return found[0].value if found else None

    return value


def _set_of_values(types: Sequence[str], bound: Bound, source: Source, place: float) -> str:
    parts = [text(_value(kind, bound.get(number), source, place)) for number, kind in enumerate(types, start=1)]
    return f"({listed(parts).as_string(None)})" if parts else ""


def _value(kind: str, bound: tuple[TableColumns, str] | None, source: Source, place: float) -> str:
    found = source(*bound, place) if bound is not None else None
    if found is None:
        return "{}" if kind.endswith("[]") else _USUAL.get(kind, "")
    is_one_of = bound is not None and kind.endswith("[]") and not bound[0].types[bound[1]].endswith("[]")
    return f"{{{found}}}" if is_one_of else found


def _conditions(node: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for part in ("Filter", "Index Cond", "Recheck Cond"):
        value = node.get(part)
        if isinstance(value, str):
            yield str(node.get("Relation Name", "")), value
    children = node.get("Plans")
    for child in children if isinstance(children, list) else ():
        if isinstance(child, dict):
            inner = {**child, "Relation Name": child.get("Relation Name", node.get("Relation Name", ""))}
            yield from _conditions(inner)
