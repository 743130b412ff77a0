"""A stream that comes in pieces of one size, as small as one wishes."""

from __future__ import annotations

import io

from typing_extensions import override


class Pieces(io.BytesIO):
    """Gives so many bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        """Give a piece."""
        return super().read(self._size)
