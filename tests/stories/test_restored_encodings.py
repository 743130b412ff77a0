"""Databases whose encoding is not UTF-8: names and rows of any letters are backed up and restored as they are."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import statement
from bed.restoring import Stage
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
