"""Which pages of a table are copied to see how large an index gets."""

from __future__ import annotations

import pytest

from bed.indexing import index_facts
from pgtend.indexes.memory import Memory, ProvenSize
from pgtend.indexes.sampling import stretches
from pgtend.kernel.digests import sha256_hex


@pytest.mark.parametrize(
    ("pages", "percent", "expected"),
    [
        (1000, 100.0, [(0, 1000)]),
        (8, 50.0, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8)]),
        (0, 50.0, []),
    ],
)
def test_few_pages_are_copied_all(pages: int, percent: float, expected: list[tuple[int, int]]) -> None:
    """What is small anyway is no sample."""
    assert stretches(pages, percent) == expected


def test_a_share_comes_from_every_part_of_the_table() -> None:
    """Sixteen stretches of neighbouring pages, as long as the share allows."""
    chosen = stretches(1600, 10.0)
    assert chosen[:3] == [(0, 10), (100, 110), (200, 210)]
    assert chosen[-1] == (1500, 1510)
    assert len(chosen) == 16


@pytest.mark.parametrize(("rows", "size"), [(1000, 8192), (1015, 8192), (2000, 16384), (0, 8192)])
def test_the_size_in_a_copy_is_scaled_by_what_is_no_noise(rows: int, size: int) -> None:
    """The server counts rows by a sample: two in a hundred more or less are none."""
    proven = ProvenSize(
        schema_name="clinic", index_name="visits_patient", definition_sha256=sha256_hex(b"d"), size=8192, rows=1000
    )
    memory = Memory(proven={("clinic", "visits_patient"): proven})
    assert memory.proven_size(index_facts(rows=rows), "d") == size
