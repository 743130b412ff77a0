"""Databases whose encoding is not UTF-8: names and rows of any letters are backed up and restored as they are."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import new_database, statement
from bed.extremes import made_with
from bed.restoring import Stage
from pgtend.backup.errors import NotReady
from pgtend.backup.record import Role
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.identifiers import database as called

NAMES = {"LATIN1": 'f"iche é', "WIN1252": "Größe € ‰", "KOI8R": "Пациент", "EUC_JP": '患者"表'}

MAKES = """
    CREATE SCHEMA "NAME";
    CREATE TABLE "NAME"."NAME" ("NAME" serial PRIMARY KEY, said text DEFAULT 'TEXT');
    INSERT INTO "NAME"."NAME" (said) SELECT 'TEXT ' || x FROM generate_series(1, 5000) AS x;
    CREATE TABLE "NAME"."NAME small" (said text);
    INSERT INTO "NAME"."NAME small" VALUES ('TEXT');
    CREATE INDEX "NAME index" ON "NAME"."NAME" (said);
    CREATE VIEW "NAME".seen AS SELECT 'TEXT' AS said;
    COMMENT ON TABLE "NAME"."NAME" IS 'TEXT';
"""


@pytest.fixture(params=NAMES)
def encoding(request: pytest.FixtureRequest, stage: Stage) -> Generator[str]:
    """Give a database in an encoding, called like it, with its letters in everything that has a name."""
    encoding = str(request.param)
    name = f"in_{encoding}"
    quoted, text = NAMES[encoding].replace('"', '""'), NAMES[encoding]
    with stage.server.session() as session:
        make = f"CREATE DATABASE {{name}} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        session.run(statement(make), name=called(name))
    with stage.server.session(name) as session:
        session.connection.execute(MAKES.replace("NAME", quoted).replace("TEXT", text).encode())
    yield encoding
    with stage.server.session() as session:
        for one in (name, f"{name}_back", f"{name}_small"):
            session.run(statement("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), name=called(one))


@pytest.mark.pg(">= 18")
def test_names_and_rows_come_back_in_the_letters_of_their_encoding(stage: Stage, encoding: str) -> None:
    """A large table in a file of its own, a small one, one of them alone, an index that is built early."""
    name, text = f"in_{encoding}", NAMES[encoding]
    made = stage.take(name)
    assert [str(one) for part in made.parts_of(Role.TABLE) for one in part.tables] == [f"{text}.{text}"]
    assert verify_backup(stage.vault, made, stage.private, quietly).faults == ()
    assert stage.restore(f"{name}_back").differences == ()
    assert [line for line in stage.lines if line.startswith(f"built INDEX {text} {text} index ")]
    assert stage.schema_differences(name, f"{name}_back") == []
    small = stage.restore(f"{name}_small", tables=(f"{text}.{text} small",))
    assert (small.differences, small.rows) == ((), 1)


@pytest.mark.pg(">= 18")
def test_names_of_other_databases_and_of_roles_may_be_in_another_encoding(stage: Stage) -> None:
    """PostgreSQL keeps the bytes of a name that all databases share: who reads it from another one gets those.

    pg_dumpall stops at such a role, which is said before a backup begins. A restore needs no name of them all.
    """
    with (
        made_with(stage.server, "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'") as old,
        new_database(stage.server) as live,
    ):
        live.run("CREATE TABLE public.note (id int)", "INSERT INTO public.note VALUES (1)")
        stage.take(live.name)
        with stage.server.session(old.name) as session:
            session.run(statement('CREATE ROLE "Ärztin"'))
            session.run(statement('CREATE DATABASE "Büro"'))
            try:
                assert stage.restore(f"{live.name}_back").differences == ()
                with pytest.raises(NotReady, match="pg_dumpall stops at it") as caught:
                    stage.take(live.name)
                assert r"role \xc4rztin" in str(caught.value)
            finally:
                session.run(statement('DROP DATABASE "Büro"'))
                session.run(statement('DROP ROLE "Ärztin"'))
                session.run(statement("DROP DATABASE IF EXISTS {name}"), name=called(f"{live.name}_back"))
