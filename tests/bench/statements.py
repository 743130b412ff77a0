"""What a night of five thousand statements costs, what a year of ten databases answers, and how well we judge."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import fmean

from bed.clusters import LiveDatabase
from bed.counted_clinic import Clinic, clinic_on, counting_server
from bed.ledgers import ask, new_ledger, tell
from bed.simulated_nights import score, simulate
from bench.disks import MAJOR, durable_server, quick_server
from bench.figures import Section, Table, milliseconds, prose, seconds
from pgtend.fleet.model import Limits
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.statements.asking import read_top
from pgtend.statements.model import RegressionPolicy
from pgtend.statements.snapshot import Target

STATEMENTS = 5000
NIGHTS = 3
DATABASES = 10
SEEDS = range(1, 9)
# Statements that differ in their constants alone are one to the server, so these differ in table and length.
MAKE_STATEMENTS = f"""DO $$ BEGIN FOR n IN 0..{STATEMENTS - 1} LOOP
    EXECUTE 'SELECT ' || repeat('id + ', 40 + n / 50) || '1 FROM public.t' || 1 + mod(n, 50) || ' WHERE id = 1';
END LOOP; END $$"""  # noqa: S608 - a number of ours
FLEET = f"""
INSERT INTO reporting.statement_target (database) SELECT 'db' || n FROM generate_series(1, {DATABASES}) AS n;
INSERT INTO reporting.statement (fingerprint, query, query_hash, scrub_version, last_seen)
    SELECT md5(n::text), 'SELECT ' || repeat('a', 480) || n, sha256(n::text::bytea), 1, current_date
    FROM generate_series(1, {STATEMENTS}) AS n;
INSERT INTO reporting.statement_series (target_id, database_oid, role_oid, is_toplevel, queryid, role, fingerprint,
        statement_id, first_seen, last_seen)
    SELECT target_id, 1, 1, true, statement_id, 'app', fingerprint, statement_id, current_date, current_date
    FROM reporting.statement_target, reporting.statement ORDER BY target_id, statement_id;
"""  # noqa: S608 - numbers of ours
# A month is filled before its indexes are made, which takes a fifth of the time; the rows lie as nights leave them.
MONTH = """
CREATE TABLE reporting.statement_day_{name} (LIKE reporting.statement_day INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO reporting.statement_day_{name} (day, target_id, flags, series_id, calls, rows, exec_ms, exec_ssq,
        shared_blks_hit, shared_blks_read, shared_read_ms)
    SELECT night::date, target_id, 0, series_id, 1 + mod(series_id, 977), mod(series_id, 311),
        mod(series_id, 7919) * (1 + mod(extract(day FROM night)::int * series_id, 7)), series_id * 3.1, series_id * 3,
        mod(series_id, 53), series_id * 0.01
    FROM generate_series('{first}'::timestamp, '{last}'::timestamp, '1 day') AS night,
        reporting.statement_series
    ORDER BY night, series_id;
ALTER TABLE reporting.statement_day ATTACH PARTITION reporting.statement_day_{name}
    FOR VALUES FROM ('{first}') TO ('{end}');
INSERT INTO reporting.statement_snapshot (target_id, day, run_id, taken_at, since, system_identifier,
        timeline, postmaster_started_at, is_standby, server_version, extension_version, database_oid, has_stats_since,
        capacity, entries_on_server)
    SELECT target_id, night::date, 'r', night + interval '1 day', night, 'x', 1, now(), false, 180000, '1.12', 1,
        true, 10000, 5000
    FROM reporting.statement_target, generate_series('{first}'::timestamp, '{last}'::timestamp, '1 day') AS night;
VACUUM ANALYZE reporting.statement_day_{name}
"""
END = date(2026, 11, 1)
KEPT = (3, 12)
SIZE = """SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits
    WHERE inhparent = 'reporting.statement_day'::regclass"""
PATIENT = Limits(statement_timeout=timedelta(minutes=10))
ASKED = (1, 7, 30, 90)


def measure() -> Section:
    """Read nights of one busy database, ask a year of a fleet, and judge nights whose truth is known."""
    with (
        durable_server() as memory,
        counting_server(MAJOR, {"pg_stat_statements.max": "10000"}) as server,
        clinic_on(server, memory) as clinic,
    ):
        nights = _nights(clinic)
    with quick_server() as memory:
        answers, made = _year(memory)
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
            Table(("asked", *(f"{kept} months kept" for kept in KEPT)), answers),
            Table(("nights", "alarms of 60", "precision", "recall"), _judged()),
        ),
        remarks=(made,),
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
    """Ask while three months are kept, and again when it is a year: the answers may not become dearer."""
    figures: list[list[str]] = []
    began, asking = time.monotonic(), 0.0
    with new_ledger(memory) as reporting, reporting.session(limits=PATIENT) as session:
        tell(session, *[part for part in FLEET.split(";\n") if part.strip()])
        for months in KEPT:
            _fill(session, months)
            started = time.monotonic()
            figures.append([milliseconds(_asked(reporting, days)) for days in ASKED])
            asking += time.monotonic() - started
        (rows,) = ask(session, "SELECT count(*) FROM reporting.statement_day")
        (size,) = ask(session, SIZE)
    made = (
        f"The year, {rows:,} rows, takes {size} in the ledger, indexes included; SQL on the server itself made it in "
        f"{time.monotonic() - began - asking:.0f} s, month by month, each filled before its indexes were made."
    )
    names = ("top 20 of 1 night", *(f"top 20 of {days} nights" for days in ASKED[1:]))
    return tuple((name, *(column[place] for column in figures)) for place, name in enumerate(names)), made


def _fill(session: Session, months: int) -> None:
    """Bring the ledger to so many months before the end."""
    (there,) = ask(session, "SELECT count(DISTINCT date_trunc('month', day))::int FROM reporting.statement_snapshot")
    for back in range(int(str(there)), months):
        first = _month(back)
        end = _month(back - 1) if back else END
        named = {"name": f"{first:%Y_%m}", "first": first, "end": end, "last": end - timedelta(days=1)}
        tell(session, *MONTH.format(**named).split(";\n"))
    tell(session, "VACUUM ANALYZE reporting.statement_snapshot", "VACUUM ANALYZE reporting.statement_series")


def _month(back: int) -> date:
    """Give the first day of a month before the end; the last one is number 0."""
    return date(END.year - (back - END.month + 13) // 12, (END.month - 2 - back) % 12 + 1, 1)


def _asked(reporting: LiveDatabase, days: int) -> float:
    """Ask as `pgtend top` does, and take the best of five."""
    spans: list[float] = []
    with reporting.session() as session:
        tell(session, "SET max_parallel_workers_per_gather = 0")
        ledger = DatabaseLedger(session)
        for _ in range(5):
            began = time.monotonic()
            found = read_top(ledger, Target(database="db5"), days=days, by="time", rows=20)
            spans.append(time.monotonic() - began)
            assert (len(found.rows), found.nights) == (20, days)
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
