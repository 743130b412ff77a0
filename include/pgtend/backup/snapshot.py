"""Lock first, then look: one moment that every reader shares, taken when nothing can be emptied any more.

TRUNCATE and rewriting ALTER TABLE are visible to snapshots that are older than they are. pg_dump takes its snapshot
first and its locks afterwards, so a table that is truncated and loaded again in between is dumped empty, with exit
status 0.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from pgtend.backup.errors import NeverStill, SnapshotGone, SourceChanged
from pgtend.backup.facts import (
    BEGIN_LOOKING,
    BEGIN_SHARING,
    EXPORT_SNAPSHOT,
    LOCK_TABLES,
    READ_OWN_LOCKS,
    READ_RELATIONS,
    READ_STANDING,
    SHARE_SNAPSHOT,
    ExportedSnapshot,
    Relation,
    Standing,
)
from pgtend.backup.gathering import Surroundings, read_surroundings
from pgtend.postgres.errors import RowsBroken, StatementRejected
from pgtend.postgres.identifiers import only_relations, text
from pgtend.postgres.session import Session

_ROUNDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSnapshot:
    """A moment that is kept visible, and what it shows."""

    exported: ExportedSnapshot
    relations: Sequence[Relation]
    surroundings: Surroundings
    locked: int


@contextmanager
def held_snapshot(coordinator: Session, door: Callable[[], AbstractContextManager[Session]]) -> Generator[HeldSnapshot]:
    """Lock every table, take the snapshot, look around in it, and hold both while the caller works.

    At the end the coordinator proves that it is still the same session on the same server.
    """
    with coordinator.transaction():
        coordinator.run(BEGIN_LOOKING)
        standing = coordinator.row(READ_STANDING)
        for _ in range(_ROUNDS):
            held = _lock_what_is_new(coordinator)
            seen = _look_around(coordinator.row(EXPORT_SNAPSHOT), door)
            if {one.oid for one in seen.relations if one.is_locked_by_dumps} <= held:
                yield seen
                _refuse_change(standing, coordinator.row(READ_STANDING))
                return
        raise _never_still()


def _look_around(exported: ExportedSnapshot, door: Callable[[], AbstractContextManager[Session]]) -> HeldSnapshot:
    """Read in the snapshot itself what is there: between the last look at the list and it, a table may have come."""
    with door() as reader, sharing(reader, exported.name):
        relations = reader.rows(READ_RELATIONS)
        return HeldSnapshot(
            exported=exported,
            relations=relations,
            surroundings=read_surroundings(reader),
            locked=sum(one.is_locked_by_dumps for one in relations),
        )


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


def _lock_what_is_new(coordinator: Session) -> set[int]:
    """Lock tables until a look at the list finds none that is not ours, and tell all that are."""
    held = _held(coordinator)
    for _ in range(_ROUNDS):
        wanted = [one for one in coordinator.rows(READ_RELATIONS) if one.is_locked_by_dumps and one.oid not in held]
        if not wanted:
            return held
        try:
            with coordinator.transaction():
                coordinator.run(LOCK_TABLES, tables=only_relations((one.schema, one.name) for one in wanted))
        except StatementRejected:
            # One of them was dropped or renamed since it was listed. The next look tells, and the last one gives up.
            continue
        held = _held(coordinator)
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
