"""Fixtures that every folder of tests shares."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from bed.clusters import MAJORS, Clusters, LiveDatabase, new_database, wanted_majors
from bed.quick_disk import quick_folder
from pgtend.postgres.throwaway import ThrowawayServer

SHARING = ("tests/browser/", "tests/airflow/", "tests/vault/")
"""Folders whose files share what is expensive: a running Airflow, one that was imported, or two S3 servers."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of the bed; no example of a property test fails because the machine was busy."""
    if not hasattr(config, "workerinput"):
        config.add_cleanup(quick_folder())
    settings.register_profile("house", deadline=None)
    settings.load_profile("house")
    config.addinivalue_line("markers", "pg(condition): run only against these major versions, such as '>= 17'")
    config.addinivalue_line("markers", "long: takes minutes, so its file begins first: nobody waits for it at the end")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, by itself or as a folder; all else stays in the random order it has."""
    items.sort(key=lambda item: not (item.get_closest_marker("long") or item.nodeid.startswith(SHARING)))


class Together(LoadFileScheduling):
    """Gives each file to one worker as a whole, and the files of a folder that shares something to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((folder for folder in SHARING if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Hand files out as `--dist loadfile` does, but for those that share something expensive."""
    return Together(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a server once for each major version, or for those that its marker names."""
    if "server" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("pg")
        majors = wanted_majors(marker.args[0]) if marker else list(MAJORS)
        metafunc.parametrize("server", majors, indirect=True, ids=[f"pg{major}" for major in majors])


@pytest.fixture(scope="session")
def clusters() -> Generator[Clusters]:
    """Keep the servers of this session: started when first asked for, stopped at the end."""
    running = Clusters()
    yield running
    running.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, clusters: Clusters) -> ThrowawayServer:
    """Give a running server that tests share: make no change to it that outlives the test."""
    return clusters.server(request.param)


@pytest.fixture
def database(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Give an empty database that belongs to this test alone."""
    with new_database(server) as made:
        yield made
