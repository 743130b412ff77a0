"""Lock first, then look: one moment that every reader shares, taken when nothing can be emptied any more.

TRUNCATE and rewriting ALTER TABLE are visible to snapshots that are older than they are. pg_dump takes its snapshot
first and its locks afterwards, so a table that is truncated and loaded again in between is dumped empty, with exit
status 0.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from pgtend.backup.errors import NeverStill, SnapshotGone, SourceChanged
from pgtend.backup.facts import (
    BEGIN_LOOKING,
    BEGIN_SHARING,
    EXPORT_SNAPSHOT,
    LIMIT_LOCK_WAIT,
    LOCK_TABLES,
    READ_LOCKABLE,
    READ_OWN_LOCKS,
    READ_RELATIONS,
    READ_STANDING,
    SHARE_SNAPSHOT,
    ExportedSnapshot,
    Lockable,
    Relation,
    Standing,
)
from pgtend.backup.gathering import read_sequences
from pgtend.backup.record import Sequence as Sequenced
from pgtend.postgres.errors import RowsBroken, StatementRejected
from pgtend.postgres.identifiers import only_relations, text
from pgtend.postgres.session import Session

_ROUNDS = 20
_LONGEST_WAIT = timedelta(milliseconds=500)
"""Half of what PostgreSQL lets pass before it looks for a deadlock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSnapshot:
    """A moment that is kept visible, and what it shows."""

    exported: ExportedSnapshot
    relations: Sequence[Relation]
    sequences: tuple[Sequenced, ...]
    locked: int


@contextmanager
def held_snapshot(coordinator: Session, readers: Sequence[Session], lock_wait: timedelta) -> Generator[HeldSnapshot]:
    """Lock every table, take the snapshot, let readers share and lock it too, and hold all while the caller works.

    At the end the coordinator proves that it is still the same session on the same server.
    """
    with coordinator.transaction():
        coordinator.run(BEGIN_LOOKING)
        _limit_lock_wait(coordinator, lock_wait)
        standing = coordinator.row(READ_STANDING)
        for _ in range(_ROUNDS):
            locked = _lock_what_is_new(coordinator)
            with ExitStack() as stack:
                exported = coordinator.row(EXPORT_SNAPSHOT)
                for reader in readers:
                    stack.enter_context(sharing(reader, exported.name))
                    _limit_lock_wait(reader, lock_wait)
                    _lock(reader, locked)
                seen = _look_around(readers[0], exported)
                if {one.oid for one in seen.relations if one.is_locked_by_dumps} <= {one.oid for one in locked}:
                    yield seen
                    _refuse_change(standing, coordinator.row(READ_STANDING))
                    return
        raise _never_still()


def _look_around(reader: Session, exported: ExportedSnapshot) -> HeldSnapshot:
    """Read in the snapshot itself which tables there are: between the last look at the list and it, one may have come.

    Sequences are in no snapshot and are read before anything is dumped.
    """
    relations = reader.rows(READ_RELATIONS)
    return HeldSnapshot(
        exported=exported,
        relations=relations,
        sequences=read_sequences(reader),
        locked=sum(one.is_locked_by_dumps for one in relations),
    )


def _limit_lock_wait(session: Session, lock_wait: timedelta) -> None:
    """Wait for a moment only: after a second the server would end whoever waits for us while we wait for it."""
    session.row(LIMIT_LOCK_WAIT, {"milliseconds": round(min(lock_wait, _LONGEST_WAIT).total_seconds() * 1000)})


def _lock(session: Session, tables: Sequence[Lockable]) -> None:
    if tables:
        session.run(LOCK_TABLES, tables=only_relations((one.schema, one.name) for one in tables))


@contextmanager
def sharing(session: Session, snapshot: str) -> Generator[None]:
    """See what the holder of the snapshot sees."""
    with session.transaction():
        session.run(BEGIN_SHARING)
        _import(session, snapshot)
        yield


def _import(session: Session, snapshot: str) -> None:
    try:
        session.run(SHARE_SNAPSHOT, name=text(snapshot))
    except (RowsBroken, StatementRejected) as error:
        # The server calls it an invalid parameter or an unknown object, depending on its version.
        raise SnapshotGone(
            "the snapshot of this backup is gone",
            detail=f"Its holder was lost while others still needed it. The server says: {error.message}.",
            hint="Nothing of this try is kept, and it is tried again; see docs/runbooks/backup-not-taken.md.",
        ) from error


def _lock_what_is_new(coordinator: Session) -> Sequence[Lockable]:
    """Lock tables until a look at the list finds none that is not ours, and tell all that are."""
    for _ in range(_ROUNDS):
        held, listed = _held(coordinator), coordinator.rows(READ_LOCKABLE)
        wanted = [one for one in listed if one.oid not in held]
        if not wanted:
            return listed
        try:
            with coordinator.transaction():
                _lock(coordinator, wanted)
        except StatementRejected:
            # One of them was dropped or renamed since it was listed. The next look tells, and the last one gives up.
            continue
    raise _never_still()


def _held(coordinator: Session) -> set[int]:
    return {lock.oid for lock in coordinator.rows(READ_OWN_LOCKS)}


def _refuse_change(before: Standing, after: Standing) -> None:
    if before != after:
        raise SourceChanged(
            "the server changed its role while it was backed up",
            detail=f"It was {_say(before)}, and at the end {_say(after)}.",
            hint="A failover let go of the locks: nothing of this try is kept. See docs/runbooks/backup-not-taken.md.",
        )


def _say(standing: Standing) -> str:
    role = "a standby" if standing.is_standby else "a primary"
    return f"{role} on timeline {standing.timeline} of system {standing.system_identifier}"


def _never_still() -> NeverStill:
    return NeverStill(
        f"tables were created and dropped so fast that {_ROUNDS} attempts could not lock them all",
        detail="A backup of a moving list would miss tables without anybody noticing.",
        hint="Let the job that creates and drops tables pause at this hour; see docs/runbooks/backup-not-taken.md.",
    )
