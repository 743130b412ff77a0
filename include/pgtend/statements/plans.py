"""Asks for the plans of statements without running one, and keeps of them what cannot be a value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from pgtend.kernel.digests import canonical_json
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.postgres.errors import LockedOut, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import whole_statement
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Document, command, query
from pgtend.statements.scrub import Kind, read_tokens, scrub

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
_PLANNED = frozenset({"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"})
_GENERIC_SINCE = 16
# Somebody who locks a table keeps its statements from being planned, and nothing else of the night.
_OF_ONE_STATEMENT = (LockedOut, StatementTimeout, TransactionLost)
_NAMES = frozenset({
    "Node Type", "Parent Relationship", "Strategy", "Partial Mode", "Join Type", "Operation", "Command",
    "Relation Name", "Schema", "Alias", "Index Name", "CTE Name", "Function Name", "Subplan Name", "Scan Direction",
    "Setup",
})  # fmt: skip
_FIGURES = frozenset({
    "Startup Cost", "Total Cost", "Plan Rows", "Plan Width", "Parallel Aware", "Async Capable", "Inner Unique",
    "Single Copy", "Workers Planned", "Subplans Removed", "Disabled",
})  # fmt: skip
_CONDITIONS = frozenset({
    "Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Sort Key", "Group Key",
    "Presorted Key", "One-Time Filter", "TID Cond", "Cache Key", "Order By",
})  # fmt: skip
# What the server writes for a literal with its type in front, it does not read again.
_TYPED = re.compile(
    r"\b(interval|timestamptz|timestamp(?: with(?:out)? time zone)?|date|time)\s+(\$\d+)", re.IGNORECASE
)
_EXTRACTED = re.compile(r"\bextract\s*\(\s*(\$\d+)\s+from\s+", re.IGNORECASE)
_SHAPE = ("Node Type", "Join Type", "Relation Name", "Index Name", "Strategy")


@dataclass(frozen=True, slots=True)
class SearchPath:
    """Where a role looks for names."""

    search_path: str


READ_SEARCH_PATH = query(__package__ or "", "read_search_path", SearchPath)
LOOK_THERE = query(__package__ or "", "look_there", SearchPath)
ONLY_READ = command(__package__ or "", "only_read")
EXPLAIN_GENERIC = query(__package__ or "", "explain_generic", Document)
PREPARE_STATEMENT = command(__package__ or "", "prepare_statement")
FORCE_GENERIC = command(__package__ or "", "force_generic")
EXPLAIN_PREPARED = query(__package__ or "", "explain_prepared", Document)
FORGET_PREPARED = command(__package__ or "", "forget_prepared")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The generic plan of a statement, or why there is none."""

    tree: Mapping[str, Json] | None = None
    shape: str = ""
    cost: float | None = None
    remark: str = ""


def ask_plan(session: Session, text: str, role: str) -> Plan:
    """Ask for the generic plan of a scrubbed statement in a transaction that can change nothing.

    A statement that cannot be planned by its text alone is no failure of ours: the remark says why.
    """
    if not can_be_planned(text):
        return Plan(remark="only reading and changing of rows is planned")
    # A prepared statement outlives its transaction, also one that failed.
    session.run(FORGET_PREPARED)
    try:
        with session.transaction():
            session.run(ONLY_READ)
            path = session.row(READ_SEARCH_PATH, {"role": role}).search_path
            session.row(LOOK_THERE, {"search_path": path})
            ask = _generic if session.facts.major >= _GENERIC_SINCE else _prepared
            answer = ask(session, readable(text))
    except PgtendError as error:
        if isinstance(error, Outage) and not isinstance(error, _OF_ONE_STATEMENT):
            raise
        # What the server says of a foreign statement may quote it: only the kind of its answer is kept.
        return Plan(remark=f"the server gives no plan for it [{error.code}]")
    return read_plan(answer)


def readable(text: str) -> str:
    """Write a statement of the server's counters so that the server reads it: `interval $1` as `$1::interval`."""
    return _EXTRACTED.sub(r"date_part(\1, ", _TYPED.sub(r"\2::\1", text))


def can_be_planned(text: str) -> bool:
    """Tell whether this is one statement that reads or changes rows, and nothing else behind it."""
    tokens = list(read_tokens(text))
    return bool(tokens) and tokens[0].text.upper() in _PLANNED and all(token.text != ";" for token in tokens)


def read_plan(answer: object) -> Plan:
    """Keep of an answer what cannot be a value: names, figures, and conditions without their literals."""
    parsed = cast("Sequence[Mapping[str, Json]]", json.loads(answer) if isinstance(answer, str) else answer)
    tree = without_values(cast("Mapping[str, Json]", parsed[0]["Plan"]))
    cost = tree.get("Total Cost")
    return Plan(tree=tree, shape=shape_of(tree), cost=float(cost) if isinstance(cost, int | float) else None)


def without_values(node: Mapping[str, Json]) -> dict[str, Json]:
    """Copy a node of a plan, leaving out every field that is not known to be harmless."""
    kept = dict(_kept_fields(node))
    children = node.get("Plans")
    if isinstance(children, list):
        kept["Plans"] = [without_values(child) for child in children if isinstance(child, dict)]
    return kept


def shape_of(tree: Mapping[str, Json]) -> str:
    """Name the shape of a plan: which nodes, tables and indexes, whatever the figures."""
    return hashlib.sha256(canonical_json(_shape(tree))).hexdigest()[:16]


def _kept_fields(node: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, value in node.items():
        if name in _NAMES or name in _FIGURES:
            yield name, value
        elif name in _CONDITIONS and isinstance(value, list):
            yield name, [scrub(str(part)) for part in value]
        elif name in _CONDITIONS:
            yield name, scrub(str(value))


def _shape(node: Mapping[str, Json]) -> Json:
    children = node.get("Plans")
    inner = [_shape(child) for child in children if isinstance(child, dict)] if isinstance(children, list) else []
    return [*(str(node.get(name, "")) for name in _SHAPE), inner]


def _generic(session: Session, text: str) -> object:
    return session.document(EXPLAIN_GENERIC, statement=whole_statement(text))


def _prepared(session: Session, text: str) -> object:
    amount = max((int(found) for found in _parameters(text)), default=0)
    values = whole_statement(f"({', '.join(['NULL'] * amount)})" if amount else "")
    session.run(PREPARE_STATEMENT, statement=whole_statement(text))
    session.run(FORCE_GENERIC)
    return session.document(EXPLAIN_PREPARED, values=values)


def _parameters(text: str) -> Iterator[str]:
    for token in read_tokens(text):
        if token.kind is Kind.PARAMETER:
            yield re.sub(r"\D", "", token.text)
