"""What a night of five thousand statements costs, what a year of ten databases answers, and how well we judge."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import fmean

from bed.clusters import LiveDatabase, new_database
from bed.counted_clinic import Clinic, clinic_on, counting_server
from bed.ledgers import ask, tell
from bed.simulated_nights import score, simulate
from bench.disks import MAJOR, durable_server, quick_server
from bench.figures import Section, Table, milliseconds, prose, seconds
from pgtend.ledger.migrate import migrate
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.statements.model import RegressionPolicy

STATEMENTS = 5000
NIGHTS = 3
DATABASES = 10
DAYS = 365
SEEDS = range(1, 9)
# Statements that differ in their constants alone are one to the server, so these differ in table and length.
MAKE_STATEMENTS = f"""DO $$ BEGIN FOR n IN 0..{STATEMENTS - 1} LOOP
    EXECUTE 'SELECT ' || repeat('id + ', 40 + n / 50) || '1 FROM public.t' || 1 + mod(n, 50) || ' WHERE id = 1';
END LOOP; END $$"""  # noqa: S608 - a number of ours
YEAR = f"""
INSERT INTO reporting.statement_target (database) SELECT 'db' || n FROM generate_series(1, {DATABASES}) AS n;
INSERT INTO reporting.statement (fingerprint, query, query_hash, scrub_version, last_seen)
    SELECT md5(n::text), 'SELECT ' || repeat('a', 480) || n, sha256(n::text::bytea), 1, current_date
    FROM generate_series(1, {STATEMENTS}) AS n;
INSERT INTO reporting.statement_series (target_id, database_oid, role_oid, is_toplevel, queryid, role, fingerprint,
        statement_id, first_seen, last_seen)
    SELECT target_id, 1, 1, true, statement_id, 'app', fingerprint, statement_id, current_date, current_date
    FROM reporting.statement_target, reporting.statement ORDER BY target_id, statement_id;
