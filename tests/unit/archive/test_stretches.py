"""Which pages are gone through together when old rows are left here and there."""

from __future__ import annotations

from pgtend.archive.move import _stretches


def test_pages_that_lie_near_each_other_are_walked_in_one_go() -> None:
    """A few pages without an old row between them cost less than a batch of its own."""
    assert list(_stretches([3, 4, 9, 14, 40], gap=5)) == [(3, 14), (40, 40)]
    assert list(_stretches([3, 4, 9, 14, 40], gap=4)) == [(3, 4), (9, 9), (14, 14), (40, 40)]
    assert list(_stretches([], gap=4)) == []
