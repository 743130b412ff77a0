"""What archiving costs those who go on writing, beside copying and deleting."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg

from bed.archive_load import CORRECT, Crowd, Testimony, Verdict, crowd_at_work, judge
from bed.archiving import METRICS, USERS, Attic, own
from bed.clusters import LiveDatabase, copy_of, new_database, tools_of
from bench.figures import Section, Table, milliseconds, prose, ratio, seconds
from pgtend.postgres.throwaway import ThrowawayServer

MAJOR = int(os.environ.get("MAJOR", "18"))
ROWS = int(os.environ.get("ROWS", "1000000"))
RUNS = int(os.environ.get("RUNS", "5"))
LARGE = int(os.environ.get("LARGE", "10000000"))
"""A few runs with this many rows; none when it is 0."""
LARGE_RUNS = int(os.environ.get("LARGE_RUNS", "3"))
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
OURS, SEED, DETACH = "pgtend", "copy, then delete", "pgtend, partitioned"
DAYS, PEOPLE, IDLE = 1096, 9_200, 15.0
_EVERY = 0.05
FILL = """
INSERT INTO public.health_metrics (user_id, date, medication_score, diet_score, exercise_score)
SELECT 1 + mod(x::bigint * 7919, {people}),
    timestamp '2026-11-21' - interval '{days} days' * (({rows} - x)::float8 / {rows})
        + (mod(x, 120) - 60) * interval '1 minute',
    mod(x, 997) / 10.0, mod(x, 500) / 7.0, mod(x::bigint * 31, 1001) / 10.0
FROM generate_series(1, {rows}) AS x
"""
TABLE = """
CREATE TABLE public.health_metrics (
    id serial, user_id integer NOT NULL, date timestamp NOT NULL DEFAULT now(),
    medication_score real NOT NULL, diet_score real NOT NULL, exercise_score real NOT NULL
) {partitioned}
"""
PARTITIONS = """DO $$ BEGIN FOR n IN 0..37 LOOP EXECUTE format(
    'CREATE TABLE public.metrics_%%s PARTITION OF public.health_metrics FOR VALUES FROM (%%L) TO (%%L)', n,
    date '2023-11-01' + n * interval '1 month', date '2023-12-01' + n * interval '1 month');
