"""Airflow reads its settings when it is first imported, so all of them are given here, before any test is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.airflow_metadata import make_sqlite
from bed.clusters import Clusters, new_database
from pgtend.postgres.throwaway import ThrowawayServer

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(tempfile.mkdtemp(prefix="pgtend-airflow-"))

for name in [name for name in os.environ if name.startswith(("AIRFLOW", "PGTEND_FLEET"))]:
    del os.environ[name]
os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
        "AIRFLOW__API__BASE_URL": "http://airflow.test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
    }
)

from bed.airflow_world import World  # noqa: E402 - imports Airflow
from bed.face import Face  # noqa: E402 - same
from bed.ledgers import new_ledger  # noqa: E402 - same


@pytest.fixture(scope="session")
def airflow_db() -> Generator[None]:
    """Make Airflow's own database once a session; it lies in a folder that goes away."""
    make_sqlite(HOME / "airflow.db")
    yield
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def tended_server(clusters: Clusters) -> ThrowawayServer:
    """Give the server of the database that is tended; a file of tests may choose another one."""
    return clusters.server(18)


@pytest.fixture
def world(  # noqa: PLR0913, PLR0917 - pytest hands out fixtures one by one
    airflow_db: None,  # noqa: ARG001 - it is there, that is enough
    clusters: Clusters,
    tended_server: ThrowawayServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Generator[World]:
    """Give a fleet of one real database with a ledger, a vault and two alert channels that keep what they are sent."""
    (HOME / "pgtend-alerts.json").unlink(missing_ok=True)
    with ExitStack() as stack:
        source = stack.enter_context(new_database(tended_server))
        reporting = stack.enter_context(new_ledger(clusters.server(18)))
        yield stack.enter_context(World.made(source, reporting, tmp_path, monkeypatch, capfd, caplog))


@pytest.fixture(scope="module")
def shown_face(
    airflow_db: None,  # noqa: ARG001 - it is there, that is enough
    clusters: Clusters,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Face]:
    """Put the API of the pages over a ledger of its own."""
    folder = tmp_path_factory.mktemp("face")
    with (
        new_ledger(clusters.server(18)) as reporting,
        pytest.MonkeyPatch.context() as environ,
        Face.shown(reporting, folder, environ) as shown,
    ):
        yield shown


@pytest.fixture
def face(shown_face: Face) -> Face:
    """Give the API over an empty ledger."""
    shown_face.clean()
    return shown_face
