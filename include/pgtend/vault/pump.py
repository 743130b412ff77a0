"""Turns code that pushes bytes into a stream that is read, with a fixed amount of memory in between."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from typing_extensions import override

from pgtend.vault.model import Readable
from pgtend.vault.parts import MIB

_HELPING = MIB // 4
_WAITING = 4


class Abandoned(Exception):
    """Nobody reads on, so whoever still pushes may stop."""


class Spout:
    """What a pusher writes to. It waits while nobody reads, and raises when nobody ever will."""

    def __init__(self) -> None:
        self._gathered = bytearray()
        self._ready: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._is_abandoned = threading.Event()

    def write(self, chunk: bytes, /) -> int:
        """Take some bytes; small ones are gathered, because handing over costs more than copying."""
        if len(chunk) >= _HELPING and not self._gathered:
            self._hand_over(chunk)
            return len(chunk)
        self._gathered += chunk
        if len(self._gathered) >= _HELPING:
            self.flush()
        return len(chunk)

    def flush(self) -> None:
        """Hand over what was gathered."""
        if self._gathered:
            gathered, self._gathered = bytes(self._gathered), bytearray()
            self._hand_over(gathered)

    def end(self) -> None:
        """Say that nothing more comes."""
        self._hand_over(b"")

    def take(self) -> bytes:
        """Wait for the next bytes; no bytes are the end."""
        return self._ready.get()

    def abandon(self) -> None:
        """Let a pusher that waits for room notice that nobody reads on."""
        self._is_abandoned.set()

    def _hand_over(self, chunk: bytes) -> None:
        while not self._is_abandoned.is_set():
            try:
                self._ready.put(chunk, timeout=0.2)
            except queue.Full:
                continue
            return
        raise Abandoned


class Pump(Readable):
    """Runs a pusher in a thread of its own. What the pusher raises, the next read raises."""

    def __init__(self, push: Callable[[Spout], None]) -> None:
        self._push = push
        self._spout = Spout()
        self._left = b""
        self._is_at_end = False
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="pump", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None) -> None:
        self._spout.abandon()
        self._thread.join()

    @override
    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(MIB), b""))
        if not self._left and not self._is_at_end:
            self._left = self._spout.take()
            self._is_at_end = not self._left
        if self._is_at_end and self._trouble:
            raise self._trouble
        chunk, self._left = self._left[:size], self._left[size:]
        return chunk

    def _work(self) -> None:
        try:
            self._push(self._spout)
            self._spout.flush()
        except Abandoned:
            return
        except BaseException as error:  # noqa: BLE001 - it is not swallowed: the reader's next read raises it
            self._trouble = error
        try:
            self._spout.end()
        except Abandoned:
            return
