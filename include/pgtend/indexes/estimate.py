"""Finds out how large an index would be if new, by the best way there is, at a bounded price."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.memory import Memory, SpreadSize, growth
from pgtend.indexes.model import INVERTED, Estimate, Method
from pgtend.indexes.sampling import FULL, PAGE, READ_DEFINITION, Asked, SampleIndex, TrueSize
from pgtend.indexes.shared_keys import NOT_SHARED, READ_KEY_PARTS, KeyPart, Sharing
from pgtend.postgres.errors import LockedOut, MissingRight, StatementTimeout
from pgtend.postgres.identifiers import column
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

# Below this a few half-empty pages at the edge decide the result.
_ENOUGH_PAGES = 60
_AIM = 320
# Standard errors that nearly nothing is beyond.
_SURELY = 3
_LEAST_PERCENT = 0.01
# From this share on a sample saves little, and a whole build is exact.
_RATHER_ALL = 25.0
# How far the pages of a copy may be from those of its table before the copy is no likeness of it.
_LIKE = 0.02
# The sample of a partial or deduplicated index is told how wrong it was, for sample indexes of enough pages.
_ERROR_OF = {
    Method.DRILL: 0.0,
    Method.SAMPLE: 0.03,
    Method.DENSITY: 0.08,
    Method.RATIO: 0.10,
}
_ERROR_DOUBTFUL = 0.15
_ERROR_SPREAD = 0.03
# Rows that lie so many times as far apart as in the drill change the size of an inverted index by less than that.
_AS_LOOSE = 1.25
# Several processes build an inverted index in one go, however large it is; but not on a temporary table, where one does
# it, in as many goes as its memory needs. That gives another size: by a third in one trial.
_TOGETHER_SINCE = 18
_FOR_ROW, _FOR_KEY = 12, 5
# Their size does not grow in step with their rows, and where those lie does not matter.
_UNEVEN = frozenset({"gist", "spgist", "hash"})
_NEW_DENSITY = 90.0
_STANDS_IN_THE_WAY = (LockedOut, MissingRight, StatementTimeout)


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
READ_TRUE_SIZES = query(__package__ or "", "read_true_sizes", TrueSize)
READ_DENSITY = query(__package__ or "", "read_density", Density)


def read_true_sizes(session: Session, indexes: Sequence[IndexFacts]) -> Mapping[int, TrueSize]:
    """Ask the files how large some indexes are."""
    found = session.rows(READ_TRUE_SIZES, {"indexes": [index.oid for index in indexes]})
    return {size.oid: size for size in found}


def estimate_new_size(  # noqa: PLR0913 - what is asked about, what is known of it, and what the answer may cost
    session: Session, index: IndexFacts, true: TrueSize, memory: Memory, *, read_budget: int, build_memory: int
) -> Estimate | None:
    """Estimate the size after a rebuild by the best way there is; None when there is no way."""
    found = session.rows(READ_DEFINITION, {"indexes": [index.oid]})
    if not found:
        return None
    asked = Asked(
        session=session, index=index, true=true, definition=found[0], read_budget=read_budget, memory=build_memory
    )
    if index.kind == INVERTED:
        # Lists of rows are packed by their distance: neither a restored copy nor the rows of today alone tell that.
        return _from_spread(memory.spread_size(index, found[0].definition), true) or _from_pages(asked)
    restored = memory.proven_size(index, found[0].definition)
    if restored is not None:
        return Estimate(size=restored, method=Method.DRILL, error=_error(Method.DRILL, index))
    return _from_sample(asked) or _by_density(session, index) or _by_ratio(index, memory)


def _may_sample(index: IndexFacts) -> bool:
    """Tell whether the table can be read; of a TOAST table no server takes a sample."""
    return index.may_read and not index.is_toast


def _from_sample(asked: Asked) -> Estimate | None:
    """Build on a sample, unless somebody stands in the way: the weaker ways need no lock on the table."""
    if not _may_sample(asked.index):
        return None
    try:
        return _scaled(asked)
    except _STANDS_IN_THE_WAY:
        return None


def _scaled(asked: Asked) -> Estimate | None:
    """Build the same index on a random share of the table's pages, and scale; None when the sample is too small."""
    if asked.true.table_size == 0:
        return None
    if asked.index.kind in _UNEVEN:
        return None if asked.affordable < FULL else _estimated(asked, asked.built(FULL).size)
    parts = _shared_parts(asked)
    percent, (sample, sharing) = _large_enough(asked, parts)
    if percent >= FULL:
        return _estimated(asked, sample.size)
    if sample.size < _ENOUGH_PAGES * PAGE or sample.sampled_rows <= 0:
        return None
    # The share of rows that a partial index takes is that of the sample.
    rows = asked.true.table_rows * sample.rows / sample.sampled_rows
    room = (sample.size - _fixed(asked)) / max(sample.rows, 1) * sharing.ratio
    return _estimated(asked, room * rows + _fixed(asked), doubt=_SURELY * sharing.error)


