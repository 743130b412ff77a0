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
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn, cast

from pgtend.indexes.advice_model import NOISE, Candidate, Proof, Statement, TableColumns
from pgtend.indexes.advice_planner import CHOOSE_CUSTOM_PLANS, PREPARE_ASKED
from pgtend.indexes.advice_sources import read_tables
from pgtend.indexes.advice_values import READ_PARAMETERS, bound_columns, from_rows, values_for
from pgtend.kernel.errors import Misconfigured, PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.postgres.errors import ConnectionLost
from pgtend.postgres.identifiers import Composable, column, from_catalogue, relation, whole_statement
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Document, command, query
from pgtend.statements.plans import FORGET_PREPARED, READ_SEARCH_PATH, Json, can_be_planned, readable, shape_of

_FEWEST = 2
_ROUNDS = 5
# Milliseconds that all runs of a statement with one set of values take together.
_LONG = 200.0
# A difference by less than half may be chance, and is worth so many times the rounds.
_PLAINLY = 1.5
_DOUBTS = 4
# The planner knows of columns what it needs; of an expression it learns with the first index on it.
_EXPRESSION = re.compile(r"\w\(")
_A_DAY = timedelta(days=28) / timedelta(days=1)


class NoCopy(Misconfigured):
    """Advice can only be proved on a copy, and this is no copy of the database."""

    code = "indexes.no_copy"


@dataclass(frozen=True, slots=True)
class BuiltSize:
    """How large an index became."""

    size: int


CREATE_INDEX = command(__package__ or "", "create_index")
DROP_COPY_INDEX = command(__package__ or "", "drop_copy_index")
ANALYZE_COPY = command(__package__ or "", "analyze_copy")
VACUUM_COPY = command(__package__ or "", "vacuum_copy")
MEASURE_STATEMENT = query(__package__ or "", "measure_statement", Document)
READ_RELATION_SIZE = query(__package__ or "", "read_relation_size", BuiltSize)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A statement with values to run it with, each set from one place of its tables."""

    statement: Statement
    search_path: str
    values: tuple[Composable, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a statement took, and by which plan."""

    milliseconds: float
    plan: str


@dataclass(frozen=True, slots=True)
class Compared:
    """How many milliseconds a statement took while some indexes were there, and while they were gone."""

    there: float
    gone: float


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
    for schema, name in dict.fromkeys((one.schema, one.table) for one in candidates):
        session.run(VACUUM_COPY, table=relation(schema, name))
    asked = tuple(dict.fromkeys((*statements, *(one for candidate in candidates for one in candidate.helps))))
    ready = [made for statement in asked if (made := make_ready(session, statement, tables)) is not None]
    progress(f"{len(ready)} of {counted(len(asked), 'statement')} can be run on the copy")
    proofs: dict[str, Proof] = {}
    for candidate in candidates:
        if time.monotonic() > closes_at:
            untried = counted(len(candidates) - candidates.index(candidate), "candidate")
            progress(f"the time is over: {untried} not tried")
            break
        try:
            proofs[candidate.name] = _prove(session, candidate, touching(candidate.table, ready))
        except ConnectionLost:
            raise
        except PgtendError as error:
            progress(f"{candidate.schema}.{candidate.name} could not be tried on the copy [{error.code}]")
        else:
            progress(f"{candidate.schema}.{candidate.name}: {proofs[candidate.name].gain:.0%} faster on the copy")
    return proofs


def touching(table: str, ready: Sequence[Ready]) -> list[Ready]:
    """Choose the statements that an index of a table can help or harm: whatever writes may reach it by a trigger."""
    return [made for made in ready if made.statement.writes or table in re.findall(r"\w+", made.statement.text)]


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
    bound = bound_columns(session, statement, tables)
    try:
        with _prepared(session, statement, path):
            types = session.row(READ_PARAMETERS).types
        values = values_for(types, bound, from_rows(session))
        made = Ready(statement=statement, search_path=path, values=values)
        for one in values:
            _run(session, made, one)
    except ConnectionLost:
        raise
    except PgtendError:
        # A statement that needs more than its values, such as rows that are not there, proves and disproves nothing.
        return None
    return made


def compare(session: Session, ready: Ready, indexes: Sequence[Composable]) -> Compared:
    """Run a statement with some indexes and without them, by turns, and give the least: the rest is what others did.

    The indexes are there, and are dropped in a transaction that is rolled back. What else the machine does then slows
    both turns alike. What takes long differs little from run to run, and is not run often.
    """
    found: list[Compared] = []
    for values in ready.values:
        pairs: list[tuple[Measured, Measured]] = []
        while is_open(ready.statement, pairs):
            pairs.append((_run(session, ready, values), _run(session, ready, values, without=indexes)))
        found.append(least(ready.statement, pairs))
    return Compared(statistics.fmean(one.there for one in found), statistics.fmean(one.gone for one in found))


