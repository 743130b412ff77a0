"""What the watchdog remembers between two rounds, in a file of its own: it must work while the ledger does not."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pgtend.watchdog.errors import AlreadyWatching
from pgtend.watchdog.model import Book

_BOOK = TypeAdapter(Book)


def state_file(fleet: str) -> Path:
    """Say where the memory of a fleet's watchdog lies on this machine."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pgtend" / "watchdog" / f"{fleet}.json"


@dataclass(slots=True)
class Memory:
    """The book, on its way through one round."""

    path: Path
    book: Book

    def save(self, book: Book) -> None:
        """Keep the book: wholly, or as it was before."""
        self.book = book
        half = self.path.with_suffix(".new")
        half.write_bytes(_BOOK.dump_json(book, indent=1))
        half.replace(self.path)


@contextmanager
def remembering(path: Path) -> Generator[Memory]:
    """Load the book, and keep every other watchdog of this machine away from it meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyWatching(
                "another watchdog of this fleet is looking at this moment",
                detail=f"It holds {path.with_suffix('.lock')}.",
                hint="Run one: either the service, or a line in cron with `pgtend watchdog --once`.",
            ) from error
        yield Memory(path, _load(path))


def _load(path: Path) -> Book:
    """Read the book; one that cannot be read is begun anew, which tells everything that is broken once more."""
    if not path.exists():
        return Book()
    try:
        return _BOOK.validate_json(path.read_bytes())
    except ValidationError:
        path.replace(path.with_suffix(".unreadable"))
        return Book()
