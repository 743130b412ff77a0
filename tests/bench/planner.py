"""What looking at ten thousand tables costs, and ANALYZE with proof and evidence beside `vacuumdb --analyze-only`."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

from bed.clusters import new_database
from bed.ledgers import KGC, member_of, tell
from bench.disks import durable_server, quick_server
from bench.figures import Cost, Section, Table, prose, race, ratio, seconds, spent
from pgtend.fleet.model import AnalyzeRules, Database
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.migrate import migrate
from pgtend.ledger.model import Ledger
from pgtend.planner.job import analyze_database
from pgtend.planner.plan import plan_analyze
from pgtend.postgres.address import Address
from pgtend.postgres.throwaway import ThrowawayServer

ROUNDS = 2
MANY = 10_000
TABLES = 500
ROWS = 2_000
MAKE_EMPTY = f"""DO $$ BEGIN FOR n IN 1..{MANY} LOOP
    EXECUTE 'CREATE TABLE public.t' || n || ' (id bigint PRIMARY KEY, person int, note text)';
    IF mod(n, 500) = 0 THEN COMMIT; END IF;
END LOOP; END $$"""
MAKE_FILLED = f"""DO $$ BEGIN FOR n IN 1..{TABLES} LOOP
    EXECUTE 'CREATE TABLE public.t' || n || ' AS SELECT n::bigint AS id, mod(n, 50) AS person, now() AS at,'
        ' md5(n::text) AS note FROM generate_series(1, {ROWS}) AS n';
    IF mod(n, 100) = 0 THEN COMMIT; END IF;
END LOOP; END $$"""  # noqa: S608 - a number of ours
CHANGED = 20
CHANGE = f"""DO $$ BEGIN FOR n IN 1..{CHANGED} LOOP
    EXECUTE 'UPDATE public.t' || n || ' SET person = person + 1';
