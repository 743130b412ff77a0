"""A clinic whose server counts, for every test that asks for one; the server is shared and started once."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import MAJORS, Clusters
from bed.counted_clinic import Clinic, clinic_on, counting_server
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture(scope="session", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def counting(request: pytest.FixtureRequest) -> Generator[ThrowawayServer]:
    """Give a running server that counts statements; nobody stops it."""
    with counting_server(request.param) as server:
        yield server


@pytest.fixture
def clinic(counting: ThrowawayServer, clusters: Clusters) -> Generator[Clinic]:
    """Give a counted database and a ledger for it."""
    with clinic_on(counting, clusters.server(18)) as made:
        yield made
