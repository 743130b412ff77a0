"""Rebuilds that are held in one of their phases, and ended there: by a cancel, or by the death of one who takes part.

A phase that waits is held by what it waits for. One that calls functions of the index is held by a function that waits
at a gate. What is left is over in a moment: there the server's process is stopped and let on in small steps.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event

from psycopg import OperationalError

from bed.impatient import wait_for
from bed.indexing import Ward
from bed.ledgers import ask, tell
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.postgres.session import Session

GATED = "clinic.gated_code"
WIDE = "clinic.wide_marks"
# Estimating builds indexes too, on samples.
BUILDING = "FROM pg_stat_progress_create_index WHERE datname = current_database() AND command = 'REINDEX CONCURRENTLY'"
STANDS_AT, PID = f"SELECT phase {BUILDING}", f"SELECT pid {BUILDING}"
OURS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND starts_with(application_name, 'pgtend:reindex:')"
)
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND indexrelid >= 16384 ORDER BY 1"
# By then the server asks whether its client is still there.
LONGER_THAN_A_CHECK = 2.2
_STEP = 0.002
_NO_ANSWER = 1.0
_LONG = 60.0


def _gate(phase: str) -> str:
    return f"SELECT pg_advisory_xact_lock(hashtext('{phase}'))"


BEFORE_BUILD = "waiting for writers before build"
SCANNING = "building index: scanning table"
BEFORE_DEATH = "waiting for readers before marking dead"
WRITE = ("BEGIN", "UPDATE clinic.gated SET id = id WHERE id = 4")
READ = ("BEGIN", "SELECT 1 FROM clinic.gated LIMIT 1")


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a rebuild stands, and what keeps it there."""

    name: str
    first: tuple[str, ...]
    """What a session has done before the rebuild begins, and keeps open."""
    until: str = ""
    """Where that holds it, when something else must hold it from there on."""
    second: tuple[str, ...] = ()
    steps: bool = False
    """Whether it is let on from there in small steps."""
    is_live: bool = False
    """Whether the new index is in its place by then."""
    index: str = GATED


