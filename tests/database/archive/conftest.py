"""A clinic's health metrics of 500 days."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.archiving import Attic, clinic
from bed.clusters import Clusters, LiveDatabase, copy_of, new_database
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture(scope="session")
def filled_clinics(clusters: Clusters, tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[int], Attic]]:
    """Fill a clinic once for each server; tests get copies of it."""
    with ExitStack() as life:
        made: dict[int, Attic] = {}

        def of(major: int) -> Attic:
            if major not in made:
                live = life.enter_context(new_database(clusters.server(major)))
                made[major] = clinic(live, tmp_path_factory.mktemp("clinic"))
            return made[major]

        yield of


@pytest.fixture
def attic(server: ThrowawayServer, filled_clinics: Callable[[int], Attic], tmp_path: Path) -> Generator[Attic]:
    """Give a database with 3,000 health metrics over 500 days, and the rule to keep one year of them."""
    with copy_of(filled_clinics(server.tools.major).live) as live:
        yield Attic(live, tmp_path)


@pytest.fixture
def database(attic: Attic) -> LiveDatabase:
    """Give the database of the clinic to those who add tables of their own."""
    return attic.live
