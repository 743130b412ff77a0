"""People who write and read while old rows leave; every write that was acknowledged is looked for afterwards."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString, Protocol, TypeAlias

import psycopg
from psycopg.sql import SQL, Composable, Identifier

Parameters: TypeAlias = tuple[object, ...]
_LOOK_EVERY = 0.02
INSERT = """
INSERT INTO public.health_metrics (user_id, date, medication_score, diet_score, exercise_score)
VALUES (%s, now() AT TIME ZONE 'UTC', 1, %s, 3) RETURNING id
"""
LATE = """
INSERT INTO public.health_metrics (user_id, date, medication_score, diet_score, exercise_score)
VALUES (%s, %s::timestamp + %s * interval '1 minute', 1, %s, 3) RETURNING id
"""
CORRECT = "UPDATE public.health_metrics SET diet_score = %s WHERE id = %s RETURNING id"
READ = "SELECT * FROM public.health_metrics WHERE user_id = %s ORDER BY date DESC LIMIT 90"
# Of all who wait for a lock, so that it does not matter for whose.
WAITING = "SELECT extract(epoch FROM max(clock_timestamp() - waitstart))::float8 FROM pg_locks WHERE NOT granted"


class Pipe(Protocol):
    """One end of a pipe between processes."""

    def send(self, obj: object, /) -> None:
        """Hand something over."""

    def recv(self) -> object:
        """Wait for something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many of which, a second each, on which rows."""

    conninfo: str
    inserts: float = 50
    late: float = 10
    corrections: float = 20
    reads: float = 50
    users: int = 90
    old_ids: int = 1000
    """Rows with an id up to this one are old enough to leave."""
    oldest: str = "2025-07-12"
    late_minutes: int = 120_000
    """Late rows are up to this much younger than the oldest row."""


@dataclass(frozen=True, slots=True)
class Act:
    """One acknowledged statement: what it did, to which row, with which mark, when it was due, and what it took."""

    kind: str
    row: int
    mark: float
    due: float
    took: float


@dataclass(slots=True)
class Testimony:
    """What the crowd has to say afterwards."""

    acts: list[Act] = field(default_factory=list[Act])
    longest_wait: float = 0.0
    refused: list[str] = field(default_factory=list[str])

    def of(self, kind: str) -> list[Act]:
        """All acts of one kind."""
        return [act for act in self.acts if act.kind == kind]

    def slowest(self, kind: str, *, share: float = 0.99, since: float = 0.0, until: float = float("inf")) -> float:
        """Tell how long all but the slowest ones took, in seconds from when they were due."""
        took = sorted(act.took for act in self.of(kind) if since <= act.due < until)
        return took[min(int(len(took) * share), len(took) - 1)] if took else 0.0

    @property
    def last_words(self) -> dict[int, Act]:
        """What each row must hold: the last mark that was acknowledged."""
        return {act.row: act for act in self.acts if act.kind != READ}


@dataclass(slots=True)
class Load:
    """A crowd at work, in a process of its own."""

    _pipe: Pipe
    testimony: Testimony = field(default_factory=Testimony)

    def see_late_rows(self, number: int) -> None:
        """Wait until so many more late rows were acknowledged."""
        self._pipe.send(number)
        self._pipe.recv()


@contextmanager
def crowd_at_work(crowd: Crowd) -> Generator[Load]:
    """Let the crowd work for as long as this lasts; its testimony is complete afterwards."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(crowd, theirs), daemon=True)
    process.start()
    try:
        ours.recv()
        load = Load(ours)
        yield load
        ours.send(0)
        said = ours.recv()
        assert isinstance(said, Testimony)
        load.testimony = said
    finally:
        process.kill()
        process.join()


