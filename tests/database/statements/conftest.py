"""A clinic whose server counts, for every test that asks for one; the server is shared and started once."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import MAJORS, Clusters, wanted_majors
from bed.counted_clinic import Clinic, clinic_on, counting_server
from pgtend.postgres.throwaway import ThrowawayServer


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Count on each major version, or on those that the marker of a test names."""
    if "counting" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("pg")
        majors = wanted_majors(marker.args[0]) if marker else list(MAJORS)
        metafunc.parametrize("counting", majors, indirect=True, ids=[f"pg{major}" for major in majors], scope="session")


@pytest.fixture(scope="session")
def counting(request: pytest.FixtureRequest) -> Generator[ThrowawayServer]:
    """Give a running server that counts statements; nobody stops it."""
    with counting_server(request.param) as server:
        yield server


@pytest.fixture
def clinic(counting: ThrowawayServer, clusters: Clusters) -> Generator[Clinic]:
    """Give a counted database and a ledger for it."""
    with clinic_on(counting, clusters.server(18)) as made:
        yield made
