"""An application that would deadlock with a rebuild: it writes, waits, and then wants the whole table."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bed.clusters import asked, statement
from bed.indexing import Ward
from pgtend.indexes.report import Outcome
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.session import Session

INDEX = "clinic.visits_device"
WRITE = "UPDATE clinic.visits SET active = active WHERE id = 4"
WANT_ALL = "ALTER TABLE clinic.visits ADD COLUMN IF NOT EXISTS note text"
REINDEX = f"REINDEX INDEX CONCURRENTLY {INDEX}"
BUILDING = asked("SELECT pid::text AS word FROM pg_stat_progress_create_index WHERE datname = current_database()")
# By then the rebuild has looked for a deadlock and found none: left alone, the server ends whoever comes second.
LONGER_THAN_A_LOOK = 1.2


@dataclass(slots=True)
class Round:
    """What one round did to the application, and what became of the rebuild."""

    delay: float = 0.0
    error: str = ""
    outcome: Outcome | None = None
    yielded: int = 0
    said: list[str] = field(default_factory=list[str])


def watched_round(ward: Ward) -> Round:
    """Let our rebuild meet that application."""
    with application(ward) as round_:
        report = ward.work(INDEX, insists=True, pauses=(1.0, 1.0))
    result = next(one for one in report.results if one.name == INDEX)
    round_.outcome, round_.yielded = result.outcome, result.yielded
    return round_


def unwatched_round(ward: Ward) -> Round:
    """Let a rebuild that nobody watches meet it."""
    with application(ward) as round_, ward.session() as session, suppress(PgtendError):
        session.run(statement(REINDEX))
    return round_


@contextmanager
def application(ward: Ward) -> Generator[Round]:
    """Let the application work beside what happens inside."""
    found, began = Round(), threading.Event()
    thread = threading.Thread(target=lambda: _work(ward, found, began))
    thread.start()
    began.wait(20)
    try:
        yield found
    finally:
        thread.join()


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so; what never happens shows in what the test looks at."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def _work(ward: Ward, found: Round, began: threading.Event) -> None:
    with ward.live.session(ward.address, application="clinic-app") as session, ward.live.session() as other:
        session.run(statement("BEGIN"))
        session.run(statement(WRITE))
        began.set()
        wait_for(lambda: other.rows(BUILDING))
        time.sleep(LONGER_THAN_A_LOOK)
        _want_all(session, found)


def _want_all(session: Session, found: Round) -> None:
    since = time.monotonic()
    try:
        session.run(statement(WANT_ALL))
        found.delay = time.monotonic() - since
        session.run(statement("COMMIT"))
    except PgtendError as error:
        found.error = error.code
