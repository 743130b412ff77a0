"""Asks the planner of the database itself what it would do: for values that occur, and with an index that is not there.

Nothing is executed and nothing is built. Plans for any values hide many good indexes (a partial one, one for a small
LIMIT), so each statement is also planned for values that the statistics know. Where the extension HypoPG is installed,
an index can be pretended.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pgtend.indexes.advice_model import Candidate, Kind, Statement, TableColumns
from pgtend.indexes.advice_values import READ_PARAMETERS, bound_columns, from_statistics, values_for
from pgtend.indexes.estimate import FIND_EXTENSION
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.postgres.identifiers import Composable, column, relation, whole_statement
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Document, command, query
from pgtend.statements.plans import (
    FORGET_PREPARED,
    ONLY_READ,
    READ_SEARCH_PATH,
    Plan,
    ask_plan,
    can_be_planned,
    read_plan,
    readable,
)

_HYPOPG = "hypopg"


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """How plans are chosen and names found, as the server took it."""

    plans: str
    search_path: str


@dataclass(frozen=True, slots=True)
class Pretended:
    """An index that is not there."""

    oid: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Whether it is no longer believed in."""

    is_gone: bool


CHOOSE_CUSTOM_PLANS = query(__package__ or "", "choose_custom_plans", PlanChoice)
PREPARE_ASKED = command(__package__ or "", "prepare_asked")
EXPLAIN_ASKED = query(__package__ or "", "explain_asked", Document)
PRETEND_INDEX = query(__package__ or "", "pretend_index", Pretended)
STOP_PRETENDING = query(__package__ or "", "stop_pretending", Gone)


@dataclass(slots=True)
class Planner:
    """The planner of one database, and the values it was asked about so far, which stay in memory."""

    session: Session
    tables: Mapping[str, TableColumns]
    _values: dict[Statement, tuple[Composable, ...]] = field(
        default_factory=dict[Statement, "tuple[Composable, ...]"], repr=False
    )

    @property
    def can_pretend(self) -> bool:
        """Whether an index can be tried out without building it."""
        return _HYPOPG in self.session.facts.extensions

    def plans(self, statement: Statement) -> list[Plan]:
        """Ask for the plan of a statement for any values, and for some that occur; only those that can be given."""
        generic = ask_plan(self.session, statement.text, statement.role)
        if generic.tree is None:
            return []
        if statement not in self._values:
            self._values[statement] = self._find_values(statement)
        custom = [plan for values in self._values[statement] if (plan := self._custom(statement, values)) is not None]
        return [generic, *custom]

    def expected_gains(self, candidates: Sequence[Candidate]) -> Mapping[str, float]:
        """Tell of each missing index by which share of its cost the planner thinks its best statement would win.

        Of an index that cannot be pretended, and without HypoPG, nothing is told.
        """
        if not self.can_pretend:
            return {}
        schema = column(self.session.row(FIND_EXTENSION, {"extension": _HYPOPG}).schema)
        before: dict[Statement, list[float]] = {}
        gains: dict[str, float] = {}
        for candidate in candidates:
            if candidate.kind is not Kind.MISSING:
                continue
            for one in candidate.helps:
                if one not in before:
                    before[one] = self._costs(one)
            with self._pretending(candidate, schema) as is_believed:
                if is_believed:
                    gains[candidate.name] = max((self._gain(one, before[one]) for one in candidate.helps), default=0.0)
        return gains

    def _gain(self, statement: Statement, before: Sequence[float]) -> float:
        pairs = zip(before, self._costs(statement), strict=False)
        return max(((then - now) / then for then, now in pairs if then > 0), default=0.0)

    def _costs(self, statement: Statement) -> list[float]:
        return [plan.cost or 0.0 for plan in self.plans(statement)]

    @contextmanager
    def _pretending(self, candidate: Candidate, schema: Composable) -> Generator[bool]:
        table = relation(candidate.schema, candidate.table).as_string(None)
        try:
            made = self.session.row(
                PRETEND_INDEX, {"definition": f"CREATE INDEX ON {table} {candidate.shape}"}, schema=schema
            )
        except Outage:
            raise
        except PgtendError:
            # It knows only some kinds of indexes; what it cannot pretend, a copy can build.
            yield False
            return
        try:
            yield True
        finally:
            self.session.row(STOP_PRETENDING, {"index": made.oid}, schema=schema)

    def _find_values(self, statement: Statement) -> tuple[Composable, ...]:
        if not can_be_planned(statement.text):
            return ()
        bound = bound_columns(self.session, statement, self.tables)
        try:
            with self._prepared(statement):
                types = self.session.row(READ_PARAMETERS).types
        except Outage:
            raise
        except PgtendError:
            return ()
        return values_for(types, bound, from_statistics(self.session)) if types else ()

    def _custom(self, statement: Statement, values: Composable) -> Plan | None:
        try:
            with self._prepared(statement):
                return read_plan(self.session.document(EXPLAIN_ASKED, values=values))
        except Outage:
            raise
        except PgtendError:
            # A value that does not suit says nothing about the statement.
            return None

    @contextmanager
    def _prepared(self, statement: Statement) -> Generator[None]:
        # A prepared statement outlives its transaction, also one that failed.
        self.session.run(FORGET_PREPARED)
        with self.session.transaction():
            self.session.run(ONLY_READ)
            path = self.session.row(READ_SEARCH_PATH, {"role": statement.role}).search_path
            self.session.row(CHOOSE_CUSTOM_PLANS, {"search_path": path})
            self.session.run(PREPARE_ASKED, statement=whole_statement(readable(statement.text)))
            yield
