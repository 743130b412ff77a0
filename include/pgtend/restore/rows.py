"""The rows of a dump on their way into tables that nobody has seen yet.

Each table is emptied in the transaction that fills it. So its rows may be born frozen: whoever reads them first does
not write every page once more, and no autovacuum ever has to. A server that logs the least does not log them at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from pgtend.backup.rowcount import table_in
from pgtend.backup.script import Found
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

_SPOKEN_TO_PSQL = re.compile(rb"^\\(?:un)?restrict .*\n", re.MULTILINE)
_ENDING = b";\n"
_FROZEN = b" WITH (FREEZE);"


@dataclass(frozen=True, slots=True, kw_only=True)
class MayEmpty:
    """Whether we may empty every table there is."""

    every_table: bool


READ_MAY_EMPTY = query(__package__ or "", "read_may_empty", MayEmpty)


class Rows(Protocol):
    """Rows of tables, and what must be set before them."""

    def next_copy(self) -> Found:
        """Give the statements before the next COPY, and that; nothing when there is none."""
        ...

    def rows(self) -> Iterable[memoryview]:
        """Give the rows of the COPY that was given last."""
        ...


def fill_tables(
    session: Session, dump: Rows, only: Collection[tuple[str, str]] = (), *, encoding: str = "UTF8"
) -> None:
    """Run what a dump says about rows, in a transaction of the session's that is not ours to end.

    Where tables are named, by schema and name, nothing but their rows is taken, and no sequence is moved.
    """
    is_ours_alone = session.row(READ_MAY_EMPTY).every_table
    has_begun = False
    while True:
        statements, header = dump.next_copy()
        if not (only and has_begun):
            session.run_as_written(_SPOKEN_TO_PSQL.sub(b"", statements))
        has_begun = True
        if header is None:
            return
        if only and table_in(header, encoding) not in only:
            for _ in dump.rows():
                pass
            continue
        copy, table = header.group(0).removesuffix(_ENDING), b".".join(header.groups())
        if is_ours_alone:
            session.run_as_written(b"TRUNCATE ONLY " + table)
        session.copy_as_written(copy + _FROZEN if is_ours_alone else copy, dump.rows())
