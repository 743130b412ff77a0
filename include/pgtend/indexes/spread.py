"""Builds inverted indexes on a restored copy with its rows spread over as many pages as in production."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgtend.backup.facts import PIN_SETTING
from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.occupancy import Occupancy
from pgtend.indexes.preflight import room_left
from pgtend.indexes.sampling import KEEP_PADDING_PLAIN, PAGE, SET_BUILD_MEMORY
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Ledger
from pgtend.postgres.errors import ConnectionLost
from pgtend.postgres.identifiers import Composable, column, expression, from_catalogue, listed, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

# A rebuild that was planned weeks ago and a table that has changed since are no ground to build on.
_COUNTS_FOR = timedelta(days=28)
# How far the pages may be from those they stand for.
_LIKE = 0.02
_SPREAD = relation("pgtend_spread", "places")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverted:
    """An inverted index of the copy."""

    name: str
    definition_sha256: str
    size: int
    keys: Sequence[str]
    classes: Sequence[str]
    """How each key is taken apart."""
    predicate: str


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows a table has."""

    rows: int


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """An index on spread rows."""

    size: int
    spread_over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadIndex:
    """A row of evidence about the size of an index that was built on spread rows."""

    database: str
    schema_name: str
    table_name: str
    index_name: str
    definition_sha256: str
    bytes: int
    rows: int
    pages: int


READ_OCCUPANCIES = query(__package__ or "", "read_occupancies", Occupancy)
READ_SPREAD_INDEX = query(__package__ or "", "read_spread_index", BuiltIndex)
READ_INVERTED = query(__package__ or "", "read_inverted", Inverted)
COUNT_COPY_ROWS = query(__package__ or "", "count_copy_rows", RowCount)
PREPARE_SPREAD = command(__package__ or "", "prepare_spread")
SPREAD_ROWS = command(__package__ or "", "spread_rows")
DROP_SPREAD = command(__package__ or "", "drop_spread")
PREPARE_KEYS = command(__package__ or "", "prepare_keys")
FETCH_KEYS = command(__package__ or "", "fetch_keys")
BUILD_ON_SPREAD = command(__package__ or "", "build_on_spread")
DROP_KEYS = command(__package__ or "", "drop_keys")
RECORD_SPREAD_SIZE = command(__package__ or "", "record_spread_size")


