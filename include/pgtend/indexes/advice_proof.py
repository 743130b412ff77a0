"""Proves advice on a copy: builds the index there, runs statements with and without it, and counts what writers pay.

The copy is thrown away afterwards, and holds the rows of production. Values to run statements with are read from it,
are held in memory for as long as a statement runs, and are written down nowhere.
"""

from __future__ import annotations

import json
import math
import re
import statistics
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn, cast

from pgtend.indexes.advice_model import NOISE, Candidate, Proof, Statement, TableColumns
from pgtend.indexes.advice_sources import read_tables
from pgtend.kernel.errors import Misconfigured, PgtendError
from pgtend.kernel.progress import Progress
from pgtend.postgres.errors import ConnectionLost
from pgtend.postgres.identifiers import Composable, column, from_catalogue, listed, relation, text, whole_statement
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Document, command, query
from pgtend.statements.plans import FORGET_PREPARED, READ_SEARCH_PATH, Json, ask_plan, can_be_planned, shape_of

_ROUNDS = 5
_PLACES = (0.1, 0.5, 0.9)
_A_DAY = timedelta(days=28) / timedelta(days=1)
_BOUND = re.compile(r'(?:\w+\.)?("[^"]+"|\w+)\)?(?:::[\w ]+)? (?:=|<>|<=|>=|<|>|~~\*?|@>|\?) \(?\$(\d+)')
_USUAL: Mapping[str, str] = {
    "integer": "20", "bigint": "20", "smallint": "20", "numeric": "1", "double precision": "1", "real": "1",
    "interval": "30 days", "boolean": "true", "date": "today", "text": "", "character varying": "",
    "timestamp with time zone": "now", "timestamp without time zone": "now", "jsonb": "{}", "json": "{}",
}  # fmt: skip


