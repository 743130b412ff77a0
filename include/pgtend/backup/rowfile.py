"""The rows of one table in a file: an archive in the custom format of pg_dump, which every pg_restore reads.

We write it ourselves. pg_dump frames every row by itself, and a reader of ours would have to take each in its hand. In
our files a frame holds as many rows as came at once, so that they are read as quickly as they are.
"""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pgtend.backup.errors import BackupBroken
from pgtend.backup.rowcount import COPY_HEADER, table_in
from pgtend.backup.script import PIECE, Found, Script
from pgtend.postgres.encodings import encoded
from pgtend.postgres.process import ToolFailed
from pgtend.vault.model import Readable

_MAGIC = b"PGDMP"
_VERSION = (1, 14, 0)
"""Of the format: that of PostgreSQL 12 to 15, which later ones read too."""
_INTEGER, _OFFSET, _CUSTOM = 4, 8, 1
_BEFORE, _DATA = 2, 3
_COMES_LATER, _NO_ROWS = 1, 3
_ROWS_FOLLOW = 1
_TABLE_DATA = "TABLE DATA"
_END_OF_ROWS = b"\\.\n\n\n"
_ENCODING = re.compile(rb"^SET client_encoding = '([^']+)';$", re.MULTILINE)
_HARMLESS = re.compile(
    rb"(?>--[^\n]*+|SET [^\n]*+(?<=;)|\\(?:un)?restrict [^\n]*+|SELECT pg_catalog\.set_config\([^\n]*+(?<=;)"
    rb"|SELECT pg_catalog\.setval\('(?>[^']|'')*+', -?\d+, (?:true|false)\);|\s)*+"
)
"""Nothing is tried twice: a thousand lines in which the last one does not fit take no longer than others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What an archive says about where it comes from."""

    database: str
    server: str
    client: str
    made_at: datetime


class Table(NamedTuple):
    """A table's schema and name."""

    schema: str
    name: str


def tables_of(dump: Readable, origin: Origin) -> Generator[tuple[Table, TableFile]]:
    """Give the tables of a dump one after the other, each as a file; it is to be read to its end before the next."""
    script = Script(dump)
    encoding = ""
    while True:
        statements, header = script.next_copy()
        _refuse_surprises(statements)
        encoding = encoding or _encoding_in(statements)
        if header is None:
            return
        table = Table(*table_in(header, encoding))
        yield table, TableFile(_head(origin, table, encoding, header.group(0)), script)


class TableFile(Readable):
    """Gives the rows of a script as a file in pieces."""

    def __init__(self, head: bytes, script: Script) -> None:
        self._pieces = _framed(head, script)
        self._is_over = threading.Event()

    def read(self, size: int = -1, /) -> bytes:
        """Give a piece, as large as it is."""
        piece = next(self._pieces, b"") if size else b""
        if size and not piece:
            self._is_over.set()
        return piece

    def await_end_or(self, reading: Future[None]) -> None:
        """Wait until it was read to its end, or whoever reads it gave up."""
        reading.add_done_callback(lambda _: self._is_over.set())
        self._is_over.wait()


def _framed(head: bytes, script: Script) -> Iterator[bytes]:
    yield head
    for piece in script.rows():
        if piece:
            yield _integer(len(piece)) + piece
    yield _integer(len(_END_OF_ROWS)) + _END_OF_ROWS + _integer(0)


def _head(origin: Origin, table: Table, encoding: str, copy: bytes) -> bytes:
    """Write what stands before the rows: whose they are, what must be set, and which statement takes them."""
    settings = {
        "ENCODING": f"SET client_encoding = '{encoding}';\n",
        "STDSTRINGS": "SET standard_conforming_strings = 'on';\n",
        "SEARCHPATH": "SELECT pg_catalog.set_config('search_path', '', false);\n",
    }
    entries = [_entry(number, _Entry(kind, kind, defn=defn)) for number, (kind, defn) in enumerate(settings.items(), 1)]
    number = len(entries) + 1
    entries.append(_entry(number, _Entry(table.name, _TABLE_DATA, schema=table.schema, copy=copy, encoding=encoding)))
    return b"".join((_title(origin), _integer(number), *entries, bytes([_ROWS_FOLLOW]), _integer(number)))


