"""A clinic's tables after years of work: churned in every way that bloats an index."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import Clusters
from bed.indexing import Templates, Ward
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture(scope="session")
def templates(clusters: Clusters) -> Generator[Templates]:
    """Keep what is expensive to fill, and drop it while its servers run."""
    assert clusters
    kept = Templates()
    with kept.life:
        yield kept


@pytest.fixture
def empty_ward(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a database whose tables are there and empty."""
    with templates.copy(server, "empty") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)


@pytest.fixture
def ward(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a database with one table of 24,000 rows whose seven indexes are bloated."""
    with templates.copy(server, "filled") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)
