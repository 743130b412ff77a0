"""Finds what could be advised: from the statements that cost most, from the catalogue, and from the memory of use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgtend.fleet.model import Database
from pgtend.indexes.advice_candidates import candidates_of, name_for, quoted
from pgtend.indexes.advice_model import (
    Candidate,
    Kind,
    Statement,
    TableColumns,
    merged,
)
from pgtend.indexes.advice_partitions import Partition
from pgtend.indexes.advice_planner import Planner
from pgtend.indexes.estimate import FIND_EXTENSION
from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.sampling import READ_DEFINITION
from pgtend.indexes.usage import collect_indexes, standbys_of
from pgtend.kernel.names import counted
from pgtend.kernel.times import say_span
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Ledger
from pgtend.postgres.identifiers import column, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query
from pgtend.statements.scrub import scrub

_STATISTICS = "pg_stat_statements"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costly:
    """A statement and what it cost."""

    query: str
    role: str
    calls: int
    exec_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRow:
    """A column of a table."""

    schema: str
    table_name: str
    name: str
    type: str
    rows: int
    size: int
    only_grows: bool
    correlation: float | None
    table_oid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BareKey:
    """A foreign key without an index."""

    schema: str
    table_name: str
    constraint_name: str
    columns: Sequence[str]
    is_partitioned: bool
    table_oid: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow:
    """A partition and what it is a part of."""

    schema: str
    table_name: str
    above_schema: str
    above_table: str
    is_leaf: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Needless:
    """An index that another one makes needless."""

    oid: int
    schema: str
    table_name: str
    name: str
    other: str
    is_duplicate: bool
    size: int
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """An index that nobody used."""

    schema_name: str
    index_name: str
    definition: str


READ_COSTLY_STATEMENTS = query(__package__ or "", "read_costly_statements", Costly)
READ_COSTLY_STATEMENTS_LIVE = query(__package__ or "", "read_costly_statements_live", Costly)
READ_ADVICE_COLUMNS = query(__package__ or "", "read_advice_columns", ColumnRow)
FIND_BARE_FOREIGN_KEYS = query(__package__ or "", "find_bare_foreign_keys", BareKey)
READ_PARTITIONS = query(__package__ or "", "read_partitions", PartitionRow)
FIND_NEEDLESS_INDEXES = query(__package__ or "", "find_needless_indexes", Needless)
READ_UNUSED = query(__package__ or "", "read_unused", Unused)


def costly_statements(session: Session, ledger: Ledger, database: Database, *, live: bool) -> tuple[Statement, ...]:
    """Name the statements that cost most: by the nights in the ledger, or by the server's counters as they are."""
    found = () if live else noted_statements(ledger, database)
    return found or live_statements(session, database.indexes.statements)


def live_statements(session: Session, rows: int) -> tuple[Statement, ...]:
    """Name the statements that cost most since the server's counters were reset."""
    if _STATISTICS not in session.facts.extensions:
        return ()
    schema = column(session.row(FIND_EXTENSION, {"extension": _STATISTICS}).schema)
    return _scrubbed(session.rows(READ_COSTLY_STATEMENTS_LIVE, {"rows": rows}, schema=schema))


def noted_statements(ledger: Ledger, database: Database) -> tuple[Statement, ...]:
    """Name the statements that cost most by the nights in the ledger."""
    if not isinstance(ledger, DatabaseLedger):
        return ()
    asked = {"database": database.name, "rows": database.indexes.statements}
    return _scrubbed(ledger.reach(lambda reporting: reporting.rows(READ_COSTLY_STATEMENTS, asked)))


def _scrubbed(found: Sequence[Costly]) -> tuple[Statement, ...]:
    # The server keeps literals in more places than people think.
    return tuple(Statement(text=scrub(one.query), role=one.role, calls=one.calls, exec_ms=one.exec_ms) for one in found)


def find_candidates(
    session: Session, statements: Sequence[Statement], ledger: Ledger, database: Database
) -> tuple[Candidate, ...]:
    """Find everything that could be advised; what an index of the database does already is left out."""
    indexes = collect_indexes(session, "").indexes
    there = _shapes(session, indexes)
    planner = Planner(session, read_tables(session))
    wanted = [one for one in _from_plans(planner, statements) if (one.schema, one.table, _bare(one.shape)) not in there]
    found = (*_foreign_keys(session), *wanted, *_needless(session), *_unused(session, ledger, database, indexes))
    return tuple(one for one in merged(found) if not database.indexes.skips(one.schema, one.table))


def _from_plans(planner: Planner, statements: Sequence[Statement]) -> Iterator[Candidate]:
    for statement in statements:
        for number, plan in enumerate(planner.plans(statement)):
            # The first is the plan for any values.
            yield from candidates_of(statement, plan.tree or {}, planner.tables, holds_always=number == 0)


