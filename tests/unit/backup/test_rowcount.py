"""Rows are counted exactly, whatever pieces the SQL comes in and whatever stands in it."""

from __future__ import annotations

import pytest

from pgtend.backup.rowcount import RowCount

SQL = rb'''--
-- Data for Name: visits; Type: TABLE DATA
--

COPY clinic.visits (id, note) FROM stdin;
1	one
2	COPY clinic.fake (id) FROM stdin;
3	\\.
\.


COPY "odd schema"."a ""b"" (c)" ("x) FROM stdin;", "y""") FROM stdin;
\.

SELECT pg_catalog.setval('clinic.visits_id_seq', 3, true);

COPY public.nothing  FROM stdin;


\.
COPY public.last (a) FROM stdin;
\N
\.
'''
EXPECTED = {
    ("clinic", "visits"): 3,
    ("odd schema", 'a "b" (c)'): 0,
    ("public", "nothing"): 2,
    ("public", "last"): 1,
}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 10_000])
def test_rows_are_counted_in_pieces_of_any_size(size: int) -> None:
    """Where one piece ends and the next begins changes nothing."""
    counted = RowCount("UTF8")
    for start in range(0, len(SQL), size):
        counted.feed(SQL[start : start + size])
    assert counted.rows == EXPECTED
    assert counted.is_between_tables


def test_a_row_larger_than_any_piece_counts_once_and_is_not_kept() -> None:
    """A row of hundreds of megabytes needs no memory of its size."""
    counted = RowCount("UTF8")
    counted.feed(b"COPY public.blobs (content) FROM stdin;\n")
    for _ in range(100):
        counted.feed(b"x" * 10_000)
        assert len(counted._text) < 30_000
    counted.feed(b"\nsmall\n\\.\n")
    assert counted.rows == {("public", "blobs"): 2}


def test_rows_that_do_not_end_are_noticed() -> None:
    """SQL that was cut inside a table does not pass for complete."""
    counted = RowCount("UTF8")
    counted.feed(SQL[: SQL.index(b"2\tCOPY")])
    assert not counted.is_between_tables
