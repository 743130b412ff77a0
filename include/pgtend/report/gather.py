"""Reads everything that a report speaks of, once, from the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.postgres.session import Session
from pgtend.report.facts import (
    READ_COSTLY,
    READ_COSTLY_DAYS,
    READ_DAILY,
    READ_DRILLS,
    READ_HAPPENED,
    READ_LEVEL_CHANGES,
    READ_LOAD,
    READ_NEWEST_BACKUPS,
    READ_POOLS_NOW,
    READ_STANDING,
    READ_TABLE_GROWTH,
    READ_TROUBLES,
    READ_WORK,
    READ_WORSE,
    BackupFact,
    Costly,
    Daily,
    DrillFact,
    Happened,
    LevelChange,
    LoadNight,
    OpenTrouble,
    PoolNow,
    Standing,
    TableGrowth,
    Work,
    Worse,
)

YEAR: Final = timedelta(days=365)
QUARTER: Final = timedelta(days=90)
MONTH: Final = timedelta(days=30)
WEEK: Final = timedelta(days=7)
_BACKUPS: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFacts:
    """What is known of all databases together, by database."""

    now: datetime
    standing: Mapping[str, Sequence[Standing]]
    daily: Mapping[str, Mapping[str, Sequence[Daily]]]
    backups: Mapping[str, Sequence[BackupFact]]
    work: Mapping[str, Sequence[Work]]
    troubles: Mapping[str, Sequence[OpenTrouble]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What is known of one database alone."""

    changes: Sequence[LevelChange]
    tables: Sequence[TableGrowth]
    pools: Sequence[PoolNow]
    load: Sequence[LoadNight]
    costly: Sequence[Costly]
    spent: Mapping[tuple[str, str], Mapping[date, float]]
    worse: Sequence[Worse]
    happened: Sequence[Happened]
    drills: Sequence[DrillFact]


def gather_fleet(session: Session, databases: Sequence[str], now: datetime) -> FleetFacts:
    """Read what is known of these databases, in a handful of questions however many they are."""
    asked = {"databases": list(databases)}
    days = {**asked, "metrics": [watched.value for watched in Watched], "since": now - QUARTER}
    daily: dict[str, dict[str, list[Daily]]] = {name: defaultdict(list) for name in databases}
    for day in session.rows(READ_DAILY, days):
        daily[day.database][day.metric].append(day)
    standing: dict[str, list[Standing]] = {name: [] for name in databases}
    for row in session.rows(READ_STANDING, asked):
        standing[row.database].append(row)
    backups: dict[str, list[BackupFact]] = {name: [] for name in databases}
    for backup in session.rows(READ_NEWEST_BACKUPS, {**asked, "most": _BACKUPS}):
        backups[backup.database].append(backup)
    work: dict[str, list[Work]] = {name: [] for name in databases}
    for run in session.rows(READ_WORK, {**asked, "since": now - WEEK}):
        work[run.database].append(run)
    troubles: dict[str, list[OpenTrouble]] = {name: [] for name in databases}
    for trouble in session.rows(READ_TROUBLES, asked):
        troubles[trouble.database].append(trouble)
    return FleetFacts(now=now, standing=standing, daily=daily, backups=backups, work=work, troubles=troubles)


def gather_database(session: Session, database: str, now: datetime) -> DatabaseFacts:
    """Read what is known of one database alone."""
    quarter = {"database": database, "since": now - QUARTER}
    load = session.rows(READ_LOAD, {"database": database, "since": (now - QUARTER).date()})
    last = load[-1].day if load else now.date()
    month = {"database": database, "first": last - MONTH + timedelta(days=1), "last": last}
    costly = session.rows(READ_COSTLY, month) if load else []
    spent: dict[tuple[str, str], dict[date, float]] = defaultdict(dict)
    wanted = {**quarter, "since": (now - QUARTER).date(), "fingerprints": [one.fingerprint for one in costly]}
    for day in session.rows(READ_COSTLY_DAYS, wanted) if costly else []:
        spent[day.fingerprint, day.role][day.day] = day.exec_ms
    return DatabaseFacts(
        changes=session.rows(READ_LEVEL_CHANGES, {"database": database, "since": now - WEEK}),
        tables=session.rows(READ_TABLE_GROWTH, {"database": database, "since": now - MONTH - timedelta(days=2)}),
        pools=session.rows(READ_POOLS_NOW, {"database": database}),
        load=load,
        costly=costly,
        spent=spent,
        worse=session.rows(READ_WORSE, {"database": database, "since": (now - WEEK).date()}),
        happened=session.rows(READ_HAPPENED, quarter),
        drills=session.rows(READ_DRILLS, {"database": database, "since": now - YEAR}),
    )