"""  # noqa: S608 - numbers of ours
MONTH = """SELECT reporting.create_partition('statement_day', 'day', %(month)s::timestamptz)"""
DAY = """INSERT INTO reporting.statement_day (day, target_id, flags, series_id, calls, rows, exec_ms, exec_ssq,
        shared_blks_hit, shared_blks_read, shared_read_ms)
    SELECT %(day)s::date, target_id, 0, series_id, 1 + series_id %% 977, series_id %% 311, series_id %% 7919 * 1.37,
        series_id * 3.1, series_id * 3, series_id %% 53, series_id * 0.01
    FROM reporting.statement_series ORDER BY target_id, series_id"""
NIGHT_ROW = """INSERT INTO reporting.statement_snapshot (target_id, day, run_id, taken_at, since, system_identifier,
        timeline, postmaster_started_at, is_standby, server_version, extension_version, database_oid, has_stats_since,
        capacity, entries_on_server)
    SELECT target_id, %(day)s::date, 'r', %(day)s::date + 1, %(day)s::date, 'x', 1, now(), false, 180000, '1.12', 1,
        true, 10000, 5000 FROM reporting.statement_target"""
TOP = """SELECT * FROM reporting.top_statements('db5', '', %(first)s::date, %(last)s::date)
    ORDER BY exec_ms DESC LIMIT 20"""
LAST = date(2026, 10, 31)
KEPT = (90, DAYS)


def measure() -> Section:
    """Read nights of one busy database, ask a year of a fleet, and judge nights whose truth is known."""
    with (
        durable_server() as memory,
        counting_server(MAJOR, {"pg_stat_statements.max": "10000"}) as server,
        clinic_on(server, memory) as clinic,
    ):
        nights = _nights(clinic)
    with quick_server() as memory:
        answers, size = _year(memory)
    return Section(
        title="Statements",
        measured=prose(f"""
            A night: {STATEMENTS:,} statements with texts of about 500 bytes, all of which ran since the night before,
            from a server that counts into a ledger that waits for its disk; connecting is not counted. A year:
            {DATABASES} databases with {STATEMENTS:,} statements each, all of which run every night; the twenty dearest
            of one of them, the best of five, without parallel workers. Judging: nights that were made up, with 60 of
            {STATEMENTS:,} statements slower by 1.5 to 5 times in the last one (tests/bed/simulated_nights.py); a slow
            night is one in which everything takes 1.4 times as long.
        """),
        tables=(
            Table(("night", "time", "over the network", "statements"), nights),
            Table(("asked", *(f"{kept} days kept" for kept in KEPT)), answers),
            Table(("nights", "alarms of 60", "precision", "recall"), _judged()),
        ),
        remarks=(f"The year takes {size} in the ledger, indexes included.",),
    )


def _nights(clinic: Clinic) -> tuple[tuple[str, ...], ...]:
    tables = [f"CREATE TABLE public.t{number} (id int, note text)" for number in range(1, 51)]
    clinic.tell(*tables, "ALTER SYSTEM SET pg_stat_statements.track = 'all'", "SELECT pg_reload_conf()")
    rows: list[tuple[str, ...]] = []
    with clinic.ledger() as ledger, clinic.at() as source:
        for number in range(NIGHTS + 1):
            clinic.tell(MAKE_STATEMENTS)
            clinic.day += timedelta(days=1)
            began = time.monotonic()
            night = clinic.reading(source).into(ledger)
            took = seconds(time.monotonic() - began)
            name = "first" if number == 0 else f"{number + 1}"
            rows.append((name, took, f"{night.bytes_copied / 1e6:.2f} MB", f"{night.entries:,}"))
    return tuple(rows)


def _year(memory: ThrowawayServer) -> tuple[tuple[tuple[str, ...], ...], str]:
    """Ask while ninety days are kept, and again when it is a year: the answers may not become dearer."""
    figures: dict[int, list[str]] = {}
    with new_database(memory) as reporting:
        with reporting.session() as session:
            migrate(session)
            tell(session, *[part for part in YEAR.split(";\n") if part.strip()])
        for kept in KEPT:
            _fill(reporting, kept)
            figures[kept] = [milliseconds(_asked(reporting, days)) for days in (1, 7, 30, 90)]
        with reporting.session() as session:
            text = (
                "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits"
                " WHERE inhparent = 'reporting.statement_day'::regclass"
            )
            size = str(ask(session, text)[0])
    names = ("top 20 of 1 day", "top 20 of 7 days", "top 20 of 30 days", "top 20 of 90 days")
    return tuple((name, *(figures[kept][place] for kept in KEPT)) for place, name in enumerate(names)), size


def _fill(reporting: LiveDatabase, kept: int) -> None:
    """Bring the ledger to so many days before the last one; days are written in their order, as nights are."""
    with reporting.session() as session:
        there = {str(day) for day in ask(session, "SELECT DISTINCT day FROM reporting.statement_snapshot")}
        for back in reversed(range(kept)):
            day = LAST - timedelta(days=back)
            if str(day) in there:
                continue
            ask(session, MONTH, {"month": day.replace(day=1)})
            for text in (DAY, NIGHT_ROW):
                session.connection.execute(text.encode(), {"day": day})
    with reporting.session() as session:
        tell(session, "VACUUM ANALYZE reporting.statement_day", "VACUUM ANALYZE reporting.statement_snapshot")


def _asked(reporting: LiveDatabase, days: int) -> float:
    spans: list[float] = []
    with reporting.session() as session:
        tell(session, "SET max_parallel_workers_per_gather = 0")
        for _ in range(5):
            began = time.monotonic()
            session.connection.execute(
                TOP.encode(), {"first": LAST - timedelta(days=days - 1), "last": LAST}
            ).fetchall()
            spans.append(time.monotonic() - began)
    return min(spans)


def _judged() -> Sequence[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, shift in (("quiet", 1.0), ("slow", 1.4)):
        scores = [score(simulate(seed, shift=shift), RegressionPolicy()) for seed in SEEDS]
        rows.extend(
            (f"{name}, seed {seed}", f"{one.alarms}", f"{one.precision:.2f}", f"{one.recall:.2f}")
            for seed, one in zip(SEEDS, scores, strict=True)
        )
        alarms, precision = fmean(one.alarms for one in scores), fmean(one.precision for one in scores)
        recall = fmean(one.recall for one in scores)
        rows.append((f"{name}, all", f"{alarms:.0f}", f"{precision:.2f}", f"{recall:.2f}"))
    return tuple(rows)
