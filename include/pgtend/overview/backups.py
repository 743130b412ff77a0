"""How old the newest good backup of a database is, how old the newest proven one, and every backup there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgtend.fleet.backup import BackupRules
from pgtend.fleet.schedules import last_fired
from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

BACKUP = Column(
    key="backup",
    title="Backup",
    meaning="Age of the newest good backup: what would be lost if the server were gone now. Red when one was missed.",
)
_MOST = 2000
# A snapshot is taken some minutes after the schedule fires: locks are taken first, and a worker must be free.
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestBackup:
    """What is known of the backups of one database."""

    database: str
    listed_at: datetime
    doubts: str | None
    good_at: datetime | None
    proven_at: datetime | None
    good: int
    unfit: int
    newest_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRow:
    """One backup in one vault."""

    backup_id: str
    vault: str
    place: str
    is_copy: bool
    taken_at: datetime
    state: str
    faults: str
    stored_bytes: int
    plain_bytes: int
    rows: int
    tables: int
    took: timedelta
    server_version: str
    sealed_for: str
    keep: bool
    keep_until: date | None
    keep_reason: str
    in_use: str
    checked_at: datetime
    seen_at: datetime
    run_id: str


READ_BACKUPS = query(__package__ or "", "read_backups", BackupRow)
READ_NEWEST_BACKUPS = query(__package__ or "", "read_newest_backups", NewestBackup)


def newest_backups(session: Session, databases: Sequence[str]) -> Mapping[str, NewestBackup]:
    """Read what the first page says of backups, by database."""
    found = session.rows(READ_NEWEST_BACKUPS, {"databases": list(databases)})
    return {row.database: row for row in found}


def backups(session: Session, database: str) -> list[BackupRow]:
    """Read every backup of one database, newest first."""
    return session.rows(READ_BACKUPS, {"database": database, "most": _MOST})


def backup_cell(database: str, known: NewestBackup | None, rules: BackupRules, now: datetime) -> Cell:
    """Judge the age of the newest good backup by the schedule: none that is due may be missing."""
    page = f"page:{database}/backups"
    if known is None or known.good_at is None:
        why = "No vault was looked through yet." if known is None else "No vault holds a good backup of it."
        light = Light.UNKNOWN if known is None else Light.BAD
        return Cell(light=light, says="none", why=why, link=page)
    age = say_age(now - known.good_at)
    if not rules.enabled:
        return Cell(light=Light.WATCH, says=f"{age} old", why="Its schedule is switched off.", link=page)
    due = last_fired(rules.schedule, rules.window.timezone, now - rules.deadline)
    if known.good_at < due - _SLACK:
        why = f"The backup of {due:%Y-%m-%d %H:%M} UTC is missing, {say_age(now - due)} after it was due."
        return Cell(light=Light.BAD, says=f"{age} old", why=why, link=page)
    if known.unfit or known.doubts:
        why = known.doubts or f"{known.unfit} of its backups are damaged; the newest good one is in time."
        return Cell(light=Light.WATCH, says=f"{age} old", why=why, link=page)
    why = f"{known.good} good ones, the newest of {known.good_at:%Y-%m-%d %H:%M} UTC, in time by its schedule."
    return Cell(light=Light.GOOD, says=f"{age} old", why=why, link=page)
