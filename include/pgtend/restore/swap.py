"""Puts a backup in the place of a living database: restored beside it first, then the two change names in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from pgtend.backup.record import Role
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.postgres.address import Address
from pgtend.postgres.errors import DatabaseClosed
from pgtend.postgres.identifiers import database
from pgtend.postgres.session import Session
from pgtend.postgres.translation import hint_for
from pgtend.restore.archive import Backup
from pgtend.restore.errors import NotConfirmed, NotIdentical, StillInUse, TargetMissing
from pgtend.restore.job import restore_backup
from pgtend.restore.model import RestoreOrder, RestoreReport, new_name
from pgtend.restore.server import (
    END_SESSIONS,
    READ_DATABASES,
    RENAME_DATABASE,
    SessionsEnded,
    await_nobody,
    entered,
    refuse_older,
    refuse_taken,
    refuse_unsuited,
)
from pgtend.sqlfiles import command, query

_ROOM = __package__ or ""
_PATIENCE = timedelta(seconds=30)


COUNT_SESSIONS = query(_ROOM, "count_sessions", SessionsEnded)
CLOSE_DATABASE = command(_ROOM, "close_database")
OPEN_DATABASE = command(_ROOM, "open_database")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What came of replacing a database."""

    report: RestoreReport
    set_aside: str
    """The name under which the database that was there before still is."""
    saved_as: str
    """The backup that was taken of it before."""

    def __str__(self) -> str:
        return f"{self.report}. What was there before is still there as {self.set_aside}, and in backup {self.saved_as}"


def replace_database(  # noqa: PLR0913 - what, where, what was typed, how the old one is saved; the rest has defaults
    backup: Backup,
    order: RestoreOrder,
    typed_name: str,
    save: Callable[[], str],
    progress: Progress,
    *,
    clock: Clock = utc_now,
) -> Replacement:
    """Replace a database by a backup of it, and keep the one that was there under another name.

    `save` takes a backup of what is there and names it. Everything that can fail, fails before anybody is sent away.
    """
    name = order.name
    if typed_name != name:
        raise NotConfirmed(
            f"'{typed_name[:63]}' was typed, and the database is called '{name}'",
            hint="Type the name of the database that is to be replaced, exactly.",
        )
    now, wanted = order.named_at or clock(), backup.entry.backup_id
    fresh, set_aside = new_name(name, now), new_name(name, now, "before")
    with entered(order.target) as server:
        _refuse_missing(server, name)
        refuse_taken(server, set_aside)
        refuse_older(server, backup.entry.manifest.source)
        refuse_unsuited(server, backup.entry.manifest, ())
    # A key that does not fit is found out here, and not when what is there was saved in vain.
    backup.content(Role.GLOBALS)
    saved_as = save()
    progress(f"what is there now is in backup {saved_as}")
    with _saying(f"The latest backup is {saved_as} now, of what is there: to try again, ask for {wanted} by its name."):
        report = restore_backup(backup, replace(order, name=fresh), progress, clock=clock)
        if not report.is_identical:
            raise NotIdentical(
                f"what was restored differs from the backup, so '{name}' stays as it is",
                detail="; ".join(map(str, report.differences[:10])),
                hint=f"Look at what was restored: it is there as {fresh}. See docs/runbooks/restore-not-identical.md.",
            )
        with _saying(f"What was restored is there as {fresh}."), entered(order.target) as server:
            exchange(server, name, fresh, set_aside)
    progress(f"{name} is the restored one now; the one before is {set_aside}")
    return Replacement(
        report=replace(report, database=name, place=order.target.to(dbname=name).place),
        set_aside=set_aside,
        saved_as=saved_as,
    )


def exchange(server: Session, name: str, fresh: str, set_aside: str, *, patience: timedelta = _PATIENCE) -> None:
    """Let two databases change places in one transaction, with nobody in the old one. Failing changes nothing."""
    with _closed(server, name, set_aside):
        _send_away(server, name, patience)
        await_nobody(server, fresh)
        with server.transaction():
            server.run(RENAME_DATABASE, old=database(name), new=database(set_aside))
            server.run(RENAME_DATABASE, old=database(fresh), new=database(name))


@contextmanager
def _closed(server: Session, name: str, set_aside: str) -> Generator[None]:
    """Keep people out of a database, and let them in again whatever it is called then."""
    server.run(CLOSE_DATABASE, database=database(name))
    try:
        yield
    except BaseException as failure:
        _let_in_again(server.address, (name, set_aside), failure)
        raise
    server.run(OPEN_DATABASE, database=database(set_aside))


def _let_in_again(address: Address, names: Sequence[str], failure: BaseException) -> None:
    """Open whichever there is, by another session: ours may be broken, and nobody knows then what its commit did."""
    try:
        with entered(address) as server:
            for found in server.rows(READ_DATABASES):
                if found.name in names:
                    server.run(OPEN_DATABASE, database=database(found.name))
    except PgtendError as trouble:
        _add(failure, f"'{names[0]}' may still let nobody in ({trouble.message}). {hint_for(DatabaseClosed)}")


@contextmanager
def _saying(sentence: str) -> Generator[None]:
    """Let a failure say what is there now, and what whoever tries again must know."""
    try:
        yield
    except PgtendError as failure:
        _add(failure, sentence)
        raise


def _add(failure: BaseException, sentence: str) -> None:
    failure.add_note(sentence)
    if isinstance(failure, PgtendError):
        failure.detail = f"{failure.detail}\n{sentence}".strip()


def _send_away(server: Session, name: str, patience: timedelta) -> None:
    deadline = time.monotonic() + patience.total_seconds()
    server.row(END_SESSIONS, {"name": name})
    while server.row(COUNT_SESSIONS, {"name": name}).ended:
        if time.monotonic() > deadline:
            raise StillInUse(
                f"sessions in '{name}' do not end",
                detail="A database with sessions in it cannot change its name. Nothing was changed.",
                hint="Stop the applications that use it, and try again; pg_stat_activity names them.",
            )
        time.sleep(0.1)
        server.row(END_SESSIONS, {"name": name})


def _refuse_missing(server: Session, name: str) -> None:
    if all(found.name != name for found in server.rows(READ_DATABASES)):
        raise TargetMissing(
            f"there is no database '{name}' to replace",
            detail=f"This was {server.address.place}.",
            hint="Leave --in-place out: the restore makes a new database.",
        )