END LOOP; END $$"""
FINISH = (
    "ALTER TABLE public.health_metrics ADD PRIMARY KEY {key}",
    "CREATE INDEX ON public.health_metrics (user_id, date)",
    "ALTER TABLE public.health_metrics ADD CONSTRAINT diet_score_check CHECK (diet_score BETWEEN 0 AND 100)",
    "ALTER TABLE public.health_metrics ADD FOREIGN KEY (user_id) REFERENCES public.users",
    "VACUUM (ANALYZE) public.health_metrics",
    "CHECKPOINT",
)
TWO_STEPS = (
    "INSERT INTO public.copied SELECT * FROM public.health_metrics WHERE date < timestamp '2025-11-01'",
    "DELETE FROM public.health_metrics WHERE date < timestamp '2025-11-01'",
)
# Parallel workers bear the name of their leader.
WORKING = "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(pgtend:(archive|lookout):|bench:work)'"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a run said, when, and how far the write-ahead log was."""

    line: str
    at: float
    wal: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One run under load."""

    who: str
    rows: int
    moved: int
    cpu: float
    marks: tuple[Mark, ...]
    testimony: Testimony
    verdict: Verdict

    @property
    def since(self) -> float:
        """When it began."""
        return self._mark("began").at

    @property
    def until(self) -> float:
        """When it ended."""
        return self._mark("ended").at

    @property
    def wall(self) -> float:
        """What it took."""
        return self.until - self.since

    @property
    def wal(self) -> int:
        """What it wrote, with what the others wrote meanwhile."""
        return self._mark("ended").wal - self._mark("began").wal

    def _mark(self, words: str) -> Mark:
        return next(mark for mark in self.marks if words in mark.line)


@dataclass(slots=True)
class Meter:
    """Counts the CPU seconds of the sessions that work, and of this process, without those of counting."""

    conninfo: str
    seconds: dict[int, float] = field(default_factory=dict[int, float])
    _own: float = 0.0
    _aside: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def counting(self) -> Generator[None]:
        """Count for as long as this lasts."""
        began = time.process_time()
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self.seconds[0] = time.process_time() - began - self._own - self._aside

    @contextmanager
    def pausing(self) -> Generator[None]:
        """Leave out what this thread does meanwhile."""
        began = time.thread_time()
        yield
        self._aside += time.thread_time() - began

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.seconds.values())

    def _watch(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            while not self._over.wait(_EVERY):
                for (pid,) in connection.execute(WORKING):
                    self.seconds[pid] = _cpu_of(pid, self.seconds.get(pid, 0.0))
                self._own = time.thread_time()


def measure() -> Section:
    """Move the old rows of clinics of two sizes while people write, by ours and by copying and deleting."""
    seen: list[Seen] = []
    with _server() as server, tempfile.TemporaryDirectory() as top:
        for rows, runs in ((ROWS, RUNS), (LARGE, LARGE_RUNS)):
            if rows:
                with _filled(server, rows) as template:
                    for n in range(runs):
                        seen.append(_ours(OURS, template, Path(top) / f"{rows}-{n}", rows))
                        seen.append(_theirs(template, rows))
        if ROWS:
            with _filled(server, ROWS, is_partitioned=True) as template:
                seen.append(_ours(DETACH, template, Path(top) / "parts", ROWS))
    return _section(seen)


@contextmanager
def _server() -> Generator[ThrowawayServer]:
    with ThrowawayServer(tools=tools_of(MAJOR), settings=SETTINGS, listens_on_tcp=True) as server:
        yield server


@contextmanager
def _filled(server: ThrowawayServer, rows: int, *, is_partitioned: bool = False) -> Generator[LiveDatabase]:
    by, key = ("PARTITION BY RANGE (date)", "(id, date)") if is_partitioned else ("", "(id)")
    with new_database(server) as live:
        live.run(
            USERS,
            f"INSERT INTO public.users SELECT generate_series(1, {PEOPLE})",
            TABLE.format(partitioned=by),
            *([PARTITIONS] if is_partitioned else []),
            FILL.format(rows=rows, people=PEOPLE, days=DAYS),
            "SET maintenance_work_mem = '512MB'",
            *(text.format(key=key) for text in FINISH),
        )
        own(live, "public.users", METRICS, *([f"public.metrics_{n}" for n in range(38)] if is_partitioned else []))
        yield live


def _ours(who: str, template: LiveDatabase, folder: Path, rows: int) -> Seen:
    with copy_of(template) as live:
        attic = Attic(live, folder)
        return _under_load(who, attic, rows, lambda: attic.run().rows, f"{METRICS}_all")


def _theirs(template: LiveDatabase, rows: int) -> Seen:
    with copy_of(template) as live:
        live.run(f"CREATE TABLE public.copied (LIKE {METRICS})", "ALTER TABLE public.copied ADD PRIMARY KEY (id)")

        def work() -> int:
            with psycopg.connect(live.superuser.conninfo, autocommit=True, application_name="bench:work") as connection:
                return [connection.execute(text).rowcount for text in TWO_STEPS][-1]

        return _under_load(SEED, Attic(live, Path()), rows, work, METRICS, "public.copied")


def _under_load(who: str, attic: Attic, rows: int, work: Callable[[], int], *relations: str) -> Seen:
    attic.live.run("CHECKPOINT")
    # Or the idle phase waits for a disk that is still busy with the copy of the template.
    os.sync()
    conninfo = attic.live.superuser.conninfo
    crowd = Crowd(conninfo=conninfo, corrections=50, users=PEOPLE, old_ids=int(rows * 0.65), oldest="2023-12-01")
    meter, marks = Meter(conninfo), list[Mark]()

    def mark() -> None:
        with meter.pausing():
            marks.append(Mark(attic.lines[-1], time.monotonic(), _wal(attic)))

    attic.on_line = mark
    with crowd_at_work(crowd) as load:
        time.sleep(IDLE)
        marks.append(Mark("began", time.monotonic(), _wal(attic)))
        with meter.counting():
            moved = work()
        marks.append(Mark("ended", time.monotonic(), _wal(attic)))
    verdict = judge(load.testimony, conninfo, *relations)
    return Seen(who, rows, moved, meter.total, tuple(marks), load.testimony, verdict)


def _wal(attic: Attic) -> int:
    return int(attic.ask("SELECT pg_current_wal_lsn() - '0/0'"))


def _cpu_of(pid: int, before: float) -> float:
    """Read what a process has used; what is gone has used what it had."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return before


