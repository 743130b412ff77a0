"""What pg_dump writes as text: statements, and between them the rows of tables."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeAlias

from pgtend.backup.rowcount import COPY_HEADER
from pgtend.postgres.process import ToolFailed
from pgtend.vault.model import Readable

PIECE = 256 * 1024
_COPY = re.compile(b"^" + COPY_HEADER.pattern, re.MULTILINE)
_END = b"\n\\.\n"
Found: TypeAlias = tuple[bytes, re.Match[bytes] | None]
"""Statements, and the COPY behind them; nothing when there is none."""


class Script:
    """Reads it piece by piece, as large as tables and rows may be."""

    def __init__(self, dump: Readable) -> None:
        self._dump = dump
        self._text = b""
        self._ahead: Found | None = None

    def next_copy(self) -> Found:
        """Give the statements before the next COPY, and that."""
        found, self._ahead = self._ahead or self._find_copy(), None
        return found

    def rows(self) -> Generator[memoryview]:
        """Give the rows of the COPY that was given last, in pieces, however long a row is.

        The last piece comes when the dump went on behind them, or ended well: whoever got it knows that it was not cut.
        """
        before = 1
        while (end := _find_end(self._text)) < 0:
            safe = len(self._text) - _begun(self._text)
            yield memoryview(self._text)[before : max(before, safe)]
            before = max(0, before - safe)
            chunk = self._dump.read(PIECE)
            if not chunk:
                raise ToolFailed("the rows of a dump do not end", hint="See docs/runbooks/tool-failed.md.")
            self._text = self._text[safe:] + chunk if safe < len(self._text) else chunk
        last = memoryview(self._text)[before : end + 1]
        self._text = self._text[end + len(_END) :]
        self._ahead = self._find_copy()
        yield last

    def _find_copy(self) -> Found:
        while not (header := _COPY.search(self._text)) and (chunk := self._dump.read(PIECE)):
            self._text += chunk
        statements = self._text[: header.start()] if header else self._text
        # The end of the line stays: the end of the rows is looked for behind one.
        self._text = self._text[header.end() - 1 :] if header else b""
        return statements, header


def _find_end(text: bytes) -> int:
    """Find the end of the rows. That there is none is seen twice as fast from behind, at once without a backslash."""
    return text.find(_END) if b"\\" in text and text.rfind(_END) >= 0 else -1


def _begun(text: bytes) -> int:
    """Tell how much of the end of the rows a piece may already hold: it may have been cut there."""
    return next(length for length in range(len(_END) - 1, -1, -1) if text.endswith(_END[:length]))
