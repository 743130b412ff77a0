"""The manifest's own words, run by a shell with stock tools and nothing of ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bed.clusters import asked, new_database, statement
from bed.restoring import Stage
from pgtend.postgres.identifiers import database as called

NEEDED = ("age", "zstd")


@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="age and zstd are not installed: apt install age zstd")
def test_a_person_restores_with_stock_tools_by_what_the_manifest_says(stage: Stage, tmp_path: Path) -> None:
    """age, zstd, createdb and pg_restore, line by line as written; only roles are psql's. All is the same after it."""
    with new_database(stage.server) as origin:
        origin.run("CREATE TABLE public.note (id serial PRIMARY KEY, text text)")
        origin.run("INSERT INTO public.note (text) SELECT repeat(n::text, 100) FROM generate_series(1, 5000) AS n")
        made = stage.take(origin.name)
        assert [line for line in made.by_hand.splitlines() if "| psql" in line and "globals" not in line] == []
        folder = tmp_path / "vault" / made.folder
        key = folder / "KEY.txt"
        key.touch(mode=0o600)
        key.write_text(stage.keys.key_file(), encoding="utf-8")
        try:
            done = by_hand(stage, made.by_hand, folder, only(tmp_path / "bin", stage))
            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stdout.count(": OK") == len(made.parts)
            with origin.session(stage.server.superuser("restored")) as session:
                assert session.row(asked("SELECT count(*)::text AS word FROM public.note")).word == "5000"
            assert stage.schema_differences(origin.name, "restored") == []
        finally:
            with stage.server.session() as session:
                session.run(statement("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), name=called("restored"))


def only(programs: Path, stage: Stage) -> Path:
    """Make a folder with the programs that the words name, and no other."""
    programs.mkdir()
    for name in ("age", "zstd", "sha256sum"):
        (programs / name).symlink_to(shutil.which(name) or name)
    for name in ("createdb", "pg_restore", "psql"):
        (programs / name).symlink_to(stage.server.tools.path(name))
    return programs


def by_hand(stage: Stage, words: str, folder: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    """Type the words into a shell that knows where the server is."""
    address = stage.server.superuser().params
    environment = {
        "PATH": str(programs),
        "PGHOST": address["host"],
        "PGPORT": address["port"],
        "PGUSER": address["user"],
    }
    script = ("/bin/bash", "-o", "pipefail", "-e", "-c", words)
    return subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, check=False)