@dataclass(slots=True)
class _Gathering:
    """The crowd itself, a thread for each kind of act."""

    crowd: Crowd
    said: Testimony = field(default_factory=Testimony)
    over: threading.Event = field(default_factory=threading.Event)
    news: threading.Condition = field(default_factory=threading.Condition)
    dice: random.Random = field(default_factory=lambda: random.Random(6))  # noqa: S311 - rows, and no secrets

    def kinds(self) -> Iterator[tuple[str, float, Callable[[float], Parameters]]]:
        """Say what is done, how often, and with which values."""
        crowd, dice = self.crowd, self.dice
        yield INSERT, crowd.inserts, lambda mark: (self._user(), mark)
        late = crowd.late_minutes
        yield LATE, crowd.late, lambda mark: (self._user(), crowd.oldest, dice.randrange(late), mark)
        yield CORRECT, crowd.corrections, lambda mark: (mark, 1 + dice.randrange(crowd.old_ids))
        yield READ, crowd.reads, lambda _: (self._user(),)

    def act(self, text: LiteralString, rate: float, values: Callable[[float], Parameters]) -> None:
        """Do one kind of act until it is over; what is late counts from when it was due."""
        # No score of the clinic is an odd sixteenth: a mark says which write a row has seen last.
        marks = itertools.cycle(number / 8 + 1 / 16 for number in range(799))
        with psycopg.connect(self.crowd.conninfo, autocommit=True) as connection:
            due = time.monotonic()
            while not self.over.wait(max(0.0, due - time.monotonic())):
                mark = next(marks)
                try:
                    found = connection.execute(text, values(mark)).fetchone()
                except psycopg.Error as error:
                    self.said.refused.append(str(error))
                else:
                    self._note(text, found, mark, due)
                due += 1 / rate

    def look(self) -> None:
        """Watch how long anybody waits for a lock."""
        with psycopg.connect(self.crowd.conninfo, autocommit=True) as connection:
            while not self.over.wait(_LOOK_EVERY):
                found = connection.execute(WAITING).fetchone()
                waited = float(found[0]) if found and found[0] else 0.0
                self.said.longest_wait = max(self.said.longest_wait, waited)

    def see_late_rows(self, number: int) -> None:
        """Wait for acknowledgements."""
        until = len(self.said.of(LATE)) + number
        with self.news:
            self.news.wait_for(lambda: len(self.said.of(LATE)) >= until)

    def _note(self, kind: str, found: Parameters | None, mark: float, due: float) -> None:
        if found is None and kind != READ:
            # The row is archived: nobody was told that it was corrected.
            return
        row = int(str(found[0])) if found and kind != READ else 0
        with self.news:
            self.said.acts.append(Act(kind, row, mark, due, time.monotonic() - due))
            self.news.notify_all()

    def _user(self) -> int:
        return 1 + self.dice.randrange(self.crowd.users)


def _work(crowd: Crowd, pipe: Pipe) -> None:
    gathering = _Gathering(crowd)
    threads = [threading.Thread(target=gathering.act, args=kind) for kind in gathering.kinds()]
    threads.append(threading.Thread(target=gathering.look))
    for thread in threads:
        thread.start()
    pipe.send("at work")
    while (wanted := pipe.recv()) and isinstance(wanted, int):
        gathering.see_late_rows(wanted)
        pipe.send("seen")
    gathering.over.set()
    for thread in threads:
        thread.join()
    pipe.send(gathering.said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the writes that were acknowledged."""

    writes: int
    lost_inserts: int
    lost_corrections: int
    doubled: int

    @property
    def holds(self) -> bool:
        """Whether every one is there, and once."""
        return not (self.lost_inserts or self.lost_corrections or self.doubled)


def judge(testimony: Testimony, conninfo: str, *relations: str) -> Verdict:
    """Look for every acknowledged write in some tables together."""
    words = testimony.last_words
    there = SQL(" UNION ALL ").join(SQL("SELECT id, diet_score FROM {}").format(_named(name)) for name in relations)
    found: dict[int, list[float]] = {}
    with psycopg.connect(conninfo) as connection:
        for row, mark in connection.execute(
            SQL("SELECT * FROM ({}) AS r WHERE id = ANY (%s)").format(there), [list(words)]
        ):
            found.setdefault(int(row), []).append(float(mark))
        count = connection.execute(SQL("SELECT count(*) - count(DISTINCT id) FROM ({}) AS r").format(there)).fetchone()
    inserted = {act.row for act in testimony.acts if act.kind in {INSERT, LATE}}
    wrong = {row for row, act in words.items() if act.mark not in found.get(row, [])}
    lost = {row for row in wrong & inserted if row not in found}
    return Verdict(
        writes=sum(act.kind != READ for act in testimony.acts),
        lost_inserts=len(lost),
        lost_corrections=len(wrong - lost),
        doubled=int(count[0]) if count else 0,
    )


def _named(name: str) -> Composable:
    return Identifier(*name.split("."))
