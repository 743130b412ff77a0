"""What a drill would tell of the indexes of a database: it is dumped, restored beside itself, and measured there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from bed.clusters import LiveDatabase, new_database
from bed.indexing import Ward
from pgtend.drill.byproducts import READ_INDEX_SIZES
from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.memory import Memory, ProvenSize, SpreadSize
from pgtend.indexes.occupancy import Occupancy, read_occupancy
from pgtend.indexes.spread import Spreader, SpreadIndex
from pgtend.indexes.usage import collect_indexes
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer

LONG = 3600.0
PLACES = {"host": "host", "port": "port", "username": "user"}


@contextmanager
def restored(live: LiveDatabase, server: ThrowawayServer) -> Generator[Session]:
    """Restore a database beside itself, and enter the copy as its superuser."""
    with new_database(server) as copy:
        where = [f"--{option}={server.superuser().params[name]}" for option, name in PLACES.items()]
        dump = [server.tools.path("pg_dump"), *where, "-Fc", "-Z0", live.name]
        load = [server.tools.path("pg_restore"), *where, f"--dbname={copy.name}", "--no-owner"]
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as source:
            subprocess.run(load, stdin=source.stdout, check=True)
        copy.run("ANALYZE")
        with copy.session() as session:
            yield session


def drilled(ward: Ward, server: ThrowawayServer, *, one_in: int) -> Memory:
    """Remember what a drill measures where one of so many pages of a table may be read in production."""
    with ward.session() as session:
        indexes = collect_indexes(session, "").indexes
        occupancies = [read_occupancy(session, "clinic", one, one.table_size // one_in) for one in _inverted(indexes)]
    with restored(ward.live, server) as copy:
        return Memory(
            proven={(one.schema_name, one.index_name): one for one in _exact(copy)},
            spread={(one.schema_name, one.index_name): one for one in _spread(ward, copy, occupancies)},
        )


def spread_on(
    ward: Ward, copy: Session, occupancies: Sequence[Occupancy], *, seconds: float = LONG
) -> list[SpreadIndex]:
    """Build inverted indexes on rows spread as in production; there are so many seconds for it."""
    spreader = Spreader(
        session=copy,
        rules=ward.database.indexes,
        closes_at=time.monotonic() + seconds,
        progress=ward.lines.append,
    )
    return list(spreader.sizes(occupancies))


def _inverted(indexes: Iterable[IndexFacts]) -> list[IndexFacts]:
    """Choose an inverted index of each table."""
    return list({one.table_oid: one for one in indexes if one.kind == "gin"}.values())


def _exact(copy: Session) -> list[ProvenSize]:
    return [
        ProvenSize(
            schema_name=one.schema_name,
            index_name=one.index_name,
            definition_sha256=one.definition_sha256,
            size=one.size,
            rows=one.rows,
        )
        for one in copy.rows(READ_INDEX_SIZES)
    ]


def _spread(ward: Ward, copy: Session, occupancies: Sequence[Occupancy]) -> list[SpreadSize]:
    return [
        SpreadSize(
            schema_name=one.schema_name,
            index_name=one.index_name,
            definition_sha256=one.definition_sha256,
            size=one.bytes,
            rows=one.rows,
            pages=one.pages,
        )
        for one in spread_on(ward, copy, occupancies)
    ]
