"""Starts all dumps of a backup at once and waits until each holds its own locks, or gives way.

A table that somebody wants for himself is closed to whoever asks later, even to a friend of its holder. A dump that
began minutes after the snapshot would be kept out by any TRUNCATE or ALTER TABLE that waits for us, and that one by us.
So all dumps ask at the same moment and keep what they have; until each is read it waits with its output. Where
somebody comes between in that moment, everything is let go of and tried again: whoever alters a table waits half a
second for us and not half an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pgtend.backup.dumping import Errand, OpenDump
from pgtend.backup.errors import Disturbed, GaveWay, NeverStill
from pgtend.backup.facts import FORGET_ACTIVITY, READ_STUCK, Stuck
from pgtend.backup.model import Shard
from pgtend.kernel.errors import Outage
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import LockedOut, TransactionLost
from pgtend.postgres.process import Stalled, ToolFailed
from pgtend.postgres.session import Session

Result = TypeVar("Result")
_GLANCE = 0.02
_PAUSE = 0.05
_DISTURBANCES = 5
_GOODBYE = timedelta(seconds=1)


@dataclass(slots=True)
class _Tries:
    """What happened so far."""

    made: int = 0
    disturbed: int = 0


def until_still(
    attempt: Callable[[], Result], *, within: timedelta, progress: Progress, is_untouched: Callable[[], bool]
) -> Result:
    """Try until nobody altered a table while all locks were taken, for no longer than allowed.

    What was stored by a try has the names that the next one would give: only an untouched vault allows another.
    """
    deadline = time.monotonic() + within.total_seconds()
    tries = _Tries()
    while True:
        tries.made += 1
        try:
            return attempt()
        except (GaveWay, LockedOut, TransactionLost, NeverStill, Disturbed) as trouble:
            tries.disturbed += isinstance(trouble, Disturbed)
            if not is_untouched():
                raise
            if time.monotonic() >= deadline or tries.disturbed >= _DISTURBANCES:
                trouble.detail = f"{trouble.detail} Tried {tries.made} times in {say_span(within)}.".strip()
                raise
            if tries.made & (tries.made - 1) == 0:
                progress(f"gave way and tries again: {trouble.message}")
            time.sleep(_PAUSE)


@contextmanager
def mustered(
    errand: Errand, shards: Sequence[Shard], coordinator: Session, *, within: timedelta
) -> Generator[tuple[OpenDump, ...]]:
    """Start every dump, and go on when each has begun to write: its locks are its own by then."""
    with ExitStack() as stack:
        dumps = tuple(stack.enter_context(errand.started(shard)) for shard in shards)
        try:
            _await_locks(dumps, coordinator, errand.application, within)
        except Outage:
            _dismiss(dumps)
            raise
        yield dumps


def _await_locks(dumps: Sequence[OpenDump], coordinator: Session, application: str, within: timedelta) -> None:
    deadline = time.monotonic() + within.total_seconds()
    waiting = list(dumps)
    while waiting := [dump for dump in waiting if not _has_begun(dump)]:
        coordinator.run(FORGET_ACTIVITY)
        stuck = coordinator.rows(READ_STUCK, {"application": application})
        if stuck:
            raise _gave_way(stuck)
        if time.monotonic() >= deadline:
            raise Stalled(
                f"pg_dump wrote nothing for {say_span(within)}",
                detail=f"It was to dump {waiting[0].shard.name}.",
                hint="See docs/runbooks/tool-failed.md; backup.silence in the fleet file says how long is allowed.",
            )
        waiting[0].pipe.await_output(timedelta(seconds=_GLANCE))


def _has_begun(dump: OpenDump) -> bool:
    try:
        return dump.pipe.await_output(timedelta())
    except ToolFailed as failure:
        # What is no table cannot be locked: a function or a view may go while it is being read.
        raise Disturbed(failure.message, detail=failure.detail, hint=failure.hint) from failure


def _dismiss(dumps: Sequence[OpenDump]) -> None:
    """Let the dumps cancel what they ask of the server: one that is killed would go on waiting there."""
    for dump in dumps:
        dump.pipe.ask_to_end()
    deadline = time.monotonic() + _GOODBYE.total_seconds()
    for dump in dumps:
        dump.pipe.await_end(timedelta(seconds=max(0.0, deadline - time.monotonic())))


def _gave_way(stuck: Sequence[Stuck]) -> GaveWay:
    first = stuck[0]
    return GaveWay(
        f"'{first.who}' wants {first.sql_name} for itself",
        detail="It came between the locks of this backup and those of its dumps; nothing of this try was kept.",
        hint="Let the job that empties or alters tables pause at this hour; see docs/runbooks/backup-not-taken.md.",
    )
