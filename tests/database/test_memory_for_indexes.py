"""How much memory each session of a restore takes to build indexes, and how many helpers."""

from __future__ import annotations

import pytest

from bed.clusters import LiveDatabase, asked
from pgtend.restore.server import READ_BUILDING, free_kilobytes, read_building

GB = 1024 * 1024


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((2, 0, 0), (64, 2)),
        ((2, 2, 16 * GB), (256, 0)),
        ((2, 8, 2 * GB), (128, 3)),
        ((4, 4, GB), (64, 0)),
        ((1, 1, 100 * GB), (256, 0)),
    ],
)
def test_free_memory_is_used_and_never_much_of_it(
    database: LiveDatabase, known: tuple[int, int, int], expected: tuple[int, int]
) -> None:
    """With few buffers and memory that lies idle it is up to 256 MB; never less than the server itself would take."""
    jobs, cores, free = known
    megabytes, workers = expected
    with database.session() as session:
        session.run(asked("SET maintenance_work_mem = '64MB'"))
        found = session.row(READ_BUILDING, {"jobs": jobs, "cores": cores, "free": free})
        buffers = int(session.row(asked("SELECT setting AS word FROM pg_settings WHERE name = 'shared_buffers'")).word)
        assert found.kilobytes == max(megabytes * 1024, min(buffers * 8 // jobs, GB))
        assert found.workers == workers


@pytest.mark.pg(">= 18")
def test_what_is_free_is_known_of_this_machine_alone(database: LiveDatabase) -> None:
    """Behind a network nobody can tell, so the server's own settings decide."""
    with database.session() as session:
        assert free_kilobytes(session.address) > 1024
        assert free_kilobytes(session.address.to(host="127.0.0.1")) == 0
        assert read_building(session, 1).kilobytes >= 1024