WIDE_WRITE = ("BEGIN", "UPDATE clinic.wide SET id = id WHERE id = 4")
PHASES = (
    Phase(BEFORE_BUILD, WRITE),
    Phase(SCANNING, ("BEGIN", _gate(SCANNING))),
    Phase("building index: sorting live tuples", ("BEGIN", _gate("building index: sorting live tuples"))),
    Phase("building index: loading tuples in tree", ("BEGIN", _gate("building index: loading tuples in tree"))),
    Phase(
        "waiting for writers before validation",
        WRITE,
        BEFORE_BUILD,
        ("BEGIN", "UPDATE clinic.gated SET id = id WHERE id = 5"),
    ),
    Phase("index validation: scanning index", WIDE_WRITE, BEFORE_BUILD, steps=True, index=WIDE),
    Phase("index validation: sorting tuples", WIDE_WRITE, BEFORE_BUILD, steps=True, index=WIDE),
    # Only a row that came while the index was built is not in it yet.
    Phase(
        "index validation: scanning table",
        ("BEGIN", _gate(SCANNING)),
        SCANNING,
        (
            "INSERT INTO clinic.gated SELECT max(id) + 1, 'late' FROM clinic.gated",
            "BEGIN",
            _gate("index validation: scanning table"),
        ),
    ),
    Phase("waiting for old snapshots", ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1")),
    Phase(BEFORE_DEATH, READ, is_live=True),
    Phase("waiting for readers before dropping", READ, BEFORE_DEATH, READ, is_live=True),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a rebuild that was ended, and of the application beside it."""

    outcome: str
    """Of the run; empty when nobody was left to tell."""
    left: tuple[str, ...]
    """What it left behind."""
    stood_at: str


Way = Callable[[Session, int, int], None]


def cancel(person: Session, backend: int, _client: int) -> None:
    """Cancel its statement, as a person would."""
    ask(person, f"SELECT pg_cancel_backend({backend})")


def end_session(person: Session, backend: int, _client: int) -> None:
    """End its session."""
    ask(person, f"SELECT pg_terminate_backend({backend})")


def kill_client(_person: Session, _backend: int, client: int) -> None:
    """Kill the process that runs the job: nobody cleans up, and the server notices by itself."""
    os.kill(client, signal.SIGKILL)


def kill_backend(_person: Session, backend: int, _client: int) -> None:
    """Kill the server's process: the server ends all sessions, and recovers from a crash."""
    os.kill(backend, signal.SIGKILL)


KILLS: tuple[Way, ...] = (cancel, end_session, kill_client, kill_backend)


def ended_in(ward: Ward, phase: Phase, way: Way) -> Ended:
    """Rebuild in a process of its own, hold that in a phase, let the application work, and end it."""
    ended = _ended_once(ward, phase, way)
    while not ended.stood_at:
        # On a busy machine a step may be too long, and then the rebuild is over: it has another one.
        ended = _ended_once(ward, phase, way)
    return ended


def _ended_once(ward: Ward, phase: Phase, way: Way) -> Ended:
    fork = multiprocessing.get_context("fork")
    may_begin = fork.Event()
    told: SimpleQueue[str] = fork.SimpleQueue()
    client = fork.Process(target=_work, args=(ward, phase.index, may_begin, told))
    client.start()
    with ward.live.session() as person, _held(ward, phase, person, may_begin.set) as backend:
        stood_at = "".join(map(str, ask(person, STANDS_AT)))
        if stood_at:
            _end(ward, phase, way, person, backend, client.pid or 0)
    client.join(60)
    wait_for(lambda: _nobody_works(ward), _LONG)
    with ward.live.session() as person:
        left = tuple(map(str, ask(person, INVALID)))
    return Ended("" if told.empty() else told.get(), left, stood_at)


def _end(ward: Ward, phase: Phase, way: Way, person: Session, backend: int, client: int) -> None:  # noqa: PLR0913, PLR0917 - all who take part
    if phase.steps:
        way(person, backend, client)
        time.sleep(LONGER_THAN_A_CHECK if way is kill_client else 0)
        return
    application_works(ward)
    way(person, backend, client)
    with suppress(OperationalError):
        wait_for(lambda: ask(person, STANDS_AT) != [phase.name], _LONG)


def rebuilt(ward: Ward, index: str) -> str:
    """Rebuild one index, and say what came of it."""
    try:
        report = ward.work(index, insists=True)
    except PgtendError as error:
        return error.code
    return next(result.outcome.value for result in report.results if result.name == index)


def application_works(ward: Ward) -> None:
    """Write and read as an application does; it waits for nobody longer than a second."""
    with ward.live.session(ward.address, application="clinic-app") as session:
        tell(session, "SET lock_timeout = '1s'", "UPDATE clinic.gated SET code = code WHERE id = 9")
        assert ask(session, "SELECT count(*)::int FROM clinic.gated WHERE id = 9") == [1]


def _nobody_works(ward: Ward) -> bool:
    """Tell whether all sessions of the job are over, and the server answers."""
    try:
        with ward.live.session() as person:
            return not ask(person, OURS)
    except Outage:
        return False


def _work(ward: Ward, index: str, may_begin: Event, told: SimpleQueue[str]) -> None:
    may_begin.wait()
    told.put(rebuilt(ward, index))


@contextmanager
def _held(ward: Ward, phase: Phase, person: Session, begin: Callable[[], None]) -> Generator[int]:
    """Begin a rebuild, and give the number of its backend when it stands where it should."""
    with (
        ward.live.session(ward.address, application="clinic-app") as first,
        ward.live.session(ward.address, application="clinic-app") as second,
    ):
        tell(first, *phase.first)
        begin()
        wait_for(lambda: ask(person, STANDS_AT) == [phase.until or phase.name], _LONG)
        backend = int(str(ask(person, PID)[0]))
        if phase.steps:
            os.kill(backend, signal.SIGSTOP)
        tell(second, *phase.second)
        try:
            if phase.until:
                tell(first, "ROLLBACK")
            if phase.steps:
                _step(person, backend, phase.name)
            else:
                wait_for(lambda: ask(person, STANDS_AT) == [phase.name], _LONG)
            yield backend
        finally:
            if phase.steps:
                with suppress(ProcessLookupError):
                    os.kill(backend, signal.SIGCONT)


def _step(person: Session, backend: int, phase: str) -> None:
    """Let a stopped process on, a moment at a time, until it is where it should be."""
    while ask_beside(backend, person, STANDS_AT) not in ([phase], []):
        os.kill(backend, signal.SIGCONT)
        time.sleep(_STEP)
        os.kill(backend, signal.SIGSTOP)


def ask_beside(stopped: int, person: Session, question: str) -> list[object]:
    """Ask a server one of whose processes is stopped, maybe with a lock of the server's own that an answer needs.

    Or in the middle of saying where it stands: whoever reads that begins again until it has said it. So it is let on
    when there is no answer, stopped again, and the question is asked anew, because it is elsewhere by then.
    """
    while True:
        went_on = threading.Event()

        def let_on(went_on: threading.Event = went_on) -> None:
            went_on.set()
            os.kill(stopped, signal.SIGCONT)

        patience = threading.Timer(_NO_ANSWER, let_on)
        patience.start()
        try:
            answer = ask(person, question)
        finally:
            patience.cancel()
            patience.join()
        if not went_on.is_set():
            return answer
        os.kill(stopped, signal.SIGSTOP)
