"""Finds out how large an index would be if new, by the best way there is, at a bounded price."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.memory import Memory
from pgtend.indexes.model import Estimate, Method
from pgtend.postgres.errors import LockedOut, MissingRight, StatementTimeout
from pgtend.postgres.identifiers import column, decimal, from_catalogue, number, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

_PAGE = 8192
# Below this a few half-empty pages at the edge decide the result.
_ENOUGH_PAGES = 100
_AIM = 160
_FULL = 100.0
_LEAST_PERCENT = 0.01
_LOOSE = 0.95
_LEAST_FILLFACTOR = 10
# The sample of a partial or deduplicated index is told how wrong it was, for sample indexes of enough pages.
_ERROR_OF = {
    Method.DRILL: 0.0,
    Method.SAMPLE: 0.03,
    Method.DENSITY: 0.08,
    Method.RATIO: 0.10,
}
_ERROR_INVERTED = 0.15
_INVERTED = frozenset({"gin", "gist", "spgist"})
_NEW_DENSITY = 90.0
_STANDS_IN_THE_WAY = (LockedOut, MissingRight, StatementTimeout)


@dataclass(frozen=True, slots=True)
class Definition:
    """What an index is, in the server's words."""

    oid: int
    definition: str
    shape: str


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
class Density:
    """How full the leaf pages of a B-tree are."""

    leaf_pages: int
    density: float


@dataclass(frozen=True, slots=True)
class ExtensionPlace:
    """Where the functions of an extension are."""

    schema: str


FIND_EXTENSION = query(__package__ or "", "find_extension", ExtensionPlace)
READ_DEFINITION = query(__package__ or "", "read_definition", Definition)
READ_TRUE_SIZES = query(__package__ or "", "read_true_sizes", TrueSize)
READ_SAMPLE_INDEX = query(__package__ or "", "read_sample_index", SampleIndex)
READ_DENSITY = query(__package__ or "", "read_density", Density)
TAKE_SAMPLE = command(__package__ or "", "take_sample")
BUILD_ON_SAMPLE = command(__package__ or "", "build_on_sample")


def read_true_sizes(session: Session, indexes: Sequence[IndexFacts]) -> Mapping[int, TrueSize]:
    """Ask the files how large some indexes are."""
    found = session.rows(READ_TRUE_SIZES, {"indexes": [index.oid for index in indexes]})
    return {size.oid: size for size in found}


def estimate_new_size(
    session: Session, index: IndexFacts, true: TrueSize, memory: Memory, *, read_budget: int
) -> Estimate | None:
    """Estimate the size after a rebuild by the best way there is; None when there is no way."""
    found = session.rows(READ_DEFINITION, {"indexes": [index.oid]})
    if not found:
        return None
    ask = _Asking(session, index, true, found[0].shape, read_budget)
    proven = memory.proven_size(index, found[0].definition)
    drilled = Estimate(size=proven, method=Method.DRILL, error=_error(Method.DRILL, index)) if proven else None
    if index.kind in _INVERTED:
        # A restored copy is denser than its original, and lists of rows are packed by their distance.
        return ask.sample() or drilled or _by_ratio(index, memory)
    return drilled or ask.sample() or _by_density(session, index) or _by_ratio(index, memory)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked about, and how much of its table may be read."""

    session: Session
    index: IndexFacts
    true: TrueSize
    shape: str
    read_budget: int

    def sample(self) -> Estimate | None:
        """Build on a sample, unless somebody stands in the way: the weaker ways need no lock on the table."""
        # No server takes a sample of a TOAST table.
        if not self.index.may_read or self.index.is_toast:
            return None
        try:
            return sample_build(self.session, self.index, self.true, self.shape, read_budget=self.read_budget)
        except _STANDS_IN_THE_WAY:
            return None


def sample_build(
    session: Session, index: IndexFacts, true: TrueSize, shape: str, *, read_budget: int
) -> Estimate | None:
    """Build the same index on a random share of the table's pages, and scale; None when the sample is too small."""
    percent = _share(index, true, read_budget)
    if true.table_size == 0:
        return None
    if index.kind in _INVERTED:
        return _build_inverted(session, index, true, shape, percent)
    whole = _built(session, index, shape, percent)
    wider = _wider(whole, percent, _affordable(true, read_budget))
    if wider > percent:
        percent, whole = wider, _built(session, index, shape, wider)
    if percent < _FULL and (whole.size < _ENOUGH_PAGES * _PAGE or whole.sampled_rows <= 0):
        return None
    rows = _rows_of_index(whole, percent, true)
    meta = _PAGE if index.kind == "btree" else 0
    size = (whole.size - meta) * rows / max(whole.rows, 1) + meta
    return Estimate(size=_in_pages(size), method=Method.SAMPLE, error=_error(Method.SAMPLE, index))


