"""Faults while restoring, injected for real: the right family of error, nothing half done, the next try succeeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement, tools_of
from bed.restoring import Stage, names_like
from pgtend.backup.manifest import Manifest
from pgtend.backup.record import Role
from pgtend.backup.verify import verify_backup
from pgtend.kernel.errors import BrokenEvidence, Outage
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.process import CheckedPipe, ToolKilled
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore import server as restore_server
from pgtend.restore.archive import Backup
from pgtend.restore.job import restore_backup
from pgtend.restore.model import Owners

SMALL = (Role.PRE_DATA, Role.POST_DATA, Role.GLOBALS, Role.FINGERPRINTS)
ROWS = "INSERT INTO public.large SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 30000) AS n"


@pytest.fixture
def origin(stage: Stage) -> Generator[LiveDatabase]:
    """Give a database with a table large enough to be in the middle of, and a backup of it."""
    with new_database(stage.server) as made:
        made.run("CREATE TABLE public.large (id int PRIMARY KEY, text text)", ROWS)
        yield made
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def path_of(stage: Stage, manifest: Manifest, role: Role) -> Path:
    """Find the file that holds a part."""
    return stage.folder / "vault" / manifest.key_of(manifest.parts_of(role)[0])


def rewrite(path: Path, content: bytes) -> None:
    """Put other bytes in the place of an object, as somebody with access to the disk could."""
    path.unlink()
    path.write_bytes(content)


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    rewrite(path, bytes(content))


def cut(path: Path) -> None:
    """Lose the second half."""
    rewrite(path, path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Lose everything but the name."""
    rewrite(path, b"")


WRECKS: dict[str, Callable[[Path], None]] = {"flipped": flip, "cut": cut, "empty": empty, "missing": Path.unlink}


@pytest.mark.parametrize("role", [Role.TABLE, Role.REST, *SMALL])
@pytest.mark.parametrize("wreck", WRECKS)
@pytest.mark.pg(">= 18")
def test_a_damaged_object_is_broken_evidence_and_nothing_stays(
    stage: Stage, origin: LiveDatabase, role: Role, wreck: str
) -> None:
    """Whichever part it is, the restore ends as broken evidence, and no database is left.

    A small one is missed before anything is made: after the rows that would be hours too late.
    """
    made = stage.take(origin.name)
    entry = stage.catalogue().entries[0]
    WRECKS[wreck](path_of(stage, made, role))
    told: list[str] = []
    with pytest.raises(BrokenEvidence):
        restore_backup(Backup(stage.vault, entry, stage.private), stage.order(f"{origin.name}_back"), told.append)
    assert names_like(stage, f"{origin.name}_") == []
    assert names_like(stage, "pgtend_restoring_") == []
    assert bool(told) is (role not in SMALL)


@pytest.mark.pg(">= 18")
def test_swapped_objects_are_found_out(stage: Stage, origin: LiveDatabase) -> None:
    """Both are whole and sealed for us, and still each is in the wrong place."""
    origin.run("CREATE TABLE public.other AS SELECT * FROM public.large")
    made = stage.take(origin.name)
    first, second = (stage.folder / "vault" / made.key_of(part) for part in made.parts_of(Role.TABLE))
    one, other = first.read_bytes(), second.read_bytes()
    rewrite(first, other)
    rewrite(second, one)
    entry = stage.catalogue().entries[0]
    with pytest.raises(BrokenEvidence):
        restore_backup(Backup(stage.vault, entry, stage.private), stage.order(f"{origin.name}_back"), str)
    assert names_like(stage, f"{origin.name}_") == []


@pytest.mark.pg(">= 18")
def test_an_older_object_replayed_is_found_out(stage: Stage, origin: LiveDatabase) -> None:
    """It was right yesterday, is sealed by the same key, and is refused today."""
    old = stage.take(origin.name)
    origin.run("UPDATE public.large SET text = upper(text) WHERE id = 1")
    time.sleep(1.1)
    new = stage.take(origin.name)
    rewrite(path_of(stage, new, Role.TABLE), path_of(stage, old, Role.TABLE).read_bytes())
    entry = next(one for one in stage.catalogue().entries if one.backup_id == new.backup_id)
    with pytest.raises(BrokenEvidence):
        restore_backup(Backup(stage.vault, entry, stage.private), stage.order(f"{origin.name}_back"), str)
    assert names_like(stage, f"{origin.name}_") == []
    stage.vault.delete(new.key)
    assert stage.restore(f"{origin.name}_back").backup_id == old.backup_id


