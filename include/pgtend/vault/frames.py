"""Knows where a zstd frame ends: the decoder itself cannot tell a stream that was cut from one that is complete."""

from __future__ import annotations

from collections.abc import Generator

_MAGIC = b"\x28\xb5\x2f\xfd"
_BLOCK_HEADER = 3
_REPEATED = 1
_RESERVED = 3
_CHECKSUM = 4
_DICTIONARY = (0, 1, 2, 4)
_CONTENT_SIZE = (0, 2, 4, 8)


class FrameDamaged(Exception):
    """The bytes are not one zstd frame."""


class FrameEnd:
    """Watches the bytes of one frame go by, and knows whether the last one was seen (RFC 8878, section 3.1.1)."""

    def __init__(self) -> None:
        self._walk = self._steps()
        self._header = bytearray()
        self._wanted = next(self._walk)
        self.is_reached = False

    def watch(self, chunk: bytes) -> None:
        """See the next bytes. Anything behind the end of the frame is damage."""
        view = memoryview(chunk)
        while view:
            if self.is_reached:
                raise FrameDamaged("something follows the end of the frame")
            taken = min(abs(self._wanted), len(view))
            if self._wanted > 0:
                self._header += view[:taken]
                self._wanted -= taken
            else:
                self._wanted += taken
            view = view[taken:]
            if self._wanted == 0:
                self._next_step()

    def _next_step(self) -> None:
        read = bytes(self._header)
        self._header.clear()
        try:
            self._wanted = self._walk.send(read)
        except StopIteration:
            self.is_reached = True

    def _steps(self) -> Generator[int, bytes]:
        """Say how many bytes are wanted next; a negative number of bytes need not be looked at."""
        if (yield len(_MAGIC)) != _MAGIC:
            raise FrameDamaged("it does not begin as a zstd frame does")
        descriptor = (yield 1)[0]
        is_single = bool(descriptor & 0x20)
        if not descriptor & 0x04:
            raise FrameDamaged("it has no checksum of its content")
        size = _CONTENT_SIZE[descriptor >> 6] or (1 if is_single else 0)
        rest = _DICTIONARY[descriptor & 3] + size + (0 if is_single else 1)
        if rest:
            yield -rest
        is_last = False
        while not is_last:
            header = int.from_bytes((yield _BLOCK_HEADER), "little")
            is_last, kind, length = bool(header & 1), header >> 1 & 3, header >> 3
            if kind == _RESERVED:
                raise FrameDamaged("a block of it is of no known kind")
            length = 1 if kind == _REPEATED else length
            if length:
                yield -length
        yield -_CHECKSUM
