"""A quarter of believable history in a ledger, with names and texts that try to break out of whatever shows them."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql

from pgtend.fleet.health import HealthRules, Watched
from pgtend.fleet.model import Fleet
from pgtend.health.facts import Pool, TableState
from pgtend.health.look import Look
from pgtend.health.memory import Memory
from pgtend.health.metrics import METRICS
from pgtend.health.model import HealthPolicy, Reading, Reason, changes
from pgtend.health.report import Examination
from pgtend.health.store import HealthStore
from pgtend.health.units import Unit
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.session import Session

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
HOSTILE = "</title></style><script>alert('x')</script><img src=x onerror=alert(1)>\"'&\u202e"
DAYS = 90
_MB = 1024 * 1024
_QUERIES = (
    "SELECT v.id, p.name FROM visits v JOIN patients p ON p.id = v.patient_id WHERE p.clinic_id = $1 AND v.at > $2",
    "UPDATE stock SET amount = amount - $1 WHERE vaccine_id = $2 AND facility_id = $3 RETURNING amount",
    "INSERT INTO audit_log (at, actor, action, detail) VALUES ($1, $2, $3, $4)",
    "SELECT count(*) FROM encounters WHERE provider_id = $1 AND status = $2",
    f"SELECT * FROM notes WHERE body LIKE $1 /* {HOSTILE} */",  # noqa: S608 - it is never run
    "SELECT facility_id, sum(doses) FROM consumption WHERE month BETWEEN $1 AND $2 GROUP BY facility_id",
    "DELETE FROM sessions WHERE expires_at < $1",
    "SELECT id FROM appointments WHERE doctor_id = $1 AND starts_at = $2 FOR UPDATE",
    "SELECT metric, avg(value) FROM health_data WHERE user_id = $1 AND at > $2 GROUP BY metric",
    "SELECT title, published_at FROM articles WHERE locale = $1 ORDER BY published_at DESC LIMIT $2",
    "UPDATE users SET last_seen_at = $1 WHERE id = $2",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY zone_summary",
)


@dataclass(frozen=True, slots=True)
class Course:
    """How a number goes over a quarter: where it starts and ends, how much a week and chance move it."""

    start: float
    end: float
    weekly: float = 0.0
    chance: float = 0.02

    def day(self, number: int, dice: random.Random) -> float:
        """Give the value of a day."""
        line = self.start + (self.end - self.start) * number / DAYS
        week = 1 + self.weekly * math.sin(2 * math.pi * number / 7)
        return max(0.0, line * week * (1 + dice.gauss(0, self.chance)))


COURSES = {
    Watched.CONNECTIONS_USED: Course(34, 52, 0.2, 0.05),
    Watched.SESSIONS: Course(30, 44, 0.2, 0.05),
    Watched.SESSIONS_ACTIVE: Course(3, 5, 0.4, 0.2),
    Watched.SESSIONS_IDLE: Course(27, 39, 0.2, 0.05),
    Watched.TRANSACTIONS: Course(120, 190, 0.45, 0.08),
    Watched.CACHE_HIT: Course(99.4, 98.6, 0.0, 0.001),
    Watched.INDEX_HIT: Course(99.7, 99.5, 0.0, 0.001),
    Watched.DATABASE_SIZE: Course(21_000 * _MB, 27_500 * _MB, 0.0, 0.0005),
    Watched.DISK_USED: Course(58, 81, 0.0, 0.002),
    Watched.TRANSACTION_AGE: Course(4, 8, 0.15, 0.02),
    Watched.SEQUENCE_USED: Course(61, 78.5, 0.0, 0.0001),
    Watched.DEAD_ROWS: Course(0.6, 0.9, 0.3, 0.2),
}


def fill_fleet(session: Session, fleet: Fleet) -> None:
    """Give every database but the last a quarter of history: the last one nobody ever looked at."""
    names = list(fleet.databases)
    for number, name in enumerate(names[:-1]):
        fill_database(session, name, random.Random(number), is_troubled=number == 0)  # noqa: S311 - the same history every time


def fill_database(session: Session, name: str, dice: random.Random, *, is_troubled: bool) -> None:
    """Give one database its health, its nights, its backups and its runs."""
    _look(session, name, is_troubled=is_troubled)
    _days(session, name, dice)
    _nights(session, name, dice, is_troubled=is_troubled)
    _backups(session, name, dice)
    _drills(session, name)
    _runs(session, name, is_troubled=is_troubled)


def _look(session: Session, name: str, *, is_troubled: bool) -> None:
    store = HealthStore(DatabaseLedger(session))
    before = None
    for back in (timedelta(hours=30), timedelta(0)):
        readings = list(_readings(is_troubled=is_troubled and not back))
        policy = HealthPolicy(HealthRules())
        findings = policy.judge_all(readings, before or {}, NOW - back)
        exam = Examination(
            database=name,
            look=Look(
                at=NOW - back,
                readings=tuple(readings),
                memory=Memory(),
                pools=_pools(),
                tables=_tables(back),
                server="18.4",
            ),
            findings=findings,
            changes=changes(findings, before or {}),
            took=timedelta(milliseconds=90),
            is_first_of_day=True,
        )
        # Whoever looks at this page looks at it today, and the look is not stale for them.
        store.keep(exam, timedelta(days=36500))
        before = {finding.watched: finding for finding in findings}


def _readings(*, is_troubled: bool) -> Iterator[Reading]:
    absent = {
        Watched.PARTITIONS_AHEAD,
        Watched.REPLAY_DELAY,
        Watched.SLOT_LOST,
        Watched.SLOT_INACTIVE,
        Watched.SLOT_RETAINED,
    }
    values = {watched: course.end for watched, course in COURSES.items()}
    values |= {Watched.REACHABLE: 1, Watched.DISK_DAYS: 74, Watched.LONGEST_QUERY: 12, Watched.FREEZE_LAG: 71}
    about = {
        Watched.SEQUENCE_USED: "public.visits_id_seq",
        Watched.DISK_USED: "405 GB of 500 GB",
        Watched.CONNECTIONS_USED: "50 of 97",
        Watched.DEAD_ROWS: f"public.{HOSTILE[:40]}",
    }
    if is_troubled:
        values |= {Watched.CONNECTIONS_USED: 93, Watched.LOCK_WAIT: 71, Watched.IDLE_IN_TRANSACTION: 1260}
        about |= {
            Watched.CONNECTIONS_USED: "90 of 97",
            Watched.LOCK_WAIT: "kgc-web, process 4711 behind migration, process 4702",
            Watched.IDLE_IN_TRANSACTION: f"{HOSTILE[:50]}, process 4702",
        }
    for watched in METRICS:
        if watched in absent:
            yield Reading(watched=watched, gap=Reason.ABSENT, why="there is no replication slot")
        elif is_troubled and watched is Watched.ARCHIVE_BACKLOG:
            why = "permission denied for function pg_ls_archive_statusdir [postgres.missing_right]"
            yield Reading(watched=watched, gap=Reason.UNREADABLE, why=why)
        else:
            yield Reading(watched=watched, value=float(values.get(watched, 0)), about=about.get(watched, ""))


def _pools() -> tuple[Pool, ...]:
    rows = (
        ("kgc-web", "kgc_app", 24, 4, 0),
        ("billing", "kgc_app", 14, 0, 12),
        (HOSTILE[:60], "kgc_reporting", 2, 1, 0),
    )
    return tuple(
        Pool(application=a, role=r, sessions=n, active=w, idle=n - w, idle_in_transaction=0, idle_long=old)
        for a, r, n, w, old in rows
    )


def _tables(back: timedelta) -> tuple[TableState, ...]:
    names = (
        "public.audit_log",
        "public.visits",
        "public.notes",
        "public.patients",
        "public.stock",
        f"public.{HOSTILE[:30]}",
    )
    shrink = 1 - back / timedelta(days=400)
    return tuple(
        TableState(
            name=name,
            size=int(9_500 * _MB / (number + 1) ** 1.4 * shrink),
            rows=int(48_000_000 / (number + 1) ** 2),
            dead=180_000 * number,
            modified=0,
            dead_ratio=0.4 * number,
            stale_ratio=0.2,
            vacuumed_at=NOW - timedelta(hours=5 + 30 * number) if number < 5 else None,
        )
        for number, name in enumerate(names)
    )


def insert(session: Session, table: str, **values: object) -> int:
    """Put a row into a table of the ledger, and give its number where it has one."""
    text = sql.SQL("INSERT INTO reporting.{} ({}) VALUES ({}) RETURNING {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
        sql.Identifier(_NUMBERED[table]) if table in _NUMBERED else sql.SQL("0"),
    )
    row = session.connection.execute(text, list(values.values())).fetchone()
    assert row is not None
    return int(row[0])


def _days(session: Session, name: str, dice: random.Random) -> None:
    metrics = [
        Watched(row[0])
        for row in session.connection.execute("SELECT name FROM reporting.health_metric ORDER BY place").fetchall()
    ]
    begun = {
        row[0]
        for row in session.connection.execute("SELECT day FROM reporting.health_day WHERE database = %s", (name,))
    }
    for number in range(DAYS):
        day = (NOW - timedelta(days=DAYS - number)).replace(hour=0, minute=0)
        mean = [COURSES[metric].day(number, dice) if metric in COURSES else None for metric in metrics]
        low = [None if value is None else value * 0.8 for value in mean]
        high = [
            None if value is None else _capped(metric, value * 1.25)
            for metric, value in zip(metrics, mean, strict=True)
        ]
        if day not in begun:
            insert(session, "health_day", database=name, day=day, looks=288, low=low, mean=mean, high=high, last=mean)


def _capped(metric: Watched, value: float) -> float:
    return min(value, 100.0) if METRICS[metric].unit is Unit.PERCENT else value


def _nights(session: Session, name: str, dice: random.Random, *, is_troubled: bool) -> None:
    target = insert(session, "statement_target", database=name)
    series = [_series(session, target, number, query) for number, query in enumerate(_QUERIES)]
    for number in range(DAYS):
        if number not in {31, 32}:  # nights on which nothing was read
            _night(session, target, number, series, dice, slow=series[3] if is_troubled and number > DAYS - 5 else 0)
    if is_troubled:
        _finding(session, name, _QUERIES[3])


def _night(  # noqa: PLR0913, PLR0917 - the facts of a night
    session: Session, target: int, number: int, series: Sequence[int], dice: random.Random, slow: int
) -> None:
    day, total = (NOW - timedelta(days=DAYS - number)).date(), 0.0
    calls_in_all = int(Course(900_000, 1_400_000, 0.4, 0.05).day(number, dice))
    for place, series_id in enumerate(series):
        if dice.random() < 0.06:  # a statement that rests
            continue
        calls, mean = max(1, int(calls_in_all / (place + 1.5) / 4)), _MEANS[place]
        spent = calls * mean * (6.0 if series_id == slow else 1.0) * (1 + dice.gauss(0, 0.08))
        total += spent
        counted = {"calls": calls, "rows": calls * 3, "shared_blks_hit": calls * 40, "shared_blks_read": calls // 3}
        times = {"exec_ms": spent, "exec_ssq": spent * spent / calls * 1.4}
        insert(session, "statement_day", day=day, target_id=target, flags=0, series_id=series_id, **counted, **times)
    taken = NOW - timedelta(days=DAYS - number)
    server = {"server_version": 180004 if number > 40 else 170009, "extension_version": "1.12", "timeline": 1}
    server |= {"system_identifier": "1", "postmaster_started_at": NOW - timedelta(days=200), "is_standby": False}
    entries = {"capacity": 5000, "entries_on_server": 812, "entries": 812, "entries_counted": 12, "deallocated": 0}
    spent_in_all = {"calls": calls_in_all, "exec_ms": total, "io_ms": total * 0.08, "wal_bytes": calls_in_all * 900}
    insert(
        session, "statement_snapshot", target_id=target, day=day, run_id="run", taken_at=taken,
        since=taken - timedelta(days=1), missed_nights=2 if number == 33 else 0, database_oid=1, has_stats_since=True,
        **server, **entries, **spent_in_all,
    )  # fmt: skip


def _series(session: Session, target: int, number: int, query: str) -> int:
    digest = hashlib.sha256(query.encode())
    known = session.connection.execute(
        "SELECT statement_id FROM reporting.statement WHERE query_hash = %s", (digest.digest(),)
    ).fetchone()
    shown = {"query": query, "query_hash": digest.digest(), "scrub_version": 1, "last_seen": NOW.date()}
    fingerprint = digest.hexdigest()[:16]
    statement = known[0] if known else insert(session, "statement", fingerprint=fingerprint, **shown)
    who = {"database_oid": 1, "role_oid": 1, "role": "kgc_app", "is_toplevel": True, "queryid": number}
    seen = {"first_seen": NOW.date(), "last_seen": NOW.date(), "fingerprint": fingerprint}
    return insert(session, "statement_series", target_id=target, statement_id=statement, **who, **seen)


def _finding(session: Session, name: str, query: str) -> None:
    day = (NOW - timedelta(days=1)).date()
    night = {"run_id": "night", "database": name, "day": day, "nights": 28}
    insert(session, "statement_judgement", judged=12, night_shift=0, **night)
    worse = {
        "mean_ms": 66,
        "usual_ms": 11,
        "ratio": 6.0,
        "z": 9.1,
        "extra_ms": 4_950_000,
        "share": 0.4,
        "calls": 90_000,
    }
    insert(
        session, "statement_finding", kind="regression", fingerprint=hashlib.sha256(query.encode()).hexdigest()[:16],
        role="kgc_app", cause="blocks per call 38 times: another plan or a missing index", evidence='{"blocks": 38}',
        first_bad_day=day - timedelta(days=3), is_alert=True, **worse, **night,
    )  # fmt: skip


def _backups(session: Session, name: str, dice: random.Random) -> None:
    spans = {"took": timedelta(minutes=14), "snapshot_held": timedelta(minutes=12)}
    kept = {"server_version": "18.4", "sealed_for": "ops", "keep": True, "keep_reason": "daily"}
    where = {"run_id": "listed", "database": name, "vault": "main"}
    for number in range(12):
        taken = NOW - timedelta(days=number, hours=4.5)
        size = {"stored_bytes": int(5_100 * _MB * (1 - number * 0.002)), "plain_bytes": 26_000 * _MB}
        insert(
            session, "backup", at=NOW, taken_at=taken, stored_at=taken, checked_at=taken, rows=61_000_000, tables=34,
            backup_id=f"{taken:%Y%m%dT%H%M%SZ}-{dice.randrange(16**8):08x}",
            state="PROVEN" if number == 6 else "VERIFIED",
            **where, **size, **spans, **kept,
        )  # fmt: skip
    listed = {"place": "s3://main", "is_copy": False, "backups": 12, "unfinished": 0}
    insert(session, "vault_listing", at=NOW + timedelta(seconds=1), **where, **listed)


def _drills(session: Session, name: str) -> None:
    spans = {"rto_target": timedelta(hours=2), "rpo_target": timedelta(days=1), "rpo_measured": timedelta(hours=21)}
    means = {"isolation_level": 1, "isolation_means": "namespaces", "server_version": "18.4", "checks_due": "all"}
    for week in range(12):
        ended = NOW - timedelta(days=6 + 7 * week)
        took = timedelta(minutes=74 - 2 * week)
        insert(
            session, "drill", run_id=f"drill-{name}-{week}", at=ended, database=name, vault="main", rule="newest",
            backup_id=f"{ended:%Y%m%dT%H%M%SZ}-0000000{week % 10}", verdict="PASS", failure_class="", taken_at=ended,
            started_at=ended - took, ended_at=ended, rto_measured=took, rto_predicted=took * 1.02,
            source_size=26_000 * _MB, not_checked="", **spans, **means,
        )  # fmt: skip


def _runs(session: Session, name: str, *, is_troubled: bool) -> None:
    def run(pipeline: str, back: timedelta, error: Mapping[str, str] | None = None) -> None:
        at = NOW - back
        insert(
            session, "run", run_id=f"{at:%Y%m%dT%H%M%SZ}-{name}-{pipeline}", database=name, pipeline=pipeline,
            actor="airflow:scheduled", started_at=at, ended_at=at + timedelta(minutes=14),
            outcome="failed" if error else "succeeded", **(error or {}),
        )  # fmt: skip

    run("backup", timedelta(hours=4.5))
    run("analyze", timedelta(hours=5), _LOCKED if is_troubled else None)
    run("analyze", timedelta(hours=29))
    run("reindex", timedelta(days=20))
    run("restore_drill", timedelta(days=6))


_LOCKED: Mapping[str, str] = {
    "error_code": "postgres.locked_out", "error_message": f"public.visits is locked {HOSTILE}",
}  # fmt: skip
_MEANS = (2.4, 0.6, 0.2, 11.0, 90.0, 40.0, 5.0, 1.2, 3.3, 0.9, 0.3, 700.0)
_NUMBERED = {"statement_target": "target_id", "statement": "statement_id", "statement_series": "series_id"}


def clinic() -> Fleet:
    """Describe a fleet of five databases, one of which nobody ever looked at."""
    names = ("kgc", "heliotrope", "scribemed", "vaxtrace", "healthmate")
    databases = {name: {"owner": f"{name}-team"} for name in names}
    return Fleet.model_validate({"fleet": "clinic", "databases": databases})