def killed_when_loading(stage: Stage, kill: Callable[[], None]) -> threading.Thread:
    """Do something terrible as soon as rows are being loaded."""

    def watch() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any("make tables" in line for line in stage.lines):
                kill()
                return
            time.sleep(0.005)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def own_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Stage]:
    """Give a stage on a server that may be killed."""
    with ThrowawayServer(tools=tools_of(18)) as server:
        monkeypatch.setenv("PGTEND_PG_BINDIRS", f"18:{server.tools.folder}")
        yield Stage(server=server, folder=tmp_path)


def test_a_server_that_is_killed_is_an_outage_and_the_next_try_cleans_up(
    own_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No database carries the name people look for; the unfinished one is gone after the next restore."""
    server = own_stage.server
    with server.session() as session:
        session.run(statement("CREATE TABLE public.large (id int PRIMARY KEY, text text)"))
        session.run(statement(ROWS.replace("30000", "300000")))
    own_stage.take("postgres")
    own_stage.lines.clear()
    thread = killed_when_loading(own_stage, lambda: server.stop(signal.SIGKILL))
    with pytest.raises(Outage):
        own_stage.restore("back")
    thread.join()
    server.start()
    assert "back" not in names_like(own_stage, "")
    assert len(names_like(own_stage, "pgtend_restoring_")) == 1
    monkeypatch.setattr(restore_server, "_ABANDONED", timedelta())
    assert own_stage.restore("back").differences == ()
    assert names_like(own_stage, "pgtend_restoring_") == []


@pytest.mark.pg(">= 18")
def test_a_worker_that_is_killed_leaves_no_process_and_no_name(stage: Stage, origin: LiveDatabase) -> None:
    """Killed by SIGKILL in the middle: pg_restore dies with it, and what is unfinished is swept by the next restore."""
    origin.run(ROWS.replace("SELECT n,", "SELECT n + 30000,").replace("30000)", "400000)"))
    stage.take(origin.name)
    key = stage.folder / "key.txt"
    key.touch(mode=0o600)
    key.write_text(stage.keys.key_file(), encoding="utf-8")
    command = Path(sys.executable).parent / "pgtend"
    target = ("--to", stage.server.superuser().conninfo, "--database", f"{origin.name}_back")
    arguments = ("restore", "--from", str(stage.folder / "vault"), "--key", str(key), *target)
    with subprocess.Popen((str(command), *arguments), stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        for line in worker.stderr:
            if "make tables" in line:
                break
        time.sleep(0.3)
        worker.send_signal(signal.SIGKILL)
    left = names_like(stage, "pgtend_restoring_")
    assert (len(left), names_like(stage, f"{origin.name}_")) == (1, [])
    deadline = time.monotonic() + 60
    count = "SELECT count(*)::text AS word FROM pg_stat_activity WHERE datname LIKE 'pgtend_restoring_%%'"
    with stage.server.session() as session:
        while session.row(asked(count)).word != "0" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert session.row(asked(count)).word == "0"
        swept = restore_server.sweep_unfinished(session, utc_now() + timedelta(hours=1), str)
    assert list(swept) == left
    assert stage.restore(f"{origin.name}_back").differences == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which only root may")
def test_a_full_disk_is_an_outage_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says that it has no room; what was begun is removed, and with room it works."""
    disk = Path(tempfile.mkdtemp(prefix="pgtend-disk-"))
    disk.chmod(0o755)
    mounted = subprocess.run(("/usr/bin/mount", "-t", "tmpfs", "-o", "size=190m", "tmpfs", str(disk)), check=False)
    if mounted.returncode:
        pytest.skip("no small disk may be mounted here")
    settings = {"min_wal_size": "32MB", "max_wal_size": "48MB"}
    try:
        with ThrowawayServer(tools=tools_of(18), parent=disk, settings=settings) as server:
            monkeypatch.setenv("PGTEND_PG_BINDIRS", f"18:{server.tools.folder}")
            fill_the_disk_by_a_restore(Stage(server=server, folder=tmp_path))
    finally:
        subprocess.run(("/usr/bin/umount", str(disk)), check=True)
        disk.rmdir()


def fill_the_disk_by_a_restore(stage: Stage) -> None:
    """Have one database that fits, and no room for a second one."""
    with stage.server.session() as session:
        session.run(statement("CREATE TABLE public.large (id int PRIMARY KEY, text text)"))
        session.run(statement(ROWS.replace("30000", "110000")))
        session.run(statement("CHECKPOINT"))
    stage.take("postgres")
    with pytest.raises(Outage):
        stage.restore("back")
    assert names_like(stage, "back") == []
    assert names_like(stage, "pgtend_restoring_") == []


@pytest.mark.pg(">= 18")
def test_whoever_looks_into_the_unfinished_database_costs_nothing(stage: Stage, origin: LiveDatabase) -> None:
    """A monitor that enters every database of a server would keep the finished one from getting its name."""
    stage.take(origin.name)
    curious: list[psycopg.Connection] = []

    def enter(line: str) -> None:
        if line.startswith("compare with"):
            (name,) = names_like(stage, "pgtend_restoring_")
            curious.append(psycopg.connect(stage.server.superuser(name).conninfo))

    report = restore_backup(stage.backup(), stage.order(f"{origin.name}_back"), enter)
    assert (report.differences, len(curious)) == ((), 1)
    with pytest.raises(psycopg.OperationalError):
        curious[0].execute("SELECT 1")


@pytest.mark.pg(">= 18")
def test_remains_that_are_somebody_else_s_keep_nobody_from_restoring(stage: Stage, origin: LiveDatabase) -> None:
    """A restore by a superuser that was killed must not stop the next one, which another role may start."""
    left = f"pgtend_restoring_20261101t000000z_{origin.name[-8:]}"
    stage.take(origin.name)
    plain = origin.new_role("plain", "LOGIN CREATEDB").to(dbname="postgres")
    with stage.server.session() as session:
        session.run(statement("CREATE DATABASE {name} STRATEGY file_copy"), name=called(left))
        try:
            stage.restore(f"{origin.name}_back", target=plain, owners=Owners.IGNORE)
        finally:
            session.run(statement("DROP DATABASE {name}"), name=called(left))
    assert [line for line in stage.lines if line.startswith(f"{left} stays")]


@pytest.mark.pg("<= 15")
def test_what_cannot_be_built_again_keeps_nobody_from_the_rows(stage: Stage, origin: LiveDatabase) -> None:
    """A view whose function finds its table by the search path cannot be filled by pg_restore; all else comes back."""
    function = (
        "CREATE FUNCTION public.rows() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN count(*) FROM large; END'"
    )
    origin.run(function)
    with origin.session() as session:
        session.run(statement("SET search_path = public"))
        session.run(statement("CREATE MATERIALIZED VIEW public.counted AS SELECT public.rows()"))
    stage.take(origin.name)
    report = stage.restore(f"{origin.name}_back")
    assert (report.rows, report.is_identical) == (30000, False)
    (difference,) = map(str, report.differences)
    assert difference.startswith('indexes, constraints, triggers and views (relation "large" does not exist): all in')


def test_an_index_that_cannot_be_built_costs_no_rows(stage: Stage, origin: LiveDatabase) -> None:
    """It is tried early and again at the end, then told; what comes behind it is built all the same."""
    origin.run(
        "CREATE FUNCTION public.moody(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        " 'BEGIN IF current_database() LIKE ''pgtend_restoring_%%'' THEN RAISE ''not today''; END IF; RETURN id; END'",
        "CREATE INDEX moody ON public.large (public.moody(id))",
        "CREATE INDEX zealous ON public.large (id)",
    )
    stage.take(origin.name)
    report = stage.restore(f"{origin.name}_back")
    assert [str(one) for one in report.differences] == [
        "indexes, constraints, triggers and views (not today): all in the backup, not all restored",
        "objects of kind index: 3 in the backup, 2 restored",
    ]


def test_a_program_that_was_killed_is_an_outage_and_says_nothing_about_the_backup(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without memory that ends pg_restore must not leave a mark of damage."""
    made = stage.take(origin.name)

    def killed(sql: CheckedPipe, *_: object) -> bytes:
        sql.stop()
        return sql.readall()

    monkeypatch.setattr("pgtend.backup.verify._read_sql", killed)
    with pytest.raises(ToolKilled, match="was killed by SIGKILL"):
        verify_backup(stage.vault, made, stage.private, quietly)