def _section(seen: list[Seen]) -> Section:
    sizes = sorted({one.rows for one in seen})
    rows = [
        _row(who, same, [one for one in seen if one.rows == size])
        for size in sizes
        for who in (OURS, SEED, DETACH)
        if (same := [one for one in seen if (one.who, one.rows) == (who, size)])
    ]
    return Section(
        title="Archiving under load",
        measured=prose(f"""
            PostgreSQL {MAJOR}; health metrics over {DAYS} days with a primary key, an index, a foreign key and a CHECK;
            two thirds are old and leave while others insert 50 rows a second, insert 10 with old dates, correct 50 old
            ones and read 50 times, each statement timed from when it was due. Ours plans, moves, seals (primary key,
            BRIN, freeze, count and hash again) and writes its evidence; the rival copies the old rows into a table
            with a primary key, and deletes them; the two take turns. CPU is that of the sessions that work and of the
            client. p99 is that of corrections, beside that of the {IDLE:.0f} s before each run of as many rows began.
            Lock wait is the longest that anybody waited, looked at 50 times a second. Figures of several runs: the
            median of times, CPU and write-ahead log, the worst of waits, the sum of what was lost.
        """),
        tables=(Table(COLUMNS, tuple(rows), words=1),),
        remarks=tuple(_remarks(seen, sizes)),
    )


COLUMNS = (
    "who, rows", "runs", "moved", "took", "CPU", "WAL MB", "p99", "p99 idle", "ratio", "lock wait",
    "acknowledged writes", "lost", "doubled",
)  # fmt: skip


def _row(who: str, same: list[Seen], all_as_large: list[Seen]) -> tuple[str, ...]:
    idle, busy = _p99(all_as_large, busy=False), _p99(same, busy=True)
    return (
        f"{who}, {same[0].rows:,}",
        str(len(same)),
        f"{max(one.moved for one in same):,}",
        seconds(median(one.wall for one in same)),
        seconds(median(one.cpu for one in same)),
        f"{median(one.wal for one in same) / 1e6:,.1f}",
        milliseconds(busy),
        milliseconds(idle),
        ratio(busy, idle),
        milliseconds(max(one.testimony.longest_wait for one in same)),
        f"{sum(one.verdict.writes for one in same):,}",
        str(sum(one.verdict.lost_inserts + one.verdict.lost_corrections for one in same)),
        str(sum(one.verdict.doubled for one in same)),
    )


def _p99(same: list[Seen], *, busy: bool) -> float:
    """Take all corrections of all runs together: one run has too few for its slowest hundredth."""
    took = sorted(
        act.took
        for one in same
        for act in one.testimony.of(CORRECT)
        if (one.since <= act.due < one.until if busy else act.due < one.since)
    )
    return took[int(len(took) * 0.99)]


def _remarks(seen: list[Seen], sizes: list[int]) -> Iterator[str]:
    for size in sizes:
        costs = {who: median(one.cpu for one in seen if (one.who, one.rows) == (who, size)) for who in (OURS, SEED)}
        yield f"With {size:,} rows ours uses {ratio(costs[OURS], costs[SEED])} of the CPU of the two steps."
        for one in seen:
            if (one.who, one.rows) == (DETACH, size):
                yield _of_partitions(one)
    if len(sizes) > 1:
        small, large = (median(one.cpu for one in seen if (one.who, one.rows) == (OURS, size)) for size in sizes)
        yield f"{sizes[1] / sizes[0]:.0f} times the rows cost {large / small:.1f} times the CPU."


def _of_partitions(one: Seen) -> str:
    """Say what leaving took, apart from counting before and sealing after it."""
    ends = next(number for number, mark in enumerate(one.marks) if "left as whole partitions" in mark.line)
    before, after = one.marks[ends - 1], one.marks[ends]
    return prose(f"""
        Of {one.rows:,} rows in monthly partitions: {after.line.partition(": ")[2]}, {seconds(after.at - before.at)}
        with what was prepared, and {(after.wal - before.wal) / 1e6:.1f} MB of write-ahead log with that of the others.
        The rest of {seconds(one.wall)} is counting before and sealing after it, which keep nobody waiting.
    """)