def recall_occupancies(ledger: Ledger, database: str) -> tuple[Occupancy, ...]:
    """Ask how the rows of tables were spread in production; a ledger in a folder remembers nothing."""
    if not isinstance(ledger, DatabaseLedger):
        return ()
    asked = {"database": database, "span": _COUNTS_FOR}
    return tuple(ledger.reach(lambda session: session.rows(READ_OCCUPANCIES, asked)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreader:
    """A copy on which inverted indexes are built as production would have them, and what that may cost."""

    session: Session
    rules: IndexRules
    closes_at: float
    progress: Progress

    def sizes(self, occupancies: Sequence[Occupancy]) -> Iterator[SpreadIndex]:
        """Build the inverted indexes of these tables, one after the other, and tell how large each became."""
        self.session.row(PIN_SETTING, {"name": "max_parallel_maintenance_workers", "value": str(self.rules.workers)})
        for place, one in enumerate(occupancies):
            if time.monotonic() >= self.closes_at:
                later = counted(len(occupancies) - place, "table")
                self.progress(f"the time is over: the rows of {later} are not spread as in production")
                break
            try:
                yield from self._sizes_of(one)
            except ConnectionLost:
                raise
            except PgtendError as error:
                self.progress(f"the rows of {_table_of(one)} could not be spread as in production [{error.code}]")

    def _sizes_of(self, one: Occupancy) -> Iterator[SpreadIndex]:
        found = self.session.rows(READ_INVERTED, {"schema": one.schema_name, "table": one.table_name})
        if not found or not any(one.rows_on_pages) or not self._has_room(one, found):
            return
        with self.session.transaction():
            rows = self._spread(one)
            for index in found:
                yield from self._size(one, index, rows)
            self.session.run(DROP_SPREAD)

    def _size(self, one: Occupancy, index: Inverted, rows: int) -> list[SpreadIndex]:
        name = f"{one.schema_name}.{index.name}"
        try:
            built = self._built(one, index)
        except ConnectionLost:
            raise
        except PgtendError as error:
            self.progress(f"{name} could not be built on rows as in production [{error.code}]")
            return []
        if abs(built.spread_over / PAGE - one.pages) > max(_LIKE * one.pages, 1):
            self.progress(f"{name}: its rows could not be spread over as many pages as in production")
            return []
        self.progress(f"{name}: {Bytes(built.size)} on pages as full as in production")
        return [_evidence(one, index, built.size, rows)]

    def _has_room(self, one: Occupancy, found: Sequence[Inverted]) -> bool:
        # The places and the index, and as much again for sorting them. What production may take is no matter here.
        needed = 2 * (one.pages * PAGE + max(index.size for index in found))
        free = room_left(self.session, self.rules.model_copy(update={"storage": None}))
        if free is None or needed <= free:
            return True
        self.progress(
            f"{_table_of(one)}: {Bytes(needed)} of disk would be needed to spread its rows, {Bytes(free)} are free"
        )
        return False

    def _spread(self, one: Occupancy) -> int:
        table = _relation_of(one)
        self._limit()
        rows = self.session.row(COUNT_COPY_ROWS, table=table).rows
        self.session.run(PREPARE_SPREAD)
        self.session.run(KEEP_PADDING_PLAIN, sample=_SPREAD)
        asked = {"pages": one.pages, "firsts": one.firsts, "counts": one.rows_on_pages, "rows": rows}
        self.session.run(SPREAD_ROWS, asked, table=table, spread=_SPREAD)
        return rows

    def _built(self, one: Occupancy, index: Inverted) -> BuiltIndex:
        table, named = _relation_of(one), _named(index)
        with self.session.transaction():
            self._limit()
            self.session.row(SET_BUILD_MEMORY, {"memory": f"{self.rules.memory // 1024}kB"})
            self.session.run(PREPARE_KEYS, named=named, table=table)
            self.session.run(FETCH_KEYS, named=named, table=table)
            self.session.run(BUILD_ON_SPREAD, columns=_columns(index))
            built = self.session.row(READ_SPREAD_INDEX)
            self.session.run(DROP_KEYS)
        return built

    def _limit(self) -> None:
        """Let no statement go on when the time is over."""
        left = max(int((self.closes_at - time.monotonic()) * 1000), 1)
        self.session.row(PIN_SETTING, {"name": "statement_timeout", "value": f"{left}ms"})


def _named(index: Inverted) -> Composable:
    keys = (
        expression("({key}) AS {name}", key=from_catalogue(key), name=column(f"pgtend_{number}"))
        for number, key in enumerate(index.keys)
    )
    return listed((*keys, expression("({key}) AS pgtend_is_in", key=from_catalogue(index.predicate))))


def _columns(index: Inverted) -> Composable:
    return listed(
        expression(
            "((pgtend_spread.keys_of(pointer)).{name}) {kind}",
            name=column(f"pgtend_{number}"),
            kind=from_catalogue(kind),
        )
        for number, kind in enumerate(index.classes)
    )


def _evidence(one: Occupancy, index: Inverted, size: int, rows: int) -> SpreadIndex:
    return SpreadIndex(
        database=one.database,
        schema_name=one.schema_name,
        table_name=one.table_name,
        index_name=index.name,
        definition_sha256=index.definition_sha256,
        bytes=size,
        rows=rows,
        pages=one.pages,
    )


def _relation_of(one: Occupancy) -> Composable:
    return relation(one.schema_name, one.table_name)


def _table_of(one: Occupancy) -> str:
    return f"{one.schema_name}.{one.table_name}"
