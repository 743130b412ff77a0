"""Rows lie in a backup as the SQL that a session is given: what is taken of it, and who watches that it is taken."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Generator
from datetime import timedelta
from itertools import chain, repeat

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.restoring import Stage, names_like
from pgtend.backup import dumping
from pgtend.backup.model import Shard
from pgtend.backup.record import Role
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.process import Stalled
from pgtend.postgres.session import Session
from pgtend.restore.attendance import attended
from pgtend.restore.rows import fill_tables

TABLES = (
    "CREATE TABLE public.one (id int)",
    'CREATE TABLE public."a ""b"".c" (id int)',
    "CREATE SEQUENCE public.steps",
)
DUMP = (
    b"SET row_security = off;\n\nCOPY public.one (id) FROM stdin;\n1\n2\n\\.\n\n"
    b'COPY public."a ""b"".c" (id) FROM stdin;\n3\n\\.\n\n'
    b"SELECT pg_catalog.setval('public.steps', 7, true);\n"
)
SUM = (
    'SELECT concat_ws(\' \', (SELECT sum(id) FROM public.one), (SELECT sum(id) FROM public."a ""b"".c"),'
    " (SELECT last_value FROM public.steps)) AS word"
)


class Endless(io.RawIOBase):
    """A dump whose rows never end, and whose taker is stopped in the middle of them."""

    def __init__(self, taker: int) -> None:
        super().__init__()
        self._taker = taker
        self._pieces = chain([b"COPY public.one (id) FROM stdin;\n"], repeat(b"1\n" * 50_000))
        self._given = 0

    def read(self, _size: int | None = -1, /) -> bytes:
        """Give more of it."""
        self._given += 1
        if self._given == 10:
            os.kill(self._taker, signal.SIGSTOP)
        return next(self._pieces)


@pytest.fixture
def origin(stage: Stage) -> Generator[LiveDatabase]:
    """Give a database with two tables."""
    with new_database(stage.server) as made:
        made.run(*TABLES)
        yield made
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def filled(session: Session, *only: tuple[str, str]) -> str:
    """Fill the tables and say what is in them."""
    with session.transaction():
        fill_tables(session, io.BytesIO(DUMP), only)
    return session.row(asked(SUM)).word


@pytest.mark.pg(">= 18")
def test_of_several_tables_in_one_part_those_that_were_asked_for_are_filled(origin: LiveDatabase) -> None:
    """Names count as they are and not as they look; a sequence moves only with everything else."""
    with origin.session() as session:
        assert filled(session, ("public", 'a "b".c')) == "3 1"
        assert filled(session, ("public", "one")) == "3 3 1"
        assert filled(session) == "3 3 7"


@pytest.mark.pg(">= 18")
def test_a_server_that_takes_no_rows_is_not_waited_for(origin: LiveDatabase) -> None:
    """It neither answers nor hangs up: after a time the restore does."""
    with origin.session() as session:
        backend = session.connection.info.backend_pid
        try:
            with pytest.raises(Stalled, match="the server took no row for 500 ms"):
                fill_endlessly(session, backend)
        finally:
            os.kill(backend, signal.SIGCONT)


def fill_endlessly(session: Session, backend: int) -> None:
    """Give rows to a server until it takes no more."""
    dump, silence = Endless(backend), timedelta(milliseconds=500)
    with attended(dump, session, silence) as watched, session.transaction():
        fill_tables(session, watched)


def as_an_archive(_shard: Shard) -> str:
    """Choose what was chosen for every part once."""
    return "custom"


def test_rows_that_were_stored_as_an_archive_come_back(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in backups of formats 1 and 2: pg_restore loads them."""
    origin.run("INSERT INTO public.one SELECT generate_series(1, 5000)")
    monkeypatch.setattr(dumping, "_form", as_an_archive)
    made = stage.take(origin.name)
    assert [part.is_script for part in made.parts_of(Role.TABLE)] == [False]
    assert verify_backup(stage.vault, made, stage.private, quietly).faults == ()
    assert stage.restore(f"{origin.name}_back").differences == ()


@pytest.mark.pg(">= 18")
def test_a_script_without_its_last_line_is_found_out(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pg_dump says at its very end is looked for, beside digests and counted rows."""
    origin.run("INSERT INTO public.one SELECT generate_series(1, 5000)")
    made = stage.take(origin.name)
    (part,) = made.parts_of(Role.TABLE)
    assert (part.is_script, part.name.endswith(".sql.zst.age")) == (True, True)
    monkeypatch.setattr("pgtend.backup.verify._SCRIPT_END", b"-- a line that nobody writes")
    faults = verify_backup(stage.vault, made, stage.private, quietly).faults
    assert f"{part.name}: it lacks the last line that pg_dump writes" in map(str, faults)