END LOOP; END $$"""  # noqa: S608 - a number of ours
LARGE = 4
MAKE_LARGE = MAKE_FILLED.replace(f"1..{TABLES}", f"1..{LARGE}").replace(f"(1, {ROWS})", "(1, 500000)")
FIRST, SECOND, HEAVY = "first night", "second night", "large tables"
NIGHTS = (FIRST, SECOND, HEAVY)
SESSIONS = (1, 4)


def measure() -> Section:
    """Plan a wide database, then let ours and vacuumdb make all statistics of copies of one database."""
    with quick_server() as server, durable_server() as memory:
        planning = _planning(server)
        nights = _nights(server, memory)
    return Section(
        title="Statistics",
        measured=prose(f"""
            Planning: every table of a database with {MANY:,} empty tables is read and judged, in an open session.
            First night: {TABLES:,} tables of {ROWS:,} rows and four columns that were never analyzed. Second night:
            all were, and the rows of {CHANGED} have changed since. Large tables: {LARGE} of 500,000 rows. Each
            measurement begins with a fresh copy of the same database; the best of {ROUNDS} rounds. pgtend connects,
            plans, analyzes, proves every table and writes the evidence into a ledger on another server, which waits
            for its disk at each commit (the tended one does not); `vacuumdb --analyze-only` connects and analyzes.
        """),
        tables=(
            Table(("planned", "time", "CPU of the client", "a table"), (_planning_row(planning),)),
            Table(("renewed", "by", "time", "CPU of the client", "to vacuumdb"), _rows(nights), words=2),
        ),
        remarks=_remarks(nights),
    )


def _planning(server: ThrowawayServer) -> Cost:
    with new_database(server) as wide:
        wide.run(MAKE_EMPTY)
        with wide.session() as session:
            rules = AnalyzeRules()
            assert len(plan_analyze(session, rules).decisions) == MANY
            plan = partial(spent, lambda: plan_analyze(session, rules))
            return race({"plan": plan}, rounds=3)["plan"]


def _nights(server: ThrowawayServer, memory: ThrowawayServer) -> dict[str, Cost]:
    with new_database(memory) as reporting, new_database(server) as small, new_database(server) as large:
        with reporting.session() as session:
            migrate(session)
        small.run(MAKE_FILLED)
        large.run(MAKE_LARGE)
        sources = {FIRST: small.name, SECOND: small.name, HEAVY: large.name}
        with reporting.session(member_of(reporting, "pgtend_writer")) as session:
            ledger = DatabaseLedger(session)
            contestants = {
                f"{night}, {who}": partial(_night, server, source, night, work)
                for night, source in sources.items()
                for sessions in SESSIONS
                for who, work in (
                    (_vacuumdb_name(sessions), partial(_by_vacuumdb, server, sessions)),
                    (_our_name(sessions), partial(_by_us, ledger, sessions)),
                )
            }
            return race(contestants, rounds=ROUNDS)


def _night(server: ThrowawayServer, source: str, night: str, work: Callable[[Address], object]) -> Cost:
    with _copy_of(server, source) as address:
        if night == SECOND:
            _by_vacuumdb(server, 4, address)
            with server.session(address.params["dbname"]) as session:
                tell(session, CHANGE)
        return spent(lambda: work(address))


@contextmanager
def _copy_of(server: ThrowawayServer, source: str) -> Generator[Address]:
    """Copy a database with all its rows; what the server counted about them stays behind."""
    name = f"copy_{secrets.token_hex(4)}"
    with server.session() as session:
        tell(session, f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
        try:
            yield server.superuser(name)
        finally:
            tell(session, f"DROP DATABASE {name} WITH (FORCE)")


def _by_us(ledger: Ledger, sessions: int, address: Address) -> None:
    always = {"start": "00:00", "end": "00:00"}
    described = {"name": "kgc", "connection": "kgc", "limits": {"sessions": sessions}, "window": always}
    analyze_database(Database.model_validate(described), address, ledger, KGC, lambda _: None)


def _by_vacuumdb(server: ThrowawayServer, sessions: int, address: Address) -> None:
    where = [f"--{option}={address.params[name]}" for option, name in PLACES.items()]
    argv = [server.tools.path("vacuumdb"), *where, "--analyze-only", "--quiet", f"--jobs={sessions}"]
    subprocess.run(argv, check=True)


PLACES = {"host": "host", "port": "port", "username": "user", "dbname": "dbname"}


def _vacuumdb_name(sessions: int) -> str:
    return f"vacuumdb -j{sessions}"


def _our_name(sessions: int) -> str:
    return f"pgtend, {sessions} session{'s' if sessions > 1 else ''}"


def _planning_row(cost: Cost) -> tuple[str, ...]:
    return f"{MANY:,} tables", seconds(cost.wall), seconds(cost.cpu), f"{cost.wall / MANY * 1e6:.0f} µs"


def _against(nights: dict[str, Cost], night: str, sessions: int) -> str:
    ours, theirs = (nights[f"{night}, {who}"] for who in (_our_name(sessions), _vacuumdb_name(sessions)))
    return ratio(ours.wall, theirs.wall)


def _rows(nights: dict[str, Cost]) -> tuple[tuple[str, ...], ...]:
    rivals = {f"{night}, {_our_name(n)}": _against(nights, night, n) for night in NIGHTS for n in SESSIONS}
    return tuple(
        (*name.split(", ", 1), seconds(cost.wall), seconds(cost.cpu), rivals.get(name, "1.00x"))
        for name, cost in nights.items()
    )


def _remarks(nights: dict[str, Cost]) -> tuple[str, ...]:
    return (
        prose(f"""
            On the first night ours takes {_against(nights, FIRST, 1)} of vacuumdb's time with one session and
            {_against(nights, FIRST, 4)} with four. Before and after each ANALYZE it asks the server's counters,
            afterwards whether a column still lacks statistics, and the evidence of every table is a commit of its
            own, because a killed run must leave what it had proved. The question for missing statistics is the
            dearest of these. The tables here are tiny, so that the questions weigh more than the work; on large
            tables it takes {_against(nights, HEAVY, 1)} and {_against(nights, HEAVY, 4)}.
        """),
        prose(f"""
            On the second night ours takes {_against(nights, SECOND, 1)} and {_against(nights, SECOND, 4)}, because it
            analyzes what changed, and vacuumdb everything. Its evidence covers the tables it left alone, too.
        """),
        "Four sessions are not four times as fast: clients and servers share the cores.",
    )
