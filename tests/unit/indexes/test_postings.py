"""How much room rows with equal keys take in a new index."""

from __future__ import annotations

import pytest

from pgtend.indexes.postings import Seen, fullness, fullness_of, mean_room, room_of
from pgtend.indexes.shared_keys import Stratum


@pytest.mark.parametrize(
    ("rows", "entry", "expected"),
    [
        (1, 16, 20),
        (2, 16, 36),
        (132, 16, 812),
        (133, 16, 832),
        (264, 16, 1624),
        (3, 1000, 3012),
    ],
)
def test_rows_with_equal_keys_share_entries_of_at_most_a_tenth_of_a_page(rows: int, entry: int, expected: int) -> None:
    """An entry has its key once, six bytes for each row and four for its pointer, and ends where 808 bytes do."""
    assert room_of(rows, entry) == expected


def test_a_row_takes_what_the_rows_of_its_key_share() -> None:
    """A row alone takes twenty bytes, and one of two takes eighteen: on average nineteen."""
    assert mean_room([Seen(50, 1, 16), Seen(50, 2, 16)]) == 19.0


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # 366 entries of 20 bytes on a page, as in every index on numbers that differ.
        (1, 366 * 20 / 8192),
        # Nine full lists: the tenth still fits, and moves on to leave its key as the bound of the page.
        (132 * 200, 9 * 812 / 8192),
    ],
)
def test_pages_become_as_full_as_the_server_makes_them(rows: int, expected: float) -> None:
    """What stays empty on a page depends on how long its entries are."""
    assert fullness([Seen(1000, rows, 16)]) == pytest.approx(expected, rel=0.006)


def test_what_one_key_leaves_empty_depends_on_the_next() -> None:
    """Keys of 267 and 133 rows by turns fill pages better than the same keys in no order."""
    by_turns = [Seen(1, rows, 16) for _ in range(300) for rows in (133, 267)]
    assert fullness_of(by_turns) == pytest.approx(0.914, abs=0.004)
    assert fullness([Seen(133, 133, 16), Seen(267, 267, 16)]) == pytest.approx(0.875, abs=0.01)


def test_keys_that_differ_leave_more_doubt_than_keys_that_agree() -> None:
    """Ten keys that are all alone in the table say more than five alone and five shared by a hundred rows."""
    agree = Stratum(1, (Seen(1000, 1, 16),), 1000, 1.0, [Seen(1, 1, 16)] * 10)
    differ = Stratum(1, (Seen(1000, 1, 16),), 1000, 1.0, [Seen(1, 1, 16)] * 5 + [Seen(1, 100, 16)] * 5)
    assert 0 < agree.variance < differ.variance


def test_where_every_key_was_looked_up_nothing_is_doubtful() -> None:
    """Three keys of three leave no chance."""
    stratum = Stratum(1, (Seen(3, 1, 16),), 3, 1.0, [Seen(1, 1, 16), Seen(1, 5, 16), Seen(1, 9, 16)])
    assert stratum.variance == 0.0
