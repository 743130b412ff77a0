"""Fixtures of the stories."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import MAJORS, tools_of
from bed.restoring import Stage
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture
def stage(server: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a stage on a server that other tests use too."""
    folders = ",".join(f"{major}:{tools_of(major).folder}" for major in MAJORS)
    monkeypatch.setenv("PGTEND_PG_BINDIRS", folders)
    return Stage(server=server, folder=tmp_path)
