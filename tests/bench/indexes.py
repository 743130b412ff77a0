"""Care of indexes: how near estimates come, what the application feels, what twenty thousand indexes cost to judge."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bed.clusters import LiveDatabase, new_database, tools_of
from bed.impatient import Round, unwatched_round, watched_round
from bed.indexing import FILL, MAKE, Ward
from bench.disks import SETTINGS
from bench.figures import Section, Table, prose, seconds, spent
from bench.index_sizes import COLUMNS as ESTIMATED
from bench.index_sizes import estimates_of_kinds
from pgtend.indexes.memory import recall
from pgtend.indexes.plan import plan_rebuilds
from pgtend.indexes.report import Outcome
from pgtend.indexes.usage import collect_indexes, note_usage
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.migrate import migrate
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer

MAJORS = tuple(int(major) for major in os.environ.get("MAJORS", "15,18").split(","))
ROUNDS = int(os.environ.get("ROUNDS", "20"))
UNWATCHED = 3
PARTS = os.environ.get("PARTS", "estimates rounds wide").split()
"""Some of it alone, where a whole run would keep a machine quiet for too long."""
ROWS = int(os.environ.get("ROWS", "250000"))
TABLES = 5_000
WIDE = f"""DO $$ BEGIN FOR n IN 1..{TABLES} LOOP
    EXECUTE 'CREATE TABLE public.t' || n || ' (id int PRIMARY KEY, person text, at timestamptz, amount int)';
    EXECUTE 'CREATE INDEX ON public.t' || n || ' (person)';
    EXECUTE 'CREATE INDEX ON public.t' || n || ' (at, amount)';
    EXECUTE 'CREATE INDEX ON public.t' || n || ' (amount) WHERE person IS NULL';
    IF mod(n, 250) = 0 THEN COMMIT; END IF;
END LOOP; END $$"""


def measure() -> Section:
    """Estimate and rebuild churned tables, let an application in between, and judge a wide database."""
    estimates: list[tuple[str, ...]] = []
    rounds: list[tuple[str, ...]] = []
    wide: list[tuple[str, ...]] = []
    for major in MAJORS:
        with _server(major) as server:
            estimates += estimates_of_kinds(server, ROWS) if "estimates" in PARTS else ()
            rounds += _rounds(server) if "rounds" in PARTS else ()
            wide += _wide(server) if "wide" in PARTS else ()
    return Section(
        title="Indexes",
        measured=prose(f"""
            Estimates: a table of {ROWS:,} rows and eight indexes after two rounds of updates of indexed columns, a
            scattered delete and VACUUM. A share: of the table no more than a quarter may be read for one estimate.
            Restored copy: pg_dump and pg_restore of the same rows, as in a drill. The error is that of the size which
            `pgtend reindex` then came to. Application: a transaction that has written wants to change the table while
            its index is rebuilt, so that one of the two must give way; {ROUNDS} times with the supervisor, {UNWATCHED}
            times without it. Many indexes: {TABLES * 4:,} on {TABLES:,} tables, the best of 3, in an open session.
        """),
        tables=(
            Table(ESTIMATED, tuple(estimates)),
            Table(
                ("server, rebuild", "rounds", "application errors", "longest delay", "mean", "rebuilt in the end"),
                tuple(rounds),
            ),
            Table(("server, 20,000 indexes", "time", "CPU of the client", "CPU of the server"), tuple(wide)),
        ),
        remarks=(
            """The lists of a GIN index are packed by the distance of the rows, which a restored copy has closed. So an
            inverted index is built on a copy that has the pages of the table, where the budget allows that; else a
            drill builds it with the rows spread over as many pages, which it knows from some of them.""".replace(
                "\n            ", " "
            ),
        ),
    )


@contextmanager
def _server(major: int) -> Generator[ThrowawayServer]:
    with ThrowawayServer(tools=tools_of(major), settings=SETTINGS, listens_on_tcp=True) as server:
        yield server


def _ward(live: LiveDatabase, folder: str) -> Ward:
    ward = Ward(live, Path(folder) / "ledger", live.owner)
    ward.limits = {"lock_timeout": "5 s", "statement_timeout": "10 min"}
    return ward


def _rounds(server: ThrowawayServer) -> list[tuple[str, ...]]:
    with new_database(server) as live, tempfile.TemporaryDirectory() as folder:
        live.run(*MAKE, *FILL, address=live.owner)
        ward = _ward(live, folder)
        watched = [watched_round(ward) for _ in range(ROUNDS)]
        unwatched = [unwatched_round(ward) for _ in range(UNWATCHED)]
    who = f"PostgreSQL {server.tools.major}"
    return [_round_row(f"{who}, supervised", watched), _round_row(f"{who}, left alone", unwatched)]


def _round_row(who: str, met: list[Round]) -> tuple[str, ...]:
    errors = sum(bool(one.error) for one in met)
    delays = [one.delay for one in met if not one.error] or [0.0]
    proved = sum(one.outcome is Outcome.PROVED for one in met)
    mean = sum(delays) / len(delays)
    return (who, f"{len(met)}", f"{errors}", seconds(max(delays)), seconds(mean), f"{proved}")


def _wide(server: ThrowawayServer) -> list[tuple[str, ...]]:
    with new_database(server) as live, new_database(server) as reporting, tempfile.TemporaryDirectory() as folder:
        live.run(WIDE, "ANALYZE")
        ward = _ward(live, folder)
        with reporting.session() as memory, live.session() as session:
            migrate(memory)
            ledger = DatabaseLedger(memory)
            looking = {"clinic": live.superuser}
            note = partial(note_usage, ward.database, looking, ledger, Subject("clinic", "index_usage", "bench"), str)
            note()
            known = recall(ledger, "clinic")
            assert len(collect_indexes(session, "").indexes) >= TABLES * 4
            pids = {"source": session.facts.backend_pid, "ledger": memory.facts.backend_pid}
            works: dict[str, tuple[str, Callable[[], object]]] = {
                "collect": ("source", lambda: collect_indexes(session, "")),
                "collect and decide": ("source", lambda: plan_rebuilds(session, ward.database.indexes, known)),
                "collect and keep in the ledger": ("ledger", note),
                "recall from the ledger": ("ledger", lambda: recall(ledger, "clinic")),
            }
            best = {what: min(_spent(pids[where], work) for _ in range(3)) for what, (where, work) in works.items()}
    return [_wide_row(server.tools.major, what, cost) for what, cost in best.items()]


def _spent(pid: int, work: Callable[[], object]) -> tuple[float, float, float]:
    """Tell what a piece of work took on the wall, of our processor time, and of that of the server's process."""
    before = _cpu_of(pid)
    cost = spent(work)
    return cost.wall, cost.cpu, _cpu_of(pid) - before


def _cpu_of(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _wide_row(major: int, what: str, cost: tuple[float, float, float]) -> tuple[str, ...]:
    return (f"PostgreSQL {major}, {what}", *map(seconds, cost))
