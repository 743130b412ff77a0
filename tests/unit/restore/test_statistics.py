"""What is analyzed by one statement."""

from __future__ import annotations

from pgtend.restore.statistics import Analyzable, bundled


def test_large_tables_come_first_and_alone_and_small_ones_together() -> None:
    """Two sessions share the large ones, and ask a hundred questions less about the small ones."""
    small = [Analyzable(schema="pg_catalog", name=f"small {number:02}", size=8192) for number in range(23)]
    large = [Analyzable(schema="public", name=name, size=size) for name, size in (("b", 2_000_000), ("a", 9_000_000))]
    found = [[one.name for one in bundle] for bundle in bundled([*small, *large])]
    assert found == [
        ["a"],
        ["b"],
        [f"small {number:02}" for number in range(10)],
        [f"small {number:02}" for number in range(10, 20)],
        ["small 20", "small 21", "small 22"],
    ]


def test_a_database_without_tables_needs_nothing() -> None:
    """No statement is made of no table."""
    assert bundled([]) == []
