"""What is made of sizes that a drill found."""

from __future__ import annotations

import pytest

from bed.indexing import index_facts
from pgtend.indexes.memory import Memory, ProvenSize
from pgtend.kernel.digests import sha256_hex


@pytest.mark.parametrize(("rows", "size"), [(1000, 8192), (1015, 8192), (2000, 16384), (0, 8192)])
def test_the_size_in_a_copy_is_scaled_by_what_is_no_noise(rows: int, size: int) -> None:
    """The server counts rows by a sample: two in a hundred more or less are none."""
    proven = ProvenSize(
        schema_name="clinic", index_name="visits_patient", definition_sha256=sha256_hex(b"d"), size=8192, rows=1000
    )
    memory = Memory(proven={("clinic", "visits_patient"): proven})
    assert memory.proven_size(index_facts(rows=rows), "d") == size
