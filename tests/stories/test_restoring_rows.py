"""Rows of large tables lie in files of their own: what is taken of them, and who watches that it is taken."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.restoring import Stage, as_of_format, names_like
from pgtend.backup import take
from pgtend.backup.dumping import Errand, OpenDump
from pgtend.backup.facts import Relation
from pgtend.backup.model import Shard, plan_shards
from pgtend.backup.record import Part, Role, TableName
from pgtend.backup.script import Script
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.kernel.sizes import Bytes
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.process import Stalled
from pgtend.postgres.session import Session
from pgtend.restore.attendance import attended
from pgtend.restore.job import restore_backup
from pgtend.restore.rows import fill_tables
from pgtend.vault.errors import VaultUnreachable
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import Readable, StoredObject

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


ROWS = Script.rows


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
        fill_tables(session, Script(io.BytesIO(DUMP)), only)
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
        fill_tables(session, Script(watched))


def in_one_dump(relations: Sequence[Relation], _own_part_from: Bytes, _at_most: int) -> tuple[Shard, ...]:
    """Give all tables to one dump."""
    return plan_shards(relations, Bytes(0), 1)


@pytest.mark.parametrize("asked_for", [(), ("public.one",)])
def test_tables_that_share_a_dump_have_a_file_each(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch, asked_for: tuple[str, ...]
) -> None:
    """One of them is restored without the others, and verifying counts the rows of each; empty ones have one too."""
    origin.run(
        "INSERT INTO public.one SELECT generate_series(1, 5000)",
        "CREATE TABLE public.counted (id int GENERATED ALWAYS AS IDENTITY, none int, said text, again text"
        " GENERATED ALWAYS AS (said || '!') STORED)",
        "INSERT INTO public.counted (said) VALUES (E'a\\\\.\\n'), (repeat('long', 100000)), ('\\.'), (NULL)",
        "CREATE TABLE public.columnless ()",
        "INSERT INTO public.columnless DEFAULT VALUES",
    )
    monkeypatch.setattr(take, "plan_shards", in_one_dump)
    made = stage.take(origin.name)
    files = {str(part.tables[0]): part.name for part in made.parts_of(Role.TABLE)}
    assert set(files) == {"public.one", 'public.a "b".c', "public.counted", "public.columnless"}
    assert {str(table): table.part for table in made.tables} == files
    assert len(set(files.values())) == 4
    assert verify_backup(stage.vault, made, stage.private, quietly).faults == ()
    report = stage.restore(f"{origin.name}_back", tables=asked_for)
    assert (report.differences, report.rows) == ((), 5000 if asked_for else 5005)


def as_sql(errand: Errand, dump: OpenDump, keep: Callable[[Part], None]) -> None:
    """Store what pg_dump wrote, as it is."""
    tables = tuple(TableName(schema=one.schema, name=one.name) for one in dump.shard.tables)
    keep(errand.sealed(dump.pipe, f"{dump.shard.name}.sql", Role.TABLE, tables))


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("asked_for", [(), ("public.one",)])
def test_rows_that_were_stored_as_sql_come_back(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch, asked_for: tuple[str, ...]
) -> None:
    """As in backups of format 3: what is left out of a file is read over."""
    origin.run(
        "INSERT INTO public.one SELECT generate_series(1, 5000)", 'INSERT INTO public."a ""b"".c" VALUES (1), (2)'
    )
    monkeypatch.setattr(take, "plan_shards", in_one_dump)
    monkeypatch.setattr(Errand, "_store_tables", as_sql)
    made = as_of_format(stage.take(origin.name), 3)
    assert [(part.is_script, len(part.tables)) for part in made.parts_of(Role.TABLE)] == [(True, 2)]
    assert verify_backup(stage.vault, made, stage.private, quietly).faults == ()
    backup = stage.backup()
    backup = replace(backup, entry=replace(backup.entry, manifest=made))
    report = restore_backup(backup, stage.order(f"{origin.name}_back", tables=asked_for), quietly)
    assert (report.differences, report.rows) == ((), 5000 if asked_for else 5002)


def all_but_one(script: Script) -> Generator[memoryview]:
    """Lose the last row of a table, as long as it is not longer than a few bytes."""
    *before, last = ROWS(script)
    yield from before
    yield last[: bytes(last[:-1]).rfind(b"\n") + 1]


@pytest.mark.pg(">= 18")
def test_a_file_of_rows_without_its_last_ones_is_found_out(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are counted when a backup is verified, beside digests; and pg_restore reads the file as one of its own."""
    origin.run("INSERT INTO public.one SELECT generate_series(1, 5000)")
    monkeypatch.setattr(Script, "rows", all_but_one)
    made = stage.take(origin.name)
    (part,) = [part for part in made.parts_of(Role.TABLE) if part.tables[0].name == "one"]
    faults = verify_backup(stage.vault, made, stage.private, quietly).faults
    assert f"{part.name}: it holds 4,999 rows of public.one, and the snapshot had 5,000" in map(str, faults)


def test_a_table_is_read_while_the_one_before_it_still_goes_into_the_vault(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of objects answers after a while; nobody waits for that with the next table of the same dump."""
    origin.run("INSERT INTO public.one SELECT generate_series(1, 5000)")
    monkeypatch.setattr(take, "plan_shards", in_one_dump)
    has_begun, put = [threading.Event(), threading.Event()], FolderVault.put

    def slowly(vault: FolderVault, key: str, stream: Readable, *, sha256: str | None = None) -> StoredObject:
        first, second = has_begun
        if "/data-" not in key:
            return put(vault, key, stream, sha256=sha256)
        (second if first.is_set() else first).set()
        stored = put(vault, key, stream, sha256=sha256)
        assert second.wait(20), "the next table was not begun"
        return stored

    monkeypatch.setattr(FolderVault, "put", slowly)
    made = stage.take(origin.name)
    assert len(made.parts_of(Role.TABLE)) == 2
    assert verify_backup(stage.vault, made, stage.private, quietly).faults == ()


def test_a_table_that_cannot_be_stored_ends_the_backup_and_leaves_nothing(
    stage: Stage, origin: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the tables that were stored before it nor those behind it are left."""
    monkeypatch.setattr(take, "plan_shards", in_one_dump)
    origin.run(*(f"CREATE TABLE public.more_{number} (id int)" for number in range(6)))
    put, count = FolderVault.put, iter(range(100))

    def failing(vault: FolderVault, key: str, stream: Readable, *, sha256: str | None = None) -> StoredObject:
        if "/data-" in key and next(count) == 3:
            raise VaultUnreachable("the disk is gone")
        return put(vault, key, stream, sha256=sha256)

    monkeypatch.setattr(FolderVault, "put", failing)
    with pytest.raises(VaultUnreachable, match="the disk is gone"):
        stage.take(origin.name)
    assert [stored.key for stored in stage.vault.objects("backups/")] == []
