"""Sizes are read and written the way PostgreSQL writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.kernel.sizes import Bytes, UnreadableSize


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("512 kB", 524288),
        ("64MB", 67108864),
        ("1.5 GB", 1610612736),
        ("2 TiB", 2199023255552),
        ("7 bytes", 7),
    ],
)
def test_people_may_write_sizes_as_they_like(text: str, number: int) -> None:
    """With and without a blank, binary names or PostgreSQL's."""
    assert Bytes.parse(text) == number


@pytest.mark.parametrize("text", ["", "MB", "-1 MB", "1 MB 2", "1 parsec", "0x10"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    """A wrong size is never taken for zero."""
    with pytest.raises(UnreadableSize) as caught:
        Bytes.parse(text)
    assert "64 MB" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 kB"), (67108864, "64.0 MB"), (10**12, "931 GB")],
)
def test_sizes_show_three_digits_and_a_unit(number: int, text: str) -> None:
    """What people compare is the size of the number and its unit."""
    assert str(Bytes(number)) == text


@given(st.integers(min_value=0, max_value=2**60))
def test_a_size_that_was_shown_reads_back_within_what_was_shown(number: int) -> None:
    """Rounding for the eye never loses more than one part in ten of the smallest shown unit."""
    assert abs(Bytes.parse(str(Bytes(number))) - number) <= max(number * 0.05, 0)
