"""Looks at a database, judges what it saw, and says what changed: gather, decide, and let the caller tell and keep."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pgtend.fleet.health import HealthRules, Watched, schedule_of
from pgtend.fleet.model import Database, Limits
from pgtend.fleet.schedules import gap_of
from pgtend.health.look import Look, look_at, unreachable
from pgtend.health.memory import Known, Memory
from pgtend.health.model import Finding, HealthPolicy, Level, Reading, Reason, changes
from pgtend.health.report import Examination
from pgtend.health.store import HealthStore
from pgtend.health.trend import Point, days_until, since_last_fall
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted
from pgtend.kernel.times import Clock, utc_now
from pgtend.postgres.address import Address
from pgtend.postgres.session import open_session

PIPELINE: Final = "health"
_LOCK_PATIENCE: Final = timedelta(seconds=1)
_BETWEEN_LOOKS: Final = 1.0
_MISSED_LOOKS: Final = 3
_FULL: Final = 100.0


def examine(database: Database, address: Address, store: HealthStore | None, *, clock: Clock = utc_now) -> Examination:
    """Look at a database and judge it against its last look. Without a memory it is looked at twice, a second apart."""
    known = store.known(database.name) if store else None
    if store is None:
        known = _first_look(database, address, clock)
    return _judged(database, address, known, store, clock)


def stale_after(database: Database) -> timedelta:
    """Say after how long without a look nobody knows how a database stands: when three were missed."""
    return gap_of(database.health.schedule or schedule_of(database.name)) * _MISSED_LOOKS


def _first_look(database: Database, address: Address, clock: Clock) -> Known | None:
    exam = _judged(database, address, None, None, clock)
    if exam.failure is not None:
        return None
    time.sleep(_BETWEEN_LOOKS)
    return Known(at=exam.look.at, findings=(), memory=exam.look.memory)


def _judged(
    database: Database, address: Address, known: Known | None, store: HealthStore | None, clock: Clock
) -> Examination:
    now, started = clock(), time.monotonic()
    memory = known.memory if known else Memory()
    look, failure = _looked(database, address, memory, now)
    if look.is_detailed:
        look = _with_forecast(look, store.history(database.name, Watched.DISK_USED, now) if store else ())
    before: Mapping[Watched, Finding] = known.by_metric if known else {}
    findings = HealthPolicy(database.health).judge_all(look.readings, before, now)
    return Examination(
        database=database.name,
        look=look,
        findings=findings,
        changes=changes(findings, before),
        took=timedelta(seconds=time.monotonic() - started),
        is_first_of_day=look.is_detailed and _is_new_day(memory, now),
        was_in_doubt=any(finding.level.rank > Level.OK.rank for finding in before.values()),
        failure=failure,
    )


def _looked(database: Database, address: Address, memory: Memory, now: datetime) -> tuple[Look, PgtendError | None]:
    rules: HealthRules = database.health
    limits = Limits(
        sessions=1,
        connect_timeout=database.limits.connect_timeout,
        statement_timeout=rules.patience,
        lock_timeout=min(_LOCK_PATIENCE, database.limits.lock_timeout),
    )
    try:
        with open_session(address, limits, application=f"pgtend:{PIPELINE}:{database.name}") as session:
            return look_at(session, rules, memory, now, is_on_this_machine=address.is_local_socket), None
    except PgtendError as error:
        return unreachable(memory, now, error), error


def _with_forecast(look: Look, days: Sequence[Point]) -> Look:
    """Add when the disk is full, as far as its history tells."""
    used = next((reading for reading in look.readings if reading.watched is Watched.DISK_USED), None)
    forecast = _forecast(used, days, look.at)
    remembered = replace(look.memory, detail_readings=(*look.memory.detail_readings, forecast))
    return replace(look, readings=(*look.readings, forecast), memory=remembered)


def _forecast(used: Reading | None, days: Sequence[Point], now: datetime) -> Reading:
    if used is None or used.value is None:
        why = "without the size of the disk there is no day on which it is full"
        return Reading(watched=Watched.DISK_DAYS, gap=Reason.ABSENT, why=why)
    today = Point(at=now, low=used.value, mean=used.value, high=used.value, last=used.value)
    # What was before the disk was enlarged, or emptied, says nothing about when it is full.
    alike = since_last_fall((*days, today))
    left = days_until(alike, _FULL)
    if left is None:
        why = f"a week of history of this disk is needed, and there are {counted(len(alike) - 1, 'day')}"
        return Reading(watched=Watched.DISK_DAYS, gap=Reason.ABSENT, why=why)
    return Reading(watched=Watched.DISK_DAYS, value=left)


def _is_new_day(memory: Memory, now: datetime) -> bool:
    return memory.details is None or memory.details.at.date() < now.date()