def _shared_parts(asked: Asked) -> Sequence[KeyPart]:
    """Tell what the keys consist of, where rows with equal ones share entries."""
    return asked.session.rows(READ_KEY_PARTS, {"index": asked.index.oid}) if asked.index.kind == "btree" else ()


def _large_enough(asked: Asked, parts: Sequence[KeyPart]) -> tuple[float, tuple[SampleIndex, Sharing]]:
    """Build on a share, and if that gives too few pages on one that gives enough, as far as the budget reaches."""
    # What is not read for the sample is left for looking up how many rows share its keys.
    limit = asked.affordable / 2 if parts and asked.affordable < FULL else asked.affordable
    percent = _share(asked, limit)
    built = _built(asked, percent, parts)
    wider = _wider(built[0], percent, limit)
    return (wider, _built(asked, wider, parts)) if wider > percent else (percent, built)


def _built(asked: Asked, percent: float, parts: Sequence[KeyPart]) -> tuple[SampleIndex, Sharing]:
    if not parts or percent >= FULL:
        return asked.built(percent), NOT_SHARED
    return asked.built_and_looked_up(percent, parts, least=_ENOUGH_PAGES * PAGE)


def _fixed(asked: Asked) -> int:
    """Tell what does not grow with the rows: a page about the index, the root, and the empty half of the last page."""
    return PAGE * 5 // 2 if asked.index.kind == "btree" else 0


def _estimated(asked: Asked, size: float, *, doubt: float = 0.0) -> Estimate:
    return Estimate(size=_in_pages(size), method=Method.SAMPLE, error=max(_error(Method.SAMPLE, asked.index), doubt))


def _wider(sample: SampleIndex, percent: float, limit: float) -> float:
    """Tell which share has enough pages."""
    pages = sample.size / PAGE
    return percent if pages >= _ENOUGH_PAGES else min(percent * _AIM / max(pages, 1), limit)


def _share(asked: Asked, limit: float) -> float:
    """Choose how much of a table to read, so that the index on the sample has enough pages and the budget holds."""
    # As if it were four times too large: a lean one gives more pages than needed, which costs little.
    wanted = FULL * _AIM * 4 * PAGE / max(asked.true.size, 1)
    return max(min(FULL if wanted > _RATHER_ALL else wanted, limit), _LEAST_PERCENT)


def _from_pages(asked: Asked) -> Estimate | None:
    """Estimate an inverted index from all pages of its table as they are: rows anywhere share entries."""
    if not _may_sample(asked.index) or asked.true.table_size == 0 or asked.affordable < FULL:
        return None
    try:
        found = asked.built_on_pages()
    except _STANDS_IN_THE_WAY:
        return None
    if asked.session.facts.major >= _TOGETHER_SINCE and _memory_of(found) > asked.memory:
        return None
    # Not alike where the sizes of long rows were misjudged.
    is_like = abs(found.sampled_size - asked.true.table_size) <= max(_LIKE * asked.true.table_size, PAGE)
    return Estimate(
        size=found.size, method=Method.SAMPLE, error=_ERROR_OF[Method.SAMPLE] if is_like else _ERROR_DOUBTFUL
    )


def _memory_of(built: SampleIndex) -> int:
    """Tell what a build took at most: six bytes for each row of each entry, twice while a list grows, and its key."""
    return _FOR_ROW * built.rows + _FOR_KEY * built.size


def _from_spread(known: SpreadSize | None, true: TrueSize) -> Estimate | None:
    """Take the size on rows that a drill spread as they were in production, if they are spread as far today."""
    if known is None or not (known.rows and known.pages and true.table_rows > 0):
        return None
    looseness = (true.table_size / PAGE / true.table_rows) / (known.pages / known.rows)
    if not 1 / _AS_LOOSE <= looseness <= _AS_LOOSE:
        return None
    # Entries that were there before take no more room for more rows, and new ones do: how many are new is not known.
    times = growth(known.rows, true.table_rows)
    return Estimate(size=_in_pages(known.size * times), method=Method.DRILL, error=max(_ERROR_SPREAD, abs(times - 1)))


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
    size = _in_pages(found.leaf_pages * PAGE * found.density / _NEW_DENSITY + PAGE)
    return Estimate(size=size, method=Method.DENSITY, error=_error(Method.DENSITY, index))


def _by_ratio(index: IndexFacts, memory: Memory) -> Estimate | None:
    known = memory.of(index)
    if not known.rebuilt_size or not known.rebuilt_rows or not index.rows:
        return None
    size = _in_pages(known.rebuilt_size * index.rows / known.rebuilt_rows)
    return Estimate(size=size, method=Method.RATIO, error=_error(Method.RATIO, index))


def _error(method: Method, index: IndexFacts) -> float:
    return _ERROR_DOUBTFUL if index.kind in _UNEVEN else _ERROR_OF[method]


def _in_pages(size: float) -> int:
    return max(math.ceil(size / PAGE), 1) * PAGE