def _title(origin: Origin) -> bytes:
    at = origin.made_at.timetuple()
    clock = (at.tm_sec, at.tm_min, at.tm_hour, at.tm_mday, at.tm_mon - 1, at.tm_year - 1900, 0)
    names = (origin.database, origin.server, origin.client)
    fixed = bytes((*_VERSION, _INTEGER, _OFFSET, _CUSTOM))
    return b"".join((_MAGIC, fixed, _integer(0), *map(_integer, clock), *map(_text, names)))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the contents."""

    tag: str
    kind: str
    defn: str = ""
    schema: str = ""
    copy: bytes = b""
    encoding: str = "UTF8"


def _entry(number: int, entry: _Entry) -> bytes:
    has_rows = bool(entry.copy)
    return b"".join(
        (
            _integer(number),
            _integer(has_rows),
            # Numbers of the catalogue, which nobody looks up.
            *map(_text, ("0", "0")),
            _text(entry.tag, entry.encoding),
            _text(entry.kind),
            _integer(_DATA if has_rows else _BEFORE),
            _text(entry.defn),
            # What undoes it.
            _text(""),
            _integer(len(entry.copy)) + entry.copy,
            _text(entry.schema, entry.encoding),
            _text(""),
            # No access method: an empty name of one would be asked for.
            _NOTHING,
            # No owner, and no numbers of rows.
            *map(_text, ("", "false")),
            _NOTHING,
            bytes([_COMES_LATER if has_rows else _NO_ROWS]),
            bytes(_OFFSET),
        )
    )


class RowFile:
    """Reads a file of one table's rows: what must be set, the COPY, and the rows."""

    def __init__(self, archive: Readable) -> None:
        self._archive = archive
        self._text = memoryview(b"")
        self._is_read = False

    def next_copy(self) -> Found:
        """Give the settings and the COPY; when its rows were read, make sure that nothing follows, and give nothing."""
        if self._is_read:
            if self._text or self._archive.read(1):
                raise _broken("something follows the rows")
            return b"", None
        self._is_read = True
        self._skip_title()
        settings, copy = b"", b""
        for _ in range(self._integer()):
            defn, copy = self._entry()
            settings += defn
        header = COPY_HEADER.fullmatch(copy)
        if header is None or self._take(1)[0] != _ROWS_FOLLOW or self._integer() <= 0:
            raise _broken("it does not begin with one table")
        return settings, header

    def rows(self) -> Generator[memoryview]:
        """Give the rows in pieces. What ends them stands in the last one, as the server understands it."""
        while left := self._integer():
            while left > 0:
                piece = self._some(left)
                left -= len(piece)
                yield piece

    def _skip_title(self) -> None:
        fixed = (*_VERSION, _INTEGER, _OFFSET, _CUSTOM)
        if self._take(len(_MAGIC)) != _MAGIC or tuple(self._take(len(fixed))) != fixed:
            raise _broken("it does not begin as it should")
        # How it is compressed, and seven numbers that say when it was made.
        for _ in range(8):
            self._integer()
        for _ in range(3):
            self._string()

    def _entry(self) -> tuple[bytes, bytes]:
        # Its number, whether it has rows, two numbers of the catalogue, name and kind, section.
        for read in (self._integer, self._integer, *(self._string,) * 4, self._integer):
            read()
        defn, _, copy, *_ = [self._string() for _ in range(8)]
        while self._string():
            pass
        self._take(1 + _OFFSET)
        return defn, copy

    def _string(self) -> bytes:
        size = self._integer()
        return self._take(size) if size > 0 else b""

    def _integer(self) -> int:
        sign, size = struct.unpack("<BI", self._take(1 + _INTEGER))
        return -size if sign else size

    def _take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            taken += self._some(size - len(taken))
        return taken

    def _some(self, most: int) -> memoryview:
        if not self._text:
            self._text = memoryview(self._archive.read(PIECE))
            if not self._text:
                raise _broken("it ends before its rows do")
        piece, self._text = self._text[:most], self._text[most:]
        return piece


def _refuse_surprises(statements: bytes) -> None:
    """Refuse what is neither rows nor known to be found elsewhere in a backup: numbers of sequences are in the rest."""
    if not _HARMLESS.fullmatch(statements):
        raise ToolFailed(
            "pg_dump wrote a statement among the rows that is not expected there",
            hint="Use another version of pg_dump, and see docs/runbooks/tool-failed.md.",
        )


def _encoding_in(statements: bytes) -> str:
    found = _ENCODING.search(statements)
    if found is None:
        raise ToolFailed("pg_dump did not say in which encoding rows are", hint="See docs/runbooks/tool-failed.md.")
    return found.group(1).decode()


def _broken(why: str) -> BackupBroken:
    return BackupBroken(f"a file of rows cannot be read: {why}", hint="See docs/runbooks/backup-damaged.md.")


def _integer(number: int) -> bytes:
    return struct.pack("<BI", number < 0, abs(number))


def _text(text: str, encoding: str = "UTF8") -> bytes:
    content = encoded(text, encoding)
    return _integer(len(content)) + content


_NOTHING = _integer(-1)
"""Where a text could stand. It also ends the list of what an entry depends on."""
