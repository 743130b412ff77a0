"""Several sessions at one list of work: each takes what is next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import TypeVar

from pgtend.postgres.session import Session

Piece = TypeVar("Piece")
Found = TypeVar("Found")


def by_many_hands(
    pieces: Sequence[Piece],
    door: Callable[[], AbstractContextManager[Session]],
    work: Callable[[Session, Piece], Found],
    *,
    jobs: int,
) -> list[Found]:
    """Work off a list by so many sessions, in the order of the list as far as that goes."""
    left = deque(pieces)

    def hand(_number: int) -> list[Found]:
        with door() as session:
            return [work(session, piece) for piece in _taken(left)]

    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="restore") as crew:
        return _joined(crew.map(hand, range(min(jobs, max(1, len(pieces))))))


def _joined(shares: Iterable[list[Found]]) -> list[Found]:
    return [one for share in shares for one in share]


def _taken(left: deque[Piece]) -> Iterator[Piece]:
    """Take what is left, one after the other, while others do the same."""
    with suppress(IndexError):
        while True:
            yield left.popleft()
