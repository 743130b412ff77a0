"""The server's helpers hash a table with us where otherwise a core would be idle."""

from __future__ import annotations

import pytest

from pgtend.restore.compare import wants_helpers


@pytest.mark.parametrize(
    ("size", "total", "jobs", "cores", "wanted"),
    [
        (100, 100, 2, 2, True),
        (80, 100, 2, 2, True),
        (50, 100, 2, 2, False),
        (10, 100, 2, 2, False),
        (40, 100, 4, 4, True),
        (10, 100, 2, 8, True),
        (10, 100, 2, 0, True),
        (100, 100, 1, 1, False),
        (0, 0, 2, 2, False),
    ],
)
def test_helpers_come_where_a_core_is_idle(size: int, total: int, jobs: int, cores: int, *, wanted: bool) -> None:
    """Where tables keep every core busy, workers would only be in each other's way."""
    assert wants_helpers(size, total, jobs, cores) is wanted
