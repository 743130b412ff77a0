"""Somebody else on the machine, who reads the arguments and the environment of everything that runs."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def onlooker() -> Generator[set[bytes]]:
    """Look on while something is done; what was seen is complete when the block ended."""
    stop, seen = threading.Event(), set[bytes]()
    watcher = threading.Thread(target=_look_on, args=(stop, seen))
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def _look_on(stop: threading.Event, seen: set[bytes]) -> None:
    while not stop.is_set():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                for name in ("cmdline", "environ"):
                    with suppress(OSError):
                        seen.add((entry / name).read_bytes())