def read_tables(session: Session) -> Mapping[str, TableColumns]:
    """Read all tables by name; of two with the same name in two schemas neither, for a plan names no schema."""
    columns: dict[tuple[str, str], list[ColumnRow]] = {}
    for row in session.rows(READ_ADVICE_COLUMNS):
        columns.setdefault((row.table_name, row.schema), []).append(row)
    names = Counter(name for name, _ in columns)
    return {name: _table(rows) for (name, _), rows in columns.items() if names[name] == 1}


def _table(rows: Sequence[ColumnRow]) -> TableColumns:
    first = rows[0]
    return TableColumns(
        schema=first.schema,
        name=first.table_name,
        rows=first.rows,
        size=first.size,
        only_grows=first.only_grows,
        types={row.name: row.type for row in rows},
        correlations={row.name: row.correlation for row in rows if row.correlation is not None},
    )


def _shapes(session: Session, indexes: Sequence[IndexFacts]) -> frozenset[tuple[str, str, str]]:
    by_oid = {index.oid: index for index in indexes}
    found = session.rows(READ_DEFINITION, {"indexes": list(by_oid)})
    return frozenset((by_oid[one.oid].schema, by_oid[one.oid].table_name, _bare(one.shape)) for one in found)


def _bare(shape: str) -> str:
    """Compare definitions without the brackets and spaces that the server adds when it writes one down."""
    return re.sub(r"[\s()']", "", shape).lower()


def _foreign_keys(session: Session) -> Iterator[Candidate]:
    for key in session.rows(FIND_BARE_FOREIGN_KEYS):
        names = ", ".join(quoted(name) for name in key.columns)
        shape = f"USING btree ({names})"
        yield Candidate(
            kind=Kind.FOREIGN_KEY,
            schema=key.schema,
            table=key.table_name,
            name=name_for(key.table_name, shape),
            shape=shape,
            why=f"deleting what {key.constraint_name} points to reads the whole table, {counted(key.rows, 'row')}",
            helps=(_looked_up(key),),
            partitions=_partitions(session, key, shape) if key.is_partitioned else (),
        )


def _partitions(session: Session, key: BareKey, shape: str) -> tuple[Partition, ...]:
    return tuple(
        Partition(
            schema=one.schema,
            table=one.table_name,
            index=name_for(one.table_name, shape),
            above_schema=one.above_schema,
            above_index=name_for(one.above_table, shape),
            is_leaf=one.is_leaf,
        )
        for one in session.rows(READ_PARTITIONS, {"table": key.table_oid})
    )


def _looked_up(key: BareKey) -> Statement:
    """Write the question that the server asks itself when a row that others point to is deleted."""
    table = relation(key.schema, key.table_name).as_string(None)
    asked = " AND ".join(f"{column(name).as_string(None)} = ${place}" for place, name in enumerate(key.columns, 1))
    only = "" if key.is_partitioned else "ONLY "
    question = f"SELECT 1 FROM {only}{table} WHERE {asked} FOR KEY SHARE"  # noqa: S608 - names quoted by the driver
    return Statement(text=question, role="", calls=0, exec_ms=0.0)


def _needless(session: Session) -> Iterator[Candidate]:
    for index in session.rows(FIND_NEEDLESS_INDEXES):
        yield Candidate(
            kind=Kind.DUPLICATE if index.is_duplicate else Kind.COVERED,
            schema=index.schema,
            table=index.table_name,
            name=index.name,
            definition=index.definition,
            why=f"{index.other} does all that it does",
        )


def _unused(session: Session, ledger: Ledger, database: Database, indexes: Sequence[IndexFacts]) -> Iterator[Candidate]:
    """Name what no server used; keys of tables that others point to are kept whatever their counters say."""
    if not isinstance(ledger, DatabaseLedger):
        return
    span: timedelta = database.indexes.unused_after
    asked = {"database": database.name, "nodes": 1 + len(standbys_of(database)), "span": span}
    found = ledger.reach(lambda reporting: reporting.rows(READ_UNUSED, asked))
    # What was made differently since under the same name is another index.
    unused = {(one.schema_name, one.index_name, one.definition) for one in found}
    idle = {i.oid: i for i in indexes if (i.schema, i.name, i.definition) in unused and _may_go(i)}
    for one in session.rows(READ_DEFINITION, {"indexes": list(idle)}):
        index = idle[one.oid]
        yield Candidate(
            kind=Kind.UNUSED,
            schema=index.schema,
            table=index.table_name,
            name=index.name,
            definition=one.definition,
            why=f"no server has used it for {say_span(span)}, watched without a gap",
        )


def _may_go(index: IndexFacts) -> bool:
    needed = index.is_unique or index.is_primary or index.is_exclusion or index.is_replica_identity
    return not (needed or index.is_partitioned or index.is_toast or not index.is_valid)
