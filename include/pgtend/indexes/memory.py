"""What the ledger remembers of the indexes of a database; a ledger in a folder remembers nothing that can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.model import USUAL, IndexMemory, Speed
from pgtend.kernel.digests import sha256_hex
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Ledger
from pgtend.sqlfiles import query

Key: TypeAlias = tuple[str, str]
_UNKNOWN = IndexMemory()
# A copy counts its rows; the server of production takes a sample, which may be wrong by this much.
_COUNTED_WRONG = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A row of memory about one index."""

    schema_name: str
    index_name: str
    definition: str
    rebuilt_at: datetime | None
    rebuilt_size: int | None
    rebuilt_rows: int | None
    settled_growth: float | None
    scans_a_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenSize:
    """How large an index was in a restored copy, and how many rows it pointed to there."""

    schema_name: str
    index_name: str
    definition_sha256: str
    size: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadSize:
    """How large an inverted index was in a restored copy whose rows were spread over as many pages as in production."""

    schema_name: str
    index_name: str
    definition_sha256: str
    size: int
    rows: int
    """Of the table."""
    pages: int


READ_INDEX_MEMORY = query(__package__ or "", "read_index_memory", Remembered)
READ_PROVEN_SIZES = query(__package__ or "", "read_proven_sizes", ProvenSize)
READ_SPREAD_SIZES = query(__package__ or "", "read_spread_sizes", SpreadSize)
READ_SPEED = query(__package__ or "", "read_speed", Speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of all indexes of a database."""

    indexes: Mapping[Key, Remembered] = field(default_factory=lambda: MappingProxyType({}))
    proven: Mapping[Key, ProvenSize] = field(default_factory=lambda: MappingProxyType({}))
    spread: Mapping[Key, SpreadSize] = field(default_factory=lambda: MappingProxyType({}))
    speed: Speed = USUAL

    def of(self, index: IndexFacts) -> IndexMemory:
        """Tell what is remembered of an index; one that was made differently under the same name is another."""
        known = self.indexes.get((index.schema, index.name))
        if known is None or known.definition != index.definition:
            return _UNKNOWN
        return IndexMemory(
            rebuilt_at=known.rebuilt_at,
            rebuilt_size=known.rebuilt_size,
            rebuilt_rows=known.rebuilt_rows,
            settled_growth=max(known.settled_growth, 1.0) if known.settled_growth is not None else None,
            scans_a_day=known.scans_a_day,
        )

    def proven_size(self, index: IndexFacts, definition: str) -> int | None:
        """Scale the size in the last restored copy to the rows of today; None when no drill measured this index."""
        known = self.proven.get((index.schema, index.name))
        if known is None or known.definition_sha256 != sha256_hex(definition.encode()):
            return None
        return round(known.size * growth(known.rows, index.rows))

    def spread_size(self, index: IndexFacts, definition: str) -> SpreadSize | None:
        """Give the size on rows spread as in production; None when no drill built this index so."""
        known = self.spread.get((index.schema, index.name))
        return known if known is not None and known.definition_sha256 == sha256_hex(definition.encode()) else None


def growth(counted: int, rows: int) -> float:
    """Tell how many times as many rows there are today as a copy counted, apart from what is noise."""
    if counted <= 0 or rows <= 0 or abs(rows / counted - 1) <= _COUNTED_WRONG:
        return 1.0
    return rows / counted


def recall(ledger: Ledger, database: str) -> Memory:
    """Ask the ledger what it remembers of the indexes of a database."""
    if not isinstance(ledger, DatabaseLedger):
        return Memory()
    asked = {"database": database}
    rows = ledger.reach(lambda session: session.rows(READ_INDEX_MEMORY, asked))
    speed = ledger.reach(lambda session: session.row(READ_SPEED, asked))
    proven = ledger.reach(lambda session: session.rows(READ_PROVEN_SIZES, asked))
    spread = ledger.reach(lambda session: session.rows(READ_SPREAD_SIZES, asked))
    return Memory(
        indexes={(row.schema_name, row.index_name): row for row in rows},
        proven={(row.schema_name, row.index_name): row for row in proven},
        spread={(row.schema_name, row.index_name): row for row in spread},
        speed=speed,
    )
