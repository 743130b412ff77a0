"""How much room rows take in the leaf pages of a new B-tree, where rows with equal keys share entries: pure arithmetic.

An entry is a key with a list of rows, as long as it stays below a tenth of a page; all sizes are multiples of eight.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_PAGE = 8192
_POINTER = 4
_ROW = 6
_LONGEST_LIST = 808
# A page without its header, its links and the pointer to its upper bound.
_FOR_ENTRIES = 8148
_LEFT_FREE = 819
_FOR_BOUND = 8
_TRIED_PAGES = 300
# A key with more lists fills its pages as one with these does.
_MANY_LISTS = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """Some rows of a sample with equal keys, how many rows of the table have that key, and the size of one entry."""

    weight: float
    rows: int
    entry: int

    @property
    def room(self) -> float:
        """The bytes that one of these rows takes."""
        return room_of(self.rows, self.entry) / self.rows

    @property
    def least_room(self) -> float:
        """The bytes that one of them would take if there were any number of them."""
        longest = _longest(self.entry)
        return room_of(longest, self.entry) / longest


def room_of(rows: int, entry: int) -> int:
    """Tell how many bytes the entries of one key take."""
    return sum(size + _POINTER for size in _entries(rows, entry))


def mean_room(seen: Sequence[Seen]) -> float:
    """Tell how many bytes a row takes."""
    return sum(one.weight * one.room for one in seen) / sum(one.weight for one in seen)


def fullness(seen: Sequence[Seen]) -> float:
    """Tell how full the pages become: filled here as the server does it, with some of these keys."""
    return fullness_of(_drawn(seen))


def fullness_of(keys: Sequence[Seen]) -> float:
    """Tell how full the pages become with exactly these keys, one after the other."""
    entries = ((size, one.entry) for one in keys for size in _entries(one.rows, one.entry))
    return sum(room_of(one.rows, one.entry) for one in keys) / (_PAGE * _filled_pages(entries))


def _drawn(seen: Sequence[Seen]) -> list[Seen]:
    """Draw keys, each as often as it occurs among all keys."""
    capped = [Seen(one.weight, min(one.rows, _MANY_LISTS * _longest(one.entry)), one.entry) for one in seen]
    keys = [one.weight / one.rows for one in capped]
    bytes_of_key = sum(key * room_of(one.rows, one.entry) for key, one in zip(keys, capped, strict=True)) / sum(keys)
    count = max(round(_TRIED_PAGES * _PAGE / bytes_of_key), 1)
    drawing = random.Random(0)  # noqa: S311 - no secret: the same keys give the same answer
    return drawing.choices(capped, keys, k=count)


def _filled_pages(entries: Iterable[tuple[int, int]]) -> float:
    pages, free, on_page, last, can_go = 0, _FOR_ENTRIES, 0, 0, 0
    for size, key in entries:
        is_full = free - _POINTER < size + _FOR_BOUND or (free - _POINTER + can_go < _LEFT_FREE and on_page > 1)
        if is_full and on_page > 1:
            # The last entry moves on, and what is left of it, without its rows, bounds the page.
            pages, free, on_page = pages + 1, _FOR_ENTRIES - last, 1
        last = size + _POINTER
        free, on_page, can_go = free - last, on_page + 1, size - key
    return pages + (_FOR_ENTRIES - free) / _FOR_ENTRIES


def _entries(rows: int, entry: int) -> Iterator[int]:
    longest = _longest(entry)
    full, rest = divmod(rows, longest)
    yield from (_size(longest, entry) for _ in range(full))
    if rest:
        yield _size(rest, entry)


def _longest(entry: int) -> int:
    return max((_LONGEST_LIST - entry) // _ROW, 1)


def _size(rows: int, entry: int) -> int:
    return entry if rows == 1 else -(-(entry + _ROW * rows) // 8) * 8
