"""What an unfinished rebuild leaves behind: known by its OID and by what it is, never by its name alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from pgtend.indexes.errors import GaveWay, LeftoverStays
from pgtend.kernel.errors import Outage
from pgtend.postgres.errors import LockedOut, StatementCancelled, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

Guard: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Watches over one statement, named for people."""
_TWIN = re.compile(r"_cc(new|old)\d*$")
_PAUSES = (0.2, 1.0)
_MAY_PASS = (GaveWay, LockedOut, StatementCancelled, StatementTimeout, TransactionLost)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableIndex:
    """One index of a table, with everything a rebuild must preserve."""

    oid: int
    schema: str
    name: str
    definition: str
    shape: str
    is_valid: bool
    is_replica_identity: bool
    is_clustered: bool
    constraint_name: str
    comment: str
    size: int
    is_being_built: bool
    may_drop: bool

    @property
    def full_name(self) -> str:
        """The index's name with its schema."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class TableOid:
    """A table."""

    oid: int


READ_TABLE_INDEXES = query(__package__ or "", "read_table_indexes", TableIndex)
FIND_INVALID_TABLES = query(__package__ or "", "find_invalid_tables", TableOid)
DROP_INDEX = command(__package__ or "", "drop_index")


def indexes_of(session: Session, table: int) -> Mapping[int, TableIndex]:
    """Read the indexes of a table, by OID."""
    return {index.oid: index for index in session.rows(READ_TABLE_INDEXES, {"table": table})}


def left_behind(before: Mapping[int, TableIndex], after: Mapping[int, TableIndex]) -> tuple[TableIndex, ...]:
    """Tell what became invalid between two looks: the half-built new index, or after the exchange the old one.

    What somebody else has begun to build meanwhile is invalid too, and is no twin of anything that was there.
    """
    whole = {index.shape for index in before.values() if index.is_valid}
    return tuple(
        index
        for index in after.values()
        if _is_twin(index, whole) and (index.oid not in before or before[index.oid].is_valid)
    )


def twins(indexes: Mapping[int, TableIndex]) -> tuple[TableIndex, ...]:
    """Find leftovers of any origin: invalid, exactly like a valid index of the table, and with nobody building it."""
    whole = {index.shape for index in indexes.values() if index.is_valid}
    return tuple(index for index in indexes.values() if _is_twin(index, whole) and not index.is_being_built)


def _is_twin(index: TableIndex, whole: Collection[str]) -> bool:
    return not index.is_valid and index.shape in whole and bool(_TWIN.search(index.name))


def invalid_tables(session: Session) -> tuple[int, ...]:
    """Find the tables that have an index nobody can use."""
    return tuple(found.oid for found in session.rows(FIND_INVALID_TABLES))


def drop_leftovers(session: Session, leftovers: Sequence[TableIndex], guard: Guard) -> tuple[str, ...]:
    """Remove them one by one, patiently; name what was removed, or say what stays."""
    dropped: list[str] = []
    for index in leftovers:
        _drop(session, index, guard)
        dropped.append(index.full_name)
    return tuple(dropped)


def _drop(session: Session, index: TableIndex, guard: Guard) -> None:
    for pause in (*_PAUSES, None):
        try:
            with guard(f"removing {index.full_name}"):
                session.run(DROP_INDEX, index=relation(index.schema, index.name))
        except Outage as error:
            if pause is None or not isinstance(error, _MAY_PASS):
                raise _stays(index, error) from error
            time.sleep(pause)
        else:
            return


def _stays(index: TableIndex, error: Outage) -> LeftoverStays:
    return LeftoverStays(
        f"{index.full_name}, left by an unfinished rebuild, could not be removed",
        detail=f"The reason: {error.message}. Every write keeps it up to date until it is gone.",
        hint="The next run tries again; by hand: DROP INDEX CONCURRENTLY. See docs/runbooks/index-not-rebuilt.md.",
    )
