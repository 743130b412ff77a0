"""Which pages of a table are looked at to see how full they are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.indexes.occupancy import stretches


@pytest.mark.parametrize(
    ("pages", "most", "expected"),
    [
        (80, 80, [(0, 8), (8, 16), (16, 24), (24, 32), (32, 40), (40, 48), (48, 56), (56, 64), (64, 72), (72, 80)]),
        (100, 16, [(21, 29), (71, 79)]),
        (100, 0, [(49, 50)]),
        (3, 100, [(0, 3)]),
    ],
)
def test_a_few_pages_are_looked_at_in_the_middle_of_each_part(
    pages: int, most: int, expected: list[tuple[int, int]]
) -> None:
    """Eight beside each other, in as many places as may be."""
    assert stretches(pages, most) == expected


def test_of_a_large_table_no_more_is_looked_at_than_is_needed() -> None:
    """Of a terabyte 32 MB, from 512 places, whatever might be read."""
    chosen = stretches(134_217_728, 65_536)
    assert len(chosen) == 512
    assert sum(high - low for low, high in chosen) == 4096
    assert chosen[0] == (131_068, 131_076)
    assert chosen[-1] == (134_086_652, 134_086_660)


@given(pages=st.integers(1, 10_000_000), most=st.integers(0, 10_000_000))
def test_what_is_looked_at_is_there_and_is_looked_at_once(pages: int, most: int) -> None:
    """Stretches are equally long, follow each other, and stay inside of the table and of what may be read."""
    chosen = stretches(pages, most)
    assert len({high - low for low, high in chosen}) == 1
    assert all(one[1] <= other[0] for one, other in pairwise(chosen))
    assert chosen[0][0] >= 0
    assert chosen[-1][1] <= pages
    assert sum(high - low for low, high in chosen) <= max(min(most, pages), 1)
