"""Fidelity: what comes back is what was there, for the demo's databases and for one that is deliberately nasty."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Generator
from datetime import date
from pathlib import Path

import pytest

from bed.clusters import MAJORS, LiveDatabase, new_database, statement, tools_of
from bed.restoring import Stage, names_like
from demo.databases.create import create_fleet
from demo.databases.roster import FLEET, login_roles
from demo.databases.seed import seed_fleet
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.throwaway import ThrowawayServer

NASTY = Path(__file__).parents[1] / "bed" / "nasty.sql"


@pytest.fixture(scope="module", params=MAJORS, ids=lambda major: f"pg{major}")
def demo(request: pytest.FixtureRequest) -> Generator[ThrowawayServer]:
    """Create and seed the demo's databases on a server of their own: their names are fixed."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(request.param), settings={"shared_preload_libraries": ""}) as server:
        create_fleet(server.superuser().conninfo, passwords, progress=str)
        seed_fleet(server.superuser().conninfo, today=date(2026, 11, 21), progress=str)
        yield server


def demo_stage(demo: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Set a stage on the demo's server."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", f"{demo.tools.major}:{demo.tools.folder}")
    return Stage(server=demo, folder=tmp_path)


@pytest.mark.parametrize("name", FLEET)
def test_a_demo_database_comes_back_the_same(
    demo: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Fingerprints, sequences, inventory and `pg_dump -s` are those of the original."""
    stage = demo_stage(demo, tmp_path, monkeypatch)
    made = stage.take(name)
    report = stage.restore(f"{name}_back")
    assert report.differences == ()
    assert report.rows == made.rows > 5000
    assert stage.schema_differences(name, f"{name}_back") == []


def load_script(stage: Stage, name: str, script: Path) -> None:
    """Run a script by psql, as a person would."""
    arguments = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(script))
    where = ("-d", stage.server.superuser(name).conninfo)
    done = subprocess.run(
        (stage.server.tools.path("psql"), *where, *arguments), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def nasty(stage: Stage) -> Generator[LiveDatabase]:
    """Give the nasty database."""
    with new_database(stage.server) as made:
        load_script(stage, made.name, NASTY)
        yield made
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def test_a_nasty_database_comes_back_the_same(stage: Stage, nasty: LiveDatabase) -> None:
    """Odd names, every type, partitions, inheritance, row security, large objects and all the rest."""
    stage.take(nasty.name)
    name = f"{nasty.name}_back"
    report = stage.restore(name, jobs=3)
    assert report.differences == ()
    assert stage.schema_differences(nasty.name, name) == []


def test_a_copy_of_the_nasty_copy_is_the_same_too(stage: Stage, nasty: LiveDatabase) -> None:
    """The second generation: a restored database can be backed up and restored again, and nothing wears off."""
    stage.take(nasty.name)
    first, second = f"{nasty.name}_one", f"{nasty.name}_two"
    stage.restore(first)
    made = stage.take(first)
    assert stage.restore(second).differences == ()
    assert {(table.name, table.rows) for table in made.tables} == {
        (table.name, table.rows) for table in stage.catalogue().entries[-1].manifest.tables
    }
    assert stage.schema_differences(nasty.name, second) == []
