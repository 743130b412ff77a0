"""The rows of a dump on their way into tables that nobody has seen yet.

Each table is emptied in the transaction that fills it. So its rows may be born frozen: whoever reads them first does
not write every page once more, and no autovacuum ever has to. A server that logs the least does not log them at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator
from dataclasses import dataclass

from pgtend.backup.rowcount import COPY_HEADER, unquoted
from pgtend.postgres.process import ToolFailed
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query
from pgtend.vault.model import Readable

_PIECE = 256 * 1024
_COPY = re.compile(b"^" + COPY_HEADER.pattern, re.MULTILINE)
_SPOKEN_TO_PSQL = re.compile(rb"^\\(?:un)?restrict .*\n", re.MULTILINE)
_ENDING = b";\n"
_FROZEN = b" WITH (FREEZE);"
_END = b"\n\\.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class MayEmpty:
    """Whether we may empty every table there is."""

    every_table: bool


READ_MAY_EMPTY = query(__package__ or "", "read_may_empty", MayEmpty)


def fill_tables(session: Session, dump: Readable, only: Collection[tuple[str, str]] = ()) -> None:
    """Run what a dump says about rows, in a transaction of the session's that is not ours to end.

    Where tables are named, by schema and name, nothing but their rows is taken, and no sequence is moved.
    """
    is_ours_alone = session.row(READ_MAY_EMPTY).every_table
    script = Script(dump)
    has_begun = False
    while True:
        statements, header = script.next_copy()
        if not (only and has_begun):
            session.run_as_written(_SPOKEN_TO_PSQL.sub(b"", statements))
        has_begun = True
        if header is None:
            return
        if only and (unquoted(header.group(1)), unquoted(header.group(2))) not in only:
            for _ in script.rows():
                pass
            continue
        copy, table = header.group(0).removesuffix(_ENDING), b".".join(header.groups())
        if is_ours_alone:
            session.run_as_written(b"TRUNCATE ONLY " + table)
        session.copy_as_written(copy + _FROZEN if is_ours_alone else copy, script.rows())


class Script:
    """What pg_dump or pg_restore wrote out: statements, and between them rows."""

    def __init__(self, dump: Readable) -> None:
        self._dump = dump
        self._text = b""

    def next_copy(self) -> tuple[bytes, re.Match[bytes] | None]:
        """Give the statements before the next COPY, and that; nothing when there is none."""
        while not (header := _COPY.search(self._text)) and (chunk := self._dump.read(_PIECE)):
            self._text += chunk
        statements = self._text[: header.start()] if header else self._text
        # The end of the line stays: the end of the rows is looked for behind one.
        self._text = self._text[header.end() - 1 :] if header else b""
        return statements, header

    def rows(self) -> Generator[memoryview]:
        """Give the rows of the COPY that was given last, in pieces, however long a row is."""
        before = 1
        while (end := self._text.find(_END) if b"\\" in self._text else -1) < 0:
            safe = len(self._text) - _begun(self._text)
            yield memoryview(self._text)[before : max(before, safe)]
            before = max(0, before - safe)
            chunk = self._dump.read(_PIECE)
            if not chunk:
                raise ToolFailed("the rows of a dump do not end", hint="See docs/runbooks/tool-failed.md.")
            self._text = self._text[safe:] + chunk if safe < len(self._text) else chunk
        yield memoryview(self._text)[before : end + 1]
        self._text = self._text[end + len(_END) :]


def _begun(text: bytes) -> int:
    """Tell how much of the end of the rows a piece may already hold: it may have been cut there."""
    return next(length for length in range(len(_END) - 1, -1, -1) if text.endswith(_END[:length]))