def is_open(statement: Statement, pairs: Sequence[tuple[Measured, Measured]]) -> bool:
    """Tell whether another pair of runs could say more: harm refutes a candidate, so it must not be chance."""
    if len(pairs) < _FEWEST:
        return not pairs or not _is_same(statement, pairs)
    so_far = least(statement, pairs)
    less, more = sorted((so_far.there, so_far.gone))
    is_doubtful = less + NOISE < more < _PLAINLY * less
    rounds, room = (_ROUNDS * _DOUBTS, _LONG * _DOUBTS) if is_doubtful else (_ROUNDS, _LONG)
    return len(pairs) < rounds and sum(there.milliseconds + gone.milliseconds for there, gone in pairs) < room


def least(statement: Statement, pairs: Sequence[tuple[Measured, Measured]]) -> Compared:
    """Give the best time of each side; a read by the same plan takes as long on both.

    On a busy machine the times of the same plan differ by more than the harm that refutes a candidate. Writers pay for
    an index without a word of it in their plans, so their times count as they were measured.
    """
    there = min(there.milliseconds for there, _ in pairs)
    gone = min(gone.milliseconds for _, gone in pairs)
    return Compared(*(min(there, gone),) * 2) if _is_same(statement, pairs) else Compared(there, gone)


def _is_same(statement: Statement, pairs: Sequence[tuple[Measured, Measured]]) -> bool:
    return not statement.writes and all(there.plan == gone.plan for there, gone in pairs)


def _prove(session: Session, candidate: Candidate, ready: Sequence[Ready]) -> Proof:
    table, index = relation(candidate.schema, candidate.table), relation(candidate.schema, candidate.name)
    began = time.monotonic()
    if candidate.is_new:
        session.run(CREATE_INDEX, new=column(candidate.name), table=table, shape=from_catalogue(candidate.shape))
    took = timedelta(seconds=time.monotonic() - began if candidate.is_new else 0)
    try:
        if _EXPRESSION.search(candidate.shape):
            session.run(ANALYZE_COPY, table=table)
        size = session.row(READ_RELATION_SIZE, {"schema": candidate.schema, "name": candidate.name}).size
        found = {made.statement: compare(session, made, [index]) for made in ready}
    finally:
        if candidate.is_new:
            session.run(DROP_COPY_INDEX, index=index)
    there, gone = ({one: pair.there for one, pair in found.items()}, {one: pair.gone for one, pair in found.items()})
    return weigh(candidate, *((gone, there) if candidate.is_new else (there, gone)), size, took)


def weigh(
    candidate: Candidate,
    before: Mapping[Statement, float],
    after: Mapping[Statement, float],
    size: int,
    took: timedelta,
) -> Proof:
    """Compare what was measured with and without a change of indexes."""
    shares = {one: _share(before[one], after[one]) for one in before}
    harmed = [-share for one, share in shares.items() if after[one] - before[one] > NOISE]
    # That a writer became faster by an index it is not for is noise of the machine.
    won = {one: share for one, share in shares.items() if share > 0 and (one in candidate.helps or not one.writes)}
    milliseconds = {one: (before[one] - after[one]) * one.calls / _A_DAY for one in before}
    return Proof(
        gain=max(won.values(), default=0.0),
        worst_harm=max(harmed, default=0.0),
        write_cost=-sum(saved for one, saved in milliseconds.items() if one.writes and saved < 0) / 1000,
        saved=sum(milliseconds[one] for one in won) / 1000,
        size=size,
        took_to_build=took,
        shares=won,
    )


def _share(before: float, after: float) -> float:
    return (before - after) / before if before > 0 else 0.0


@contextmanager
def _undone(session: Session) -> Generator[None]:
    """Do something whose changes never stay: in a transaction, or in a part of one."""
    try:
        with session.transaction():
            yield
            _roll_back()
    except _RolledBack:
        return


def _roll_back() -> NoReturn:
    raise _RolledBack


@contextmanager
def _prepared(session: Session, statement: Statement, path: str) -> Generator[None]:
    """Hold a prepared statement in a transaction whose changes never stay."""
    # A prepared statement outlives its transaction, also one that failed.
    session.run(FORGET_PREPARED)
    with _undone(session):
        session.row(CHOOSE_CUSTOM_PLANS, {"search_path": path})
        session.run(PREPARE_ASKED, statement=whole_statement(readable(statement.text)))
        yield


def _run(session: Session, ready: Ready, values: Composable, *, without: Sequence[Composable] = ()) -> Measured:
    """Run it twice, when it is not long, and give the better: the first looks up in the catalogue what it needs."""
    with _prepared(session, ready.statement, ready.search_path):
        for index in without:
            session.run(DROP_COPY_INDEX, index=index)
        found = _run_once(session, values)
        if found.milliseconds < _LONG:
            found = min(found, _run_once(session, values), key=lambda one: one.milliseconds)
    return found


def _run_once(session: Session, values: Composable) -> Measured:
    with _undone(session):
        answer = session.document(MEASURE_STATEMENT, values=values)
    parsed = cast("Sequence[Mapping[str, Json]]", json.loads(answer) if isinstance(answer, str) else answer)
    took = parsed[0]["Execution Time"]
    plan = parsed[0]["Plan"]
    shape = shape_of(plan) if isinstance(plan, dict) else ""
    return Measured(float(took) if isinstance(took, int | float) else 0.0, shape)
