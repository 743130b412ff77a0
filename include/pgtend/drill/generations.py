"""The second generation and the negative control: a restored copy must be fit to be backed up, and checks must bite."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from pgtend.backup.manifest import read_small
from pgtend.backup.record import Coverage, Table
from pgtend.drill.filling import Archives, Filler
from pgtend.drill.looking import check_rows, failed, passed, skipped
from pgtend.drill.model import Check, CheckName, CheckOutcome
from pgtend.drill.provision import Copy, make_empty
from pgtend.kernel.errors import BrokenEvidence, PgtendError
from pgtend.postgres.command import Command, client
from pgtend.postgres.identifiers import column, database, relation
from pgtend.postgres.leftovers import Kind, claimed_folder
from pgtend.postgres.process import reading, run
from pgtend.restore.archive import LONGEST, SILENCE, Backup, Spool
from pgtend.restore.properties import sorting_rules
from pgtend.restore.server import DROP_DATABASE
from pgtend.sqlfiles import command, query
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace
from pgtend.vault.parts import MIB

_ROOM = __package__ or ""
_SECOND = "drill_second"
_CONTROL = "drill_control"
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Victim:
    """A column that may be empty."""

    name: str


@dataclass(frozen=True, slots=True)
class Changed:
    """How many rows were changed."""

    changed: int


@dataclass(frozen=True, slots=True)
class Silenced:
    """How the server was told to keep its triggers quiet."""

    setting: str


CREATE_CONTROL = command(_ROOM, "create_control")
FIND_VICTIM = query(_ROOM, "find_victim", Victim)
DELETE_ROW = command(_ROOM, "delete_row")
EMPTY_VALUE = query(_ROOM, "empty_value", Changed)
SILENCE_TRIGGERS = query(_ROOM, "silence_triggers", Silenced)


def check_second_generation(backup: Backup, copy: Copy, jobs: int) -> Check:
    """Back the copy up and restore that: what was stored wrongly and went unnoticed shows on its second trip."""
    second = copy.called(_SECOND)
    try:
        with ExitStack() as life:
            encoding = backup.entry.manifest.source.encoding
            before = life.enter_context(_dumped(copy, "pre-data", encoding))
            after = life.enter_context(_dumped(copy, "post-data", encoding))
            archives = Archives.read(second, before, after)
            make_empty(second, backup.entry.manifest, sorting_rules(archives.own_properties))
            filler = Filler(copy=second, manifest=backup.entry.manifest, archives=archives, jobs=jobs)
            filler.make_schema()
            with reading(_dump(copy, "data"), silence=SILENCE) as rows:
                filler.pour(rows)
            rebuilt = filler.build_keys()
    except PgtendError as error:
        return failed(CheckName.SECOND_GENERATION, expected="a restore", found="none", detail=f"{error.code}")
    differences = [check for check in check_rows(backup, second.restorer, jobs) if check.outcome is CheckOutcome.FAILED]
    if rebuilt.failure or differences:
        said = "; ".join([*map(str, differences), *rebuilt.missing[:_ENOUGH]])
        return failed(CheckName.SECOND_GENERATION, expected="the same again", found="others", detail=said)
    return passed(CheckName.SECOND_GENERATION, expected="the same again", found="the same")


def check_control(backup: Backup, copy: Copy, jobs: int) -> Check:
    """Damage on purpose what a fault would damage, and demand that each damage is found."""
    blind: list[str] = []
    done: list[str] = []
    for what, is_found in _damages(backup, copy, jobs):
        done.append(what)
        if not is_found:
            blind.append(what)
    if not done:
        return skipped(CheckName.NEGATIVE_CONTROL, "there is nothing in this backup that could be damaged")
    counts = {"expected": f"{len(done)} damages found", "found": f"{len(done) - len(blind)} found"}
    if blind:
        return failed(CheckName.NEGATIVE_CONTROL, detail=f"not found: {', '.join(blind)}", **counts)
    return passed(CheckName.NEGATIVE_CONTROL, detail=", ".join(done), **counts)


def _damages(backup: Backup, copy: Copy, jobs: int) -> Iterator[tuple[str, bool]]:
    yield "one flipped byte of a stored object", _flip_is_found(backup)
    control = _control_copy(copy)
    changed = _empty_one_value(control, backup.entry.manifest.tables)
    if changed:
        # Before the row is deleted, and with all rows still there: only the content can tell.
        yield f"one emptied value in {changed}", _is_found(backup, control, jobs)
        control = _control_copy(copy)
    deleted = _delete_one_row(control, backup.entry.manifest.tables)
    if deleted:
        yield f"one deleted row of {deleted}", _is_found(backup, control, jobs)


def _is_found(backup: Backup, control: Copy, jobs: int) -> bool:
    return any(check.outcome is CheckOutcome.FAILED for check in check_rows(backup, control.superuser, jobs))


def _control_copy(copy: Copy) -> Copy:
    """Copy the copy, in the place of an earlier one."""
    with copy.server.session() as session:
        session.run(DROP_DATABASE, database=database(_CONTROL))
        session.run(CREATE_CONTROL, database=database(_CONTROL), old=database(copy.name))
    return copy.called(_CONTROL)


def _empty_one_value(control: Copy, tables: tuple[Table, ...]) -> str:
    """Empty a value where a fingerprint of all rows should notice, or anywhere when there is no such table."""
    candidates = [table for table in _smallest_first(tables) if table.coverage is Coverage.FULL]
    rest = [table for table in _smallest_first(tables) if table.coverage is Coverage.ROWS]
    for table in [*candidates, *rest]:
        with control.session() as session:
            session.row(SILENCE_TRIGGERS)
            names = session.rows(FIND_VICTIM, {"schema": table.schema_name, "table": table.name})
            for name in names:
                where = relation(table.schema_name, table.name)
                try:
                    if session.row(EMPTY_VALUE, table=where, column=column(name.name)).changed:
                        return str(table)
                except PgtendError:
                    continue  # a rule of the table forbids it: another column will do
    return ""


def _delete_one_row(control: Copy, tables: tuple[Table, ...]) -> str:
    for table in _smallest_first(tables):
        if table.coverage is Coverage.NONE:
            continue
        with control.session() as session:
            session.row(SILENCE_TRIGGERS)
            try:
                session.run(DELETE_ROW, table=relation(table.schema_name, table.name))
            except PgtendError:
                continue  # a rule of the table forbids it: another table will do
        return str(table)
    return ""


def _smallest_first(tables: tuple[Table, ...]) -> list[Table]:
    return sorted((table for table in tables if table.rows), key=lambda table: (table.rows, str(table)))


def _flip_is_found(backup: Backup) -> bool:
    """Flip one byte in the middle of a copy of the smallest part, and read it as a restore would."""
    manifest = backup.entry.manifest
    part = min(manifest.parts, key=lambda one: one.stored_size)
    stored = bytearray(read_small(backup.vault, manifest.key_of(part)))
    stored[len(stored) // 2] ^= 1
    with claimed_folder(kind=Kind.FLIPPED) as folder:
        aside = FolderVault(FolderPlace(path=folder / "vault", may_create=True))
        aside.put_if_absent(manifest.key_of(part), bytes(stored))
        try:
            with replace(backup, vault=aside).opened(part) as plain:
                while plain.read(MIB):
                    continue
        except BrokenEvidence:
            return True
    return False


def _dump(copy: Copy, section: str) -> Command:
    return client(copy.tools, "pg_dump", copy.superuser, "-Fc", "-Z0", f"--section={section}", "--no-password")


@contextmanager
def _dumped(copy: Copy, section: str, encoding: str) -> Generator[Spool]:
    """Keep one section of a dump of the copy in a file without a name."""
    with tempfile.TemporaryFile() as file:
        file.write(run(_dump(copy, section), within=LONGEST))
        file.flush()
        yield Spool(file, encoding)
