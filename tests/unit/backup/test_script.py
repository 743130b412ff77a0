"""What pg_dump wrote as text is cut into statements and rows wherever its pieces end, and never ends early."""

from __future__ import annotations

import pytest

from bed.pieces import Pieces
from pgtend.backup.script import Script
from pgtend.postgres.process import ToolFailed

DUMP = (
    b"\\restrict aBc\nSET row_security = off;\n\n-- Data for Name: one\n\n"
    b"COPY public.one (id, note) FROM stdin;\n1\ta\\\\.\n2\t\\N\n\\.\n\n\n"
    b'COPY "a b"."c""d"  FROM stdin;\n\\.\n\n'
    b"SELECT pg_catalog.setval('public.s', 7, true);\n\n"
    b"COPY public.last (id) FROM stdin;\n\n\\\\.\n\\.\n\n\\unrestrict aBc\n"
)


def told(dump: bytes, size: int) -> list[tuple[bytes, bytes, bytes]]:
    """List what is read: the statements before, the table, its rows."""
    script = Script(Pieces(dump, size))
    found: list[tuple[bytes, bytes, bytes]] = []
    while True:
        statements, header = script.next_copy()
        if header is None:
            return [*found, (statements, b"", b"")]
        rows = b"".join(bytes(piece) for piece in script.rows())
        found.append((statements, b".".join(header.groups()), rows))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 64, 4096])
def test_rows_are_found_in_pieces_of_any_size(size: int) -> None:
    """Nothing is lost or doubled where a piece ends, not even inside the end of the rows."""
    before = b"\\restrict aBc\nSET row_security = off;\n\n-- Data for Name: one\n\n"
    assert told(DUMP, size) == [
        (before, b"public.one", b"1\ta\\\\.\n2\t\\N\n"),
        (b"\n\n", b'"a b"."c""d"', b""),
        (b"\nSELECT pg_catalog.setval('public.s', 7, true);\n\n", b"public.last", b"\n\\\\.\n"),
        (b"\n\\unrestrict aBc\n", b"", b""),
    ]


@pytest.mark.parametrize("size", [1, 3, 4096])
def test_rows_that_do_not_end_are_an_error(size: int) -> None:
    """A dump that was cut is never taken for a table with fewer rows."""
    for cut in (b"COPY public.one (id) FROM stdin;\n", b"COPY public.one (id) FROM stdin;\n1\n2\n\\."):
        with pytest.raises(ToolFailed):
            told(cut, size)
