"""Fidelity at the edge, in small; a thousand partitions and a row of 200 MB are a bench: make bench ONLY=extremes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.extremes import fill_partitions, fill_wide_row, made_with, without_encoding
from bed.restoring import Stage, names_like
from pgtend.backup import model
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.identifiers import database as called


def comes_back(stage: Stage, live: LiveDatabase) -> int:
    """Back a database up, restore it beside itself, hold both against each other, and tell how many rows it has."""
    name = f"{live.name}_back"
    try:
        stage.take(live.name)
        report = stage.restore(name, jobs=2)
        assert report.differences == ()
        assert stage.schema_differences(live.name, name) == []
        return report.rows
    finally:
        with stage.server.session() as session:
            for found in names_like(stage, name):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(found))


@pytest.mark.parametrize(
    ("fill", "rows"),
    [
        (lambda live: fill_partitions(live, 60), 300),
        (lambda live: fill_wide_row(live, 12), 3),
    ],
    ids=["60 partitions", "a row of 12 MB"],
)
def test_an_extreme_comes_back_the_same(stage: Stage, fill: Callable[[LiveDatabase], None], rows: int) -> None:
    """Fingerprints, sequences, inventory and `pg_dump -s` are those of the original, and every index is valid."""
    with new_database(stage.server) as live:
        fill(live)
        assert comes_back(stage, live) == rows


def test_text_that_is_valid_in_no_encoding_comes_back_the_same(stage: Stage) -> None:
    """A database without an encoding is restored into one without."""
    with without_encoding(stage.server) as live:
        assert comes_back(stage, live) == 500
        manifest = stage.catalogue().entries[0].manifest
        assert manifest.source.encoding == "SQL_ASCII"
        assert any("no encoding" in remark for remark in manifest.remarks)


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("options", "sorting"),
    [
        ("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C' ENCODING 'UTF8'", "b C.UTF-8"),
        ("LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C' ENCODING 'UTF8'", "i de"),
        ("LOCALE_PROVIDER icu ICU_LOCALE 'en' ICU_RULES '&a < ''g''' LOCALE 'C' ENCODING 'UTF8'", "i en &a < 'g'"),
    ],
)
def test_a_database_sorts_as_it_did(stage: Stage, options: str, sorting: str) -> None:
    """By whose rules text is sorted can be given only when a database is made, and its indexes depend on it."""
    told = "SELECT concat_ws(' ', datlocprovider, datlocale, daticurules) AS word FROM pg_database WHERE datname = "
    with made_with(stage.server, options) as live:
        name = f"{live.name}_back"
        stage.take(live.name)
        try:
            assert stage.restore(name).differences == ()
            with live.session(stage.server.superuser(name)) as session:
                assert session.row(asked(f"{told} current_database()")).word == sorting
        finally:
            live.run(f"DROP DATABASE {name} WITH (FORCE)", address=stage.server.superuser())


@pytest.mark.pg(">= 18")
def test_large_objects_come_back_and_are_compared(stage: Stage) -> None:
    """They are no rows of a table: their content has a fingerprint of its own. A hole in one comes back as zeros."""
    with new_database(stage.server) as live:
        live.run(
            "SELECT lo_from_bytea(424242, decode('00ff5c2e0a', 'hex'))",
            "SELECT lo_create(7), lo_create(8)",
            "SELECT lo_put(8, 5000000, 'behind a hole')",
            "COMMENT ON LARGE OBJECT 424242 IS E'COPY public.x (id) FROM stdin;\n1\n\\\\.\n'",
        )
        name = f"{live.name}_back"
        stage.take(live.name)
        assert verify_backup(stage.vault, stage.backup().entry.manifest, stage.private, quietly).faults == ()
        try:
            report = stage.restore(name)
            assert report.differences == ()
            assert [remark for remark in report.remarks if "large object" in remark] == []
            back = stage.server.superuser(name)
            with live.session(back) as session:
                content = "SELECT encode(lo_get(424242), 'hex') AS word"
                assert session.row(asked(content)).word == "00ff5c2e0a"
            for place in ("8, 4000000", "7, 0"):
                live.run(f"SELECT lo_put({place}, 'x')", address=back)
                assert stage.compare(name) == [
                    "content of large objects: one fingerprint in the backup, another restored"
                ]
                live.run("SELECT lo_put(8, 4000000, decode('00', 'hex'))", address=back)
        finally:
            live.run(f"DROP DATABASE {name} WITH (FORCE)", address=stage.server.superuser())


@pytest.mark.pg(">= 18")
def test_large_objects_that_nobody_had_time_for_are_not_called_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup says so, the restore says so, and a drill does not pass over it either."""
    monkeypatch.setattr(model, "OPENED_A_SECOND", 0.001)
    with new_database(stage.server) as live:
        live.run("SELECT lo_from_bytea(424242, 'content')")
        name = f"{live.name}_back"
        made = stage.take(live.name)
        assert "What is in 1 large object was not hashed: there was no time for it." in made.remarks
        try:
            remarks = stage.restore(name).remarks
        finally:
            live.run(f"DROP DATABASE {name} WITH (FORCE)", address=stage.server.superuser())
    said = (
        "that 1 large object came back was compared, and what is in them was not: the backup has no fingerprint of that"
    )
    assert said in remarks
