"""Builds an index on a copy of some pages of its table, which ends with our transaction, to see how large it gets."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.shared_keys import NOT_SHARED, KeyPart, KeysInTable, Sharing
from pgtend.postgres.identifiers import (
    Composable,
    column,
    decimal,
    expression,
    from_catalogue,
    listed,
    number,
    relation,
)
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

FULL = 100.0
_LEAST_MEMORY = 1024 * 1024
PAGE = 8192


@dataclass(frozen=True, slots=True)
class Definition:
    """What an index is, in the server's words."""

    oid: int
    definition: str
    shape: str
    padded_shape: str
    """The same on a copy that is padded: for its rows alone."""
    predicate: str
    """What holds for each of its rows."""


@dataclass(frozen=True, slots=True)
class TrueSize:
    """How large an index and its table are, asked of the files."""

    oid: int
    size: int
    table_rows: int
    table_size: int


@dataclass(frozen=True, slots=True)
class SampleIndex:
    """An index on a sample."""

    size: int
    rows: int
    sampled_rows: int
    sampled_size: int


@dataclass(frozen=True, slots=True)
class WideColumn:
    """A column whose values may lie outside of its table."""

    name: str


@dataclass(frozen=True, slots=True)
class BuildMemory:
    """What a build may take, as the server took it."""

    memory: str


READ_DEFINITION = query(__package__ or "", "read_definition", Definition)
READ_SAMPLE_INDEX = query(__package__ or "", "read_sample_index", SampleIndex)
READ_WIDE_COLUMNS = query(__package__ or "", "read_wide_columns", WideColumn)
SET_BUILD_MEMORY = query(__package__ or "", "set_build_memory", BuildMemory)
TAKE_SAMPLE = command(__package__ or "", "take_sample")
BUILD_ON_SAMPLE = command(__package__ or "", "build_on_sample")
PREPARE_PAGES = command(__package__ or "", "prepare_pages")
KEEP_PADDING_PLAIN = command(__package__ or "", "keep_padding_plain")
COPY_PAGES = command(__package__ or "", "copy_pages")
_SAMPLE = relation("pg_temp", "pgtend_sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The index in question, and what may be spent on the answer."""

    session: Session
    index: IndexFacts
    true: TrueSize
    definition: Definition
    read_budget: int
    memory: int

    @property
    def affordable(self) -> float:
        """How much of the table may be read, in percent."""
        return min(FULL * self.read_budget / max(self.true.table_size, 1), FULL)

    def built(self, percent: float) -> SampleIndex:
        """Build it on a share of the pages, their rows moved together."""
        with self._beginning(percent):
            return self._build_on_share(percent)

    def built_and_looked_up(
        self, percent: float, parts: Sequence[KeyPart], *, least: int
    ) -> tuple[SampleIndex, Sharing]:
        """Build it on a share of the pages; if it has the least size, count rows of the table with the keys there."""
        with self._beginning(percent):
            built = self._build_on_share(percent)
            if built.size < least or built.rows == 0:
                return built, NOT_SHARED
            keys = KeysInTable(
                session=self.session,
                table=self._table,
                table_oid=self.index.table_oid,
                sample=_SAMPLE,
                parts=parts,
                condition=self.definition.predicate,
                part_of_table=percent / FULL,
                most_pages=int(self.read_budget - self.true.table_size * percent / FULL) // PAGE,
            )
            return built, keys.sharing()

    def built_on_pages(self) -> SampleIndex:
        """Build it on all pages as they are, with what is empty on them."""
        with self._beginning(FULL):
            self._copy_pages()
            return self._seen()

    def _build_on_share(self, percent: float) -> SampleIndex:
        self.session.run(TAKE_SAMPLE, table=self._table, percent=_share(percent))
        self.session.run(BUILD_ON_SAMPLE, shape=from_catalogue(self.definition.shape))
        return self._seen()

    def _copy_pages(self) -> None:
        self.session.run(PREPARE_PAGES, table=self._table)
        self.session.run(KEEP_PADDING_PLAIN, sample=_SAMPLE)
        asked = {"table": self.index.table_oid}
        widest = _widest([found.name for found in self.session.rows(READ_WIDE_COLUMNS, asked)])
        where = {**asked, "pages": self.true.table_size // PAGE}
        self.session.run(COPY_PAGES, where, table=self._table, sample=_SAMPLE, widest=widest)
        self.session.run(BUILD_ON_SAMPLE, shape=from_catalogue(self.definition.padded_shape))

    @contextmanager
    def _beginning(self, percent: float) -> Generator[None]:
        # The sample ends with the transaction, however that ends. A share of the rows has its share of the memory.
        with self.session.transaction():
            memory = max(self.memory * percent / FULL, _LEAST_MEMORY)
            self.session.row(SET_BUILD_MEMORY, {"memory": f"{memory / 1024:.0f}kB"})
            yield

    def _seen(self) -> SampleIndex:
        return self.session.row(READ_SAMPLE_INDEX, {"name": "pgtend_sample_index"})

    @property
    def _table(self) -> Composable:
        return relation(self.index.schema, self.index.table_name)


def _widest(names: Sequence[str]) -> Composable:
    sizes = (expression("pg_column_size(s.{name})", name=column(name)) for name in names)
    return expression("greatest({sizes})", sizes=listed((number(0), *sizes)))


def _share(percent: float) -> Composable:
    return decimal(round(percent, 4))
