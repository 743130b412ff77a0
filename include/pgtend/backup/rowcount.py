"""Counts rows in the SQL that pg_restore makes of an archive, in passing and whatever the size of a row."""

from __future__ import annotations

import re

from pgtend.postgres.encodings import decoded, unquoted

_NAME = rb'("(?:[^"]|"")+"|[^".\s(]+)'
COPY_HEADER = re.compile(rb"COPY " + _NAME + rb"\." + _NAME + rb'\s+(?:\((?:"(?:[^"]|"")*"|[^")])*\)\s+)?FROM stdin;\n')
"""The statement before the rows of a table: its schema and its name, in quotes where they need them."""
_START = b"COPY "
_END = b"\\.\n"


class RowCount:
    """Rows by table, of everything that was fed."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self.rows: dict[tuple[str, str], int] = {}
        self._text = bytearray(b"\n")
        self._table: tuple[str, str] | None = None
        self._is_inside_row = False

    @property
    def is_between_tables(self) -> bool:
        """Whether the last table ended as it should."""
        return self._table is None

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of SQL."""
        self._text += chunk
        while self._text and (self._count_rows(self._table) if self._table else self._find_table()):
            pass

    def _find_table(self) -> bool:
        """Look for the next COPY at the start of a line; tell whether it is there in full."""
        at = self._text.find(b"\n" + _START)
        if at < 0:
            del self._text[: max(0, len(self._text) - len(_START))]
            return False
        header = COPY_HEADER.match(self._text, at + 1)
        if header is None:
            del self._text[:at]
            return False
        self._table = table_in(header, self._encoding)
        self.rows.setdefault(self._table, 0)
        del self._text[: header.end()]
        return True

    def _count_rows(self, table: tuple[str, str]) -> bool:
        """Count the lines there are; tell whether there is more to do with what is left."""
        if self._is_inside_row:
            return self._leave_row(table)
        if self._text.startswith(_END):
            # The newline stays: the next COPY is looked for behind one.
            del self._text[: len(_END) - 1]
            self._table = None
            return True
        ends = self._text.find(b"\n" + _END)
        last = ends if ends >= 0 else self._text.rfind(b"\n")
        self.rows[table] += self._text.count(b"\n", 0, last + 1)
        del self._text[: last + 1]
        if ends < 0 and len(self._text) >= len(_END):
            self._is_inside_row = True
            self._text.clear()
        return ends >= 0

    def _leave_row(self, table: tuple[str, str]) -> bool:
        """Skip to the end of a row that is larger than any piece."""
        ends = self._text.find(b"\n")
        if ends < 0:
            self._text.clear()
            return False
        self.rows[table] += 1
        del self._text[: ends + 1]
        self._is_inside_row = False
        return True


def table_in(header: re.Match[bytes], encoding: str) -> tuple[str, str]:
    """Read from a COPY whose rows follow: schema and name."""
    schema, name = (unquoted(decoded(one, encoding)) for one in header.groups())
    return schema, name
