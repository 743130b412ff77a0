"""Rows of a dump become files, a table each, and files become rows again, in pieces of any size and never cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typing_extensions import override

from bed.pieces import Pieces
from pgtend.backup.errors import BackupBroken
from pgtend.backup.rowfile import Origin, RowFile, Table, tables_of
from pgtend.postgres.process import ToolFailed
from pgtend.vault.model import Readable

ORIGIN = Origin(database="clinic", server="18.4", client="18.4", made_at=datetime(2026, 11, 22, 13, 5, 59, tzinfo=UTC))
BEFORE = (
    b"--\n-- PostgreSQL database dump\n--\n\n\\restrict aBc\n\n"
    b"SET client_encoding = 'LATIN1';\nSET row_security = off;\n"
    b"SELECT pg_catalog.set_config('search_path', '', false);\n\n-- Data for Name: one\n\n"
)
BETWEEN = b"\n\nSELECT pg_catalog.setval('public.\"it''s;\nodd\"', -7, true);\n\n"
DUMP = (
    BEFORE
    + b"COPY public.one (id, note) FROM stdin;\n1\ta\\\\.\n2\t\\N\n\\.\n"
    + BETWEEN
    + b'COPY "a b"."c""d"  FROM stdin;\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict aBc\n'
)
SETTINGS = (
    b"SET client_encoding = 'LATIN1';\nSET standard_conforming_strings = 'on';\n"
    b"SELECT pg_catalog.set_config('search_path', '', false);\n"
)


def files_of(dump: bytes, size: int = 4096) -> dict[Table, bytes]:
    """Make files of a dump."""
    return {table: read_whole(archive) for table, archive in tables_of(Pieces(dump, size), ORIGIN)}


def read_whole(archive: Readable) -> bytes:
    """Read a file to its end."""
    return b"".join(iter(lambda: archive.read(64), b""))


def content_of(file: bytes, size: int) -> tuple[bytes, bytes, bytes]:
    """Read a file: settings, COPY, rows."""
    rows = RowFile(Pieces(file, size))
    settings, header = rows.next_copy()
    assert header is not None
    content = b"".join(bytes(piece) for piece in rows.rows())
    assert rows.next_copy() == (b"", None)
    return settings, header.group(0), content


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 4096])
def test_every_table_becomes_a_file_and_comes_back(size: int) -> None:
    """Names and rows are as they were, wherever pieces end; numbers of sequences are elsewhere."""
    files = files_of(DUMP, size)
    assert list(files) == [("public", "one"), ("a b", 'c"d')]
    one, other = (content_of(file, size) for file in files.values())
    assert one == (SETTINGS, b"COPY public.one (id, note) FROM stdin;\n", b"1\ta\\\\.\n2\t\\N\n\\.\n\n\n")
    assert other == (SETTINGS, b'COPY "a b"."c""d"  FROM stdin;\n', b"\\.\n\n\n")


def test_a_file_that_was_cut_or_lengthened_is_refused() -> None:
    """At whatever byte it ends, it is never taken for a table with fewer rows."""
    file = files_of(DUMP)["public", "one"]  # type: ignore[index]
    for end in range(len(file)):
        with pytest.raises(BackupBroken):
            content_of(file[:end], 4096)
    with pytest.raises(BackupBroken, match="something follows the rows"):
        content_of(file + b"\x01", 4096)


@pytest.mark.parametrize(
    ("at", "instead", "words"),
    [(0, b"PGDMQ", "does not begin as it should"), (6, b"\x0d", "does not begin as it should")],
    ids=["magic", "version"],
)
def test_what_is_no_such_file_is_refused(at: int, instead: bytes, words: str) -> None:
    """Another program's file, or another version of the format, is not read as if it were ours."""
    file = files_of(DUMP)["public", "one"]  # type: ignore[index]
    with pytest.raises(BackupBroken, match=words):
        content_of(file[:at] + instead + file[at + len(instead) :], 4096)


def test_a_table_is_whole_only_when_the_dump_went_on_behind_it() -> None:
    """A dump that fails behind the rows of a table leaves no file of it."""

    class Failing(Pieces):
        @override
        def read(self, size: int | None = -1, /) -> bytes:
            chunk = super().read(size)
            if not chunk:
                raise ToolFailed("pg_dump ended with 1")
            return chunk

    whole = DUMP[: DUMP.index(BETWEEN)]
    _, archive = next(tables_of(Failing(whole, 7), ORIGIN))
    with pytest.raises(ToolFailed, match="ended with 1"):
        read_whole(archive)


@pytest.mark.parametrize(
    "statement",
    [b"DROP TABLE public.one;\n", b"SELECT pg_catalog.setval('public.s', 1, true); DROP TABLE x;\n", b"rows\n"],
)
def test_statements_that_nobody_expects_among_rows_are_refused(statement: bytes) -> None:
    """What is not carried over must be known to be elsewhere; and nothing else is passed over."""
    with pytest.raises(ToolFailed, match="not expected there"):
        files_of(DUMP.replace(BETWEEN, BETWEEN * 1000 + statement))
    with pytest.raises(ToolFailed, match="in which encoding"):
        files_of(DUMP.replace(b"SET client_encoding = 'LATIN1';\n", b""))