def _wider(sample: SampleIndex, percent: float, affordable: float) -> float:
    """Tell which share gives enough pages when the first one did not: the index is more bloated than was thought."""
    pages = sample.size / _PAGE
    return percent if pages >= _ENOUGH_PAGES else min(percent * _AIM / max(pages, 1), affordable, _FULL)


def _built(session: Session, index: IndexFacts, shape: str, percent: float, fillfactor: int = 100) -> SampleIndex:
    # The sample ends with the transaction, however that ends.
    with session.transaction():
        table = relation(index.schema, index.table_name)
        session.run(TAKE_SAMPLE, table=table, percent=decimal(round(percent, 4)), fillfactor=number(fillfactor))
        session.run(BUILD_ON_SAMPLE, shape=from_catalogue(shape))
        return session.row(READ_SAMPLE_INDEX)


def _rows_of_index(sample: SampleIndex, percent: float, true: TrueSize) -> float:
    """Count the rows of the whole index: the share of rows that a partial index takes is that of the sample."""
    if percent >= _FULL:
        return sample.rows
    return true.table_rows * sample.rows / max(sample.sampled_rows, 1)


def _build_inverted(session: Session, index: IndexFacts, true: TrueSize, shape: str, percent: float) -> Estimate | None:
    """Trust a whole build only: the entries of an inverted index are shared, so it does not grow with its rows.

    Its lists of rows are packed by their distance, so the copy must be as loose as the table is.
    """
    if percent < _FULL:
        return None
    whole = _built(session, index, shape, percent)
    density = whole.sampled_size / true.table_size
    if density < _LOOSE:
        whole = _built(session, index, shape, percent, max(round(_FULL * density), _LEAST_FILLFACTOR))
    return Estimate(size=whole.size, method=Method.SAMPLE, error=_error(Method.SAMPLE, index))


def _share(index: IndexFacts, true: TrueSize, read_budget: int) -> float:
    """Choose how much of a table to read, so that the index on the sample has enough pages and the budget holds."""
    affordable = _affordable(true, read_budget)
    if index.kind in _INVERTED:
        return _FULL if affordable >= _FULL else _LEAST_PERCENT
    # As if it were four times too large: a lean one gives more pages than needed, which costs little.
    wanted = _FULL * _AIM * 4 * _PAGE / max(true.size, 1)
    return max(min(wanted, affordable, _FULL), _LEAST_PERCENT)


def _affordable(true: TrueSize, read_budget: int) -> float:
    return _FULL * read_budget / max(true.table_size, 1)


def _by_density(session: Session, index: IndexFacts) -> Estimate | None:
    if index.kind != "btree" or "pgstattuple" not in session.facts.extensions:
        return None
    schema = session.row(FIND_EXTENSION, {"extension": "pgstattuple"}).schema
    try:
        found = session.row(READ_DENSITY, {"index": index.oid}, schema=column(schema))
    except MissingRight:
        return None
    if math.isnan(found.density):
        return None
    size = _in_pages(found.leaf_pages * _PAGE * found.density / _NEW_DENSITY + _PAGE)
    return Estimate(size=size, method=Method.DENSITY, error=_error(Method.DENSITY, index))


def _by_ratio(index: IndexFacts, memory: Memory) -> Estimate | None:
    known = memory.of(index)
    if not known.rebuilt_size or not known.rebuilt_rows or not index.rows:
        return None
    size = _in_pages(known.rebuilt_size * index.rows / known.rebuilt_rows)
    return Estimate(size=size, method=Method.RATIO, error=_error(Method.RATIO, index))


def _error(method: Method, index: IndexFacts) -> float:
    return _ERROR_INVERTED if index.kind in _INVERTED else _ERROR_OF[method]


def _in_pages(size: float) -> int:
    return max(math.ceil(size / _PAGE), 1) * _PAGE
