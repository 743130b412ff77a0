"""Fidelity: what comes back is what was there, for the demo's databases and for one that is deliberately nasty."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Generator
from datetime import date
from pathlib import Path

import pytest

from bed.clusters import MAJORS, Clusters, LiveDatabase, new_database, statement, tools_of
from bed.restoring import Stage, names_like
from demo.databases.create import create_fleet
from demo.databases.roster import FLEET, login_roles
from demo.databases.seed import seed_fleet
from pgtend.backup.gathering import read_inventory
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore.compare import compare_inventory
from pgtend.restore.model import Owners

BED = Path(__file__).parents[1] / "bed"
NASTY, ODD, ODD_SINCE_18 = (BED / name for name in ("nasty.sql", "odd.sql", "odd_since_18.sql"))
ODD_SINCE = 18


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


def test_an_odd_database_comes_back_the_same(stage: Stage, clusters: Clusters) -> None:
    """With an archive for each of its tables, and on a newer server too."""
    stage.own_part_from = "1 B"
    newer = clusters.server(max(MAJORS))
    since_18 = [ODD_SINCE_18] if stage.server.tools.major >= ODD_SINCE else []
    with new_database(stage.server) as made:
        for script in (ODD, *since_18):
            load_script(stage, made.name, script)
        name = f"{made.name}_back"
        try:
            stage.take(made.name)
            assert verify_backup(stage.vault, stage.backup().entry.manifest, stage.private, quietly).faults == ()
            assert stage.restore(name, jobs=2).differences == ()
            assert stage.schema_differences(made.name, name) == []
            report = stage.restore(f"{name}_newer", target=newer.superuser(), owners=Owners.CREATE)
            assert report.differences == ()
        finally:
            for server, found in ((stage.server, name), (newer, f"{name}_newer")):
                with server.session() as session:
                    session.run(statement("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), name=called(found))
                    if server is not stage.server:
                        session.run(statement("DROP ROLE IF EXISTS {role}"), role=called(made.owner.user))


CHANGES = (
    ("REVOKE USAGE ON SCHEMA nasty FROM PUBLIC", "rights", "objects of kind right on schema"),
    ("GRANT EXECUTE ON FUNCTION nasty.plus_one TO PUBLIC", "rights", "objects of kind right on function"),
    ("REVOKE SELECT (small) ON nasty.everything FROM PUBLIC", "rights", "objects of kind right on table column"),
    ("REVOKE SELECT ON LARGE OBJECT 4242 FROM PUBLIC", "rights", "objects of kind right on large object"),
    ("GRANT USAGE ON TYPE nasty.mood TO PUBLIC", "rights", "objects of kind right on type"),
    ("REVOKE USAGE ON FOREIGN SERVER elsewhere FROM PUBLIC", "rights", "objects of kind right on server"),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA nasty GRANT INSERT ON TABLES TO PUBLIC",
        "rights",
        "definitions of kind right on default acl",
    ),
    ("ALTER FUNCTION nasty.half OWNER TO {other}", "rights", "objects of kind owner of function"),
    (
        'ALTER SCHEMA "-leading dash" OWNER TO {other}',
        "rights",
        "objects of kind owner of schema",
    ),
    ("DROP OPERATOR nasty.=== (text, text)", "inventory", "objects of kind operator"),
    ("DROP CAST (nasty.mood AS int)", "inventory", "objects of kind cast"),
    (
        "ALTER TEXT SEARCH CONFIGURATION nasty.medical DROP MAPPING FOR word",
        "inventory",
        "definitions of kind text search configuration",
    ),
    ("ALTER TYPE nasty.pair ADD ATTRIBUTE c int", "inventory", "definitions of kind composite type"),
    ("DROP USER MAPPING FOR PUBLIC SERVER elsewhere", "inventory", "objects of kind user mapping"),
    ("ALTER PUBLICATION pickings SET TABLE nasty.node (id)", "inventory", "definitions of kind publication relation"),
    (
        'ALTER PUBLICATION shelves DROP TABLES IN SCHEMA "-leading dash"',
        "inventory",
        "objects of kind publication namespace",
    ),
    ("ALTER TABLE nasty.everything RESET (fillfactor)", "inventory", "definitions of kind setting of a relation"),
    (
        "ALTER TABLE nasty.everything ALTER small SET STATISTICS 7",
        "inventory",
        "definitions of kind setting of a column",
    ),
    ("COMMENT ON TRIGGER touching ON nasty.parent IS 'another'", "inventory", "definitions of kind comment on trigger"),
)


@pytest.mark.pg(">= 18")
def test_what_the_inventory_would_miss_no_more(stage: Stage, nasty: LiveDatabase) -> None:
    """Each change of a right, of an owner, of a setting and of a rare object is found."""
    nasty.new_role("other", "NOLOGIN")
    manifest = stage.take(nasty.name)
    with nasty.session(nasty.server.superuser(nasty.name)) as session:
        for change, aspect, what in CHANGES:
            session.run(statement("BEGIN"))
            session.run(statement(change.format(other=nasty.role_name("other"))))
            found = compare_inventory(manifest, session, Owners.KEEP)
            session.run(statement("ROLLBACK"))
            assert (aspect, what) in {(str(one.aspect), one.what) for one in found}
        assert compare_inventory(manifest, session, Owners.KEEP) == ()


@pytest.mark.pg(">= 18")
def test_an_older_backup_is_compared_in_what_it_knows(stage: Stage, nasty: LiveDatabase) -> None:
    """Its inventory lists fewer kinds of objects, and the others are no differences."""
    made = stage.take(nasty.name)
    with nasty.session(nasty.server.superuser(nasty.name)) as session:
        known = read_inventory(session, has_all_kinds=False)
        older = made.model_copy(update={"format": 3, "inventory": known})
        assert len(known) < len(made.inventory)
        assert compare_inventory(older, session, Owners.KEEP) == ()
        assert compare_inventory(older.model_copy(update={"format": 4}), session, Owners.KEEP)


@pytest.mark.pg("< 18")
def test_a_nasty_database_comes_back_on_a_newer_server(stage: Stage, nasty: LiveDatabase, clusters: Clusters) -> None:
    """Rows are compared by content, objects are counted, and that they were only counted is said."""
    newer = clusters.server(max(MAJORS))
    made = stage.take(nasty.name)
    name = f"{nasty.name}_newer"
    try:
        report = stage.restore(name, target=newer.superuser(), owners=Owners.CREATE)
        assert (report.differences, report.rows) == ((), made.rows)
        assert any("definitions were counted and not compared" in remark for remark in report.remarks)
    finally:
        with newer.session() as session:
            session.run(statement("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), name=called(name))
            session.run(statement("DROP ROLE IF EXISTS {role}"), role=called(nasty.owner.user))


@pytest.mark.pg(">= 18")
def test_a_nasty_schema_comes_back_without_rows(stage: Stage, nasty: LiveDatabase) -> None:
    """Large objects are rows in this: neither they nor what belongs to them is missed."""
    stage.take(nasty.name)
    name = f"{nasty.name}_schema"
    report = stage.restore(name, schema_only=True)
    assert (report.differences, report.rows) == ((), 0)
    assert "large objects were left out: they come with the rows" in report.remarks


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
