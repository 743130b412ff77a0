"""Fidelity at the edge, in small; a thousand partitions and a row of 200 MB are a bench: make bench ONLY=extremes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bed.clusters import LiveDatabase, new_database, statement
from bed.extremes import fill_partitions, fill_wide_row, without_encoding
from bed.restoring import Stage, names_like
from pgtend.postgres.identifiers import database as called


def comes_back(stage: Stage, live: LiveDatabase) -> int:
    """Back a database up, restore it beside itself, hold both against each other, and tell how many rows it has."""
    name = f"{live.name}_back"
    try:
        stage.take(live.name)
        report = stage.restore(name, jobs=2)
        assert report.differences == ()
        assert stage.schema_differences(live.name, name) == []
        return report.rows
    finally:
        with stage.server.session() as session:
            for found in names_like(stage, name):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(found))


@pytest.mark.parametrize(
    ("fill", "rows"),
    [
        (lambda live: fill_partitions(live, 60), 300),
        (lambda live: fill_wide_row(live, 12), 3),
    ],
    ids=["60 partitions", "a row of 12 MB"],
)
def test_an_extreme_comes_back_the_same(stage: Stage, fill: Callable[[LiveDatabase], None], rows: int) -> None:
    """Fingerprints, sequences, inventory and `pg_dump -s` are those of the original, and every index is valid."""
    with new_database(stage.server) as live:
        fill(live)
        assert comes_back(stage, live) == rows


def test_text_that_is_valid_in_no_encoding_comes_back_the_same(stage: Stage) -> None:
    """A database without an encoding is restored into one without."""
    with without_encoding(stage.server) as live:
        assert comes_back(stage, live) == 500
        manifest = stage.catalogue().entries[0].manifest
        assert manifest.source.encoding == "SQL_ASCII"
        assert any("no encoding" in remark for remark in manifest.remarks)
