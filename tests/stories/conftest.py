"""Fixtures of the stories."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import MAJORS, Clusters, tools_of
from bed.drilling import Clinics, Ground
from bed.restoring import Stage
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture
def stage(server: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a stage on a server that other tests use too."""
    folders = ",".join(f"{major}:{tools_of(major).folder}" for major in MAJORS)
    monkeypatch.setenv("PGTEND_PG_BINDIRS", folders)
    return Stage(server=server, folder=tmp_path)


@pytest.fixture(scope="session")
def clinics(clusters: Clusters, tmp_path_factory: pytest.TempPathFactory) -> Generator[Clinics]:
    """Keep one sound backup of a clinic for each version of the server, taken when the first test asks for it."""
    with Clinics.opened(clusters, tmp_path_factory.mktemp("clinics")) as opened:
        yield opened


@pytest.fixture
def sound(clinics: Clinics, stage: Stage) -> Ground:
    """Give a ground for drills with a copy of that backup, to be done with as a test likes."""
    return clinics.ground(stage)