class NoCopy(Misconfigured):
    """Advice can only be proved on a copy, and this is no copy of the database."""

    code = "indexes.no_copy"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The types of the values a statement lacks."""

    types: Sequence[str]


@dataclass(frozen=True, slots=True)
class SampledValue:
    """A value of a column; it never leaves memory."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """How plans are chosen and names found, as the server took it."""

    plans: str
    search_path: str


@dataclass(frozen=True, slots=True)
class BuiltSize:
    """How large an index became."""

    size: int


CREATE_INDEX = command(__package__ or "", "create_index")
DROP_COPY_INDEX = command(__package__ or "", "drop_copy_index")
ANALYZE_COPY = command(__package__ or "", "analyze_copy")
MEASURE_STATEMENT = query(__package__ or "", "measure_statement", Document)
PREPARE_ASKED = command(__package__ or "", "prepare_asked")
READ_PARAMETERS = query(__package__ or "", "read_parameters", Parameters)
SAMPLE_VALUES = query(__package__ or "", "sample_values", SampledValue)
CHOOSE_CUSTOM_PLANS = query(__package__ or "", "choose_custom_plans", PlanChoice)
READ_RELATION_SIZE = query(__package__ or "", "read_relation_size", BuiltSize)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A statement with values to run it with, each set from one place of its tables."""

    statement: Statement
    search_path: str
    values: tuple[Composable, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a statement took, and by which plans."""

    milliseconds: float
    plans: tuple[str, ...]


class _RolledBack(Exception):
    """Carries a measurement out of a transaction whose changes must not stay."""


def prove_on_copy(
    session: Session,
    candidates: Sequence[Candidate],
    statements: Sequence[Statement],
    progress: Progress,
    *,
    closes_at: float = math.inf,
) -> Mapping[str, Proof]:
    """Try each candidate on a throwaway copy of the database, and give what was measured, by the candidate's name.

    After the monotonic time `closes_at` none is begun, and those that remain have no proof.
    """
    if not candidates:
        return {}
    tables = read_tables(session)
    asked = tuple(dict.fromkeys((*statements, *(one for candidate in candidates for one in candidate.helps))))
    ready = [made for statement in asked if (made := make_ready(session, statement, tables)) is not None]
    progress(f"{len(ready)} of {len(asked)} statements can be run on the copy")
    proofs: dict[str, Proof] = {}
    before = {made.statement: measure(session, made) for made in ready}
    for candidate in candidates:
        if time.monotonic() > closes_at:
            progress(f"the time is over: {len(candidates) - candidates.index(candidate)} candidates were not tried")
            break
        try:
            proofs[candidate.name] = _prove(session, candidate, ready, before)
        except ConnectionLost:
            raise
        except PgtendError as error:
            progress(f"{candidate.schema}.{candidate.name} could not be tried on the copy [{error.code}]")
        else:
            progress(f"{candidate.schema}.{candidate.name}: {proofs[candidate.name].gain:.0%} faster on the copy")
    return proofs


def refuse_original(copy: Session, original: Session) -> None:
    """Refuse to try anything on the database itself."""
    same = copy.facts.system_identifier == original.facts.system_identifier
    if same and copy.facts.database == original.facts.database:
        raise NoCopy(
            "this is the database itself, and not a copy of it",
            detail="Advice is proved by building indexes and running statements, which only a copy may suffer.",
            hint="Restore one with `pgtend restore`, and name the connection that leads to it.",
        )


def make_ready(session: Session, statement: Statement, tables: Mapping[str, TableColumns]) -> Ready | None:
    """Find values for a statement; None when it cannot be run by itself."""
    if not can_be_planned(statement.text):
        return None
    path = session.row(READ_SEARCH_PATH, {"role": statement.role}).search_path
    bound = _bound_columns(session, statement, tables)
    try:
        with _prepared(session, statement, path):
            types = session.row(READ_PARAMETERS).types
        written = dict.fromkeys(_values(session, types, bound, place) for place in _PLACES)
        values = tuple(whole_statement(one) for one in written)
        made = Ready(statement=statement, search_path=path, values=values)
        measure(session, made, rounds=1)
    except ConnectionLost:
        raise
    except PgtendError:
        # A statement that needs more than its values, such as rows that are not there, proves and disproves nothing.
        return None
    return made


def measure(session: Session, ready: Ready, rounds: int = _ROUNDS) -> Measured:
    """Run a statement several times with each set of values, and give the median of the time."""
    took: list[float] = []
    plans: list[str] = []
    for values in ready.values:
        runs = [_run(session, ready, values) for _ in range(rounds)]
        took.append(statistics.median(run.milliseconds for run in runs))
        plans += runs[-1].plans
    return Measured(statistics.fmean(took), tuple(plans))


def time_after(statement: Statement, before: Measured, after: Measured) -> float:
    """Tell how long a statement takes after a change; a read by the same plan takes as long as before.

    On a busy machine the times of the same plan differ by more than the harm that refutes a candidate. Writers pay for
    an index without a word of it in their plans, so their times count as they were measured.
    """
    is_same = before.plans == after.plans and not statement.writes
    return before.milliseconds if is_same else after.milliseconds


def _prove(
    session: Session, candidate: Candidate, ready: Sequence[Ready], before: Mapping[Statement, Measured]
) -> Proof:
    table = relation(candidate.schema, candidate.table)
    began = time.monotonic()
    if candidate.is_new:
        session.run(CREATE_INDEX, new=column(candidate.name), table=table, shape=from_catalogue(candidate.shape))
        took = timedelta(seconds=time.monotonic() - began)
        session.run(ANALYZE_COPY, table=table)
        named = {"schema": candidate.schema, "name": candidate.name}
        size = session.row(READ_RELATION_SIZE, named).size
    else:
        named = {"schema": candidate.schema, "name": candidate.name}
        size, took = session.row(READ_RELATION_SIZE, named).size, timedelta()
    try:
        if not candidate.is_new:
            session.run(DROP_COPY_INDEX, index=relation(candidate.schema, candidate.name))
        after = {made.statement: measure(session, made) for made in ready}
    finally:
        _put_back(session, candidate)
    times = {one: time_after(one, before[one], found) for one, found in after.items()}
    return weigh(candidate, {one: found.milliseconds for one, found in before.items()}, times, size, took)


def weigh(
    candidate: Candidate,
    before: Mapping[Statement, float],
    after: Mapping[Statement, float],
    size: int,
    took: timedelta,
) -> Proof:
    """Compare what was measured with and without a change of indexes."""
    shares = {one: _share(before[one], after[one]) for one in before}
    helped = [share for one, share in shares.items() if one in candidate.helps]
    harmed = [-share for one, share in shares.items() if after[one] - before[one] > NOISE]
    milliseconds = {one: (before[one] - after[one]) * one.calls / _A_DAY for one in before}
    return Proof(
        gain=max(helped, default=0.0),
        worst_harm=max(harmed, default=0.0),
        write_cost=-sum(saved for one, saved in milliseconds.items() if one.writes and saved < 0) / 1000,
        saved=sum(saved for one, saved in milliseconds.items() if saved > 0 and one in candidate.helps) / 1000,
        size=size,
        took_to_build=took,
    )


def _share(before: float, after: float) -> float:
    return (before - after) / before if before > 0 else 0.0


def _put_back(session: Session, candidate: Candidate) -> None:
    if candidate.is_new:
        session.run(DROP_COPY_INDEX, index=relation(candidate.schema, candidate.name))
        return
    shape = re.sub(r"^CREATE (?:UNIQUE )?INDEX .+? ON (?:ONLY )?\S+ ", "", candidate.definition)
    table = relation(candidate.schema, candidate.table)
    session.run(CREATE_INDEX, new=column(candidate.name), table=table, shape=from_catalogue(shape))


@contextmanager
def _prepared(session: Session, statement: Statement, path: str) -> Generator[None]:
    """Hold a prepared statement in a transaction whose changes never stay."""
    # A prepared statement outlives its transaction, also one that failed.
    session.run(FORGET_PREPARED)
    try:
        with session.transaction():
            session.row(CHOOSE_CUSTOM_PLANS, {"search_path": path})
            session.run(PREPARE_ASKED, statement=whole_statement(statement.text))
            yield
            _roll_back()
    except _RolledBack:
        return


def _roll_back() -> NoReturn:
    raise _RolledBack


def _run(session: Session, ready: Ready, values: Composable) -> Measured:
    with _prepared(session, ready.statement, ready.search_path):
        answer = session.document(MEASURE_STATEMENT, values=values)
    parsed = cast("Sequence[Mapping[str, Json]]", json.loads(answer) if isinstance(answer, str) else answer)
    took = parsed[0]["Execution Time"]
    plan = parsed[0]["Plan"]
    shape = shape_of(plan) if isinstance(plan, dict) else ""
    return Measured(float(took) if isinstance(took, int | float) else 0.0, (shape,))


def _bound_columns(
    session: Session, statement: Statement, tables: Mapping[str, TableColumns]
) -> Mapping[int, tuple[TableColumns, str]]:
    """Tell from the plan which column each missing value is compared with."""
    tree = ask_plan(session, statement.text, statement.role).tree
    found: dict[int, tuple[TableColumns, str]] = {}
    for name, condition in _conditions(tree or {}):
        table = tables.get(name)
        for bound, number in _BOUND.findall(condition):
            if table is not None and bound.strip('"') in table.types:
                found.setdefault(int(number), (table, bound.strip('"')))
    return found


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


def _values(session: Session, types: Sequence[str], bound: Mapping[int, tuple[TableColumns, str]], place: float) -> str:
    """Write one set of values: of one row of each table, so that they belong together."""
    parts = [text(_value(session, kind, bound.get(number), place)) for number, kind in enumerate(types, start=1)]
    return f"({listed(parts).as_string(None)})" if parts else ""


def _value(session: Session, kind: str, bound: tuple[TableColumns, str] | None, place: float) -> str:
    if bound is not None:
        table, name = bound
        where = relation(table.schema, table.name)
        asked = {"place": int(table.rows * place)}
        found = session.rows(SAMPLE_VALUES, asked, table=where, column=column(name))
        if found:
            return f"{{{found[0].value}}}" if kind.endswith("[]") else found[0].value
    return "{}" if kind.endswith("[]") else _USUAL.get(kind, "")
