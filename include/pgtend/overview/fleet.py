"""The first page: is every database safe, and if not, which one needs somebody, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pgtend.fleet.model import Database, Fleet
from pgtend.overview.alerting import ALERTS, alerts_cell
from pgtend.overview.backups import BACKUP, backup_cell, newest_backups
from pgtend.overview.care import ARCHIVE, INDEXES, archive_cell, care, indexes_cell
from pgtend.overview.drills import PROOF, newest_drills, proof_cell
from pgtend.overview.health import HEALTH, health_cell, worst_health
from pgtend.overview.history import AlertRow, alerts
from pgtend.overview.model import Cell, Column, Overview, row_of, say_fleet, worst, worst_first
from pgtend.overview.pipelines import WORK, by_database, pipelines, work_cell
from pgtend.overview.statements import STATEMENTS, judged_nights, statements_cell
from pgtend.postgres.session import Session

_MOST_ALERTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which databases are asked about, and when."""

    fleet: Fleet
    databases: Sequence[Database]
    now: datetime

    @property
    def names(self) -> list[str]:
        """The databases by name."""
        return [database.name for database in self.databases]


Cells: TypeAlias = Mapping[str, Cell]
Judged: TypeAlias = Sequence[tuple[Column, Cells]]
Reader: TypeAlias = Callable[[Session, Asked], Judged]


def overview(session: Session, asked: Asked) -> Overview:
    """Judge every database by every promise, worst first."""
    read = [judged for reader in READERS for judged in reader(session, asked)]
    rows = worst_first(
        row_of(database.name, database.owner, {column.key: cells[database.name] for column, cells in read})
        for database in asked.databases
    )
    return Overview(
        fleet=asked.fleet.fleet,
        environment=asked.fleet.environment.value,
        light=worst(row.light for row in rows),
        says=say_fleet(rows),
        columns=[column for column, _ in read],
        rows=rows,
    )


def _work(session: Session, asked: Asked) -> Judged:
    known, told = by_database(pipelines(session, asked.names, asked.now)), _told(session, asked)
    cells = {name: work_cell(name, known.get(name, []), told[name], asked.now) for name in asked.names}
    return ((WORK, cells),)


def _alerts(session: Session, asked: Asked) -> Judged:
    told = _told(session, asked)
    cells = {name: alerts_cell(name, told[name], asked.now) for name in asked.names}
    return ((ALERTS, cells),)


def _told(session: Session, asked: Asked) -> Mapping[str, Sequence[AlertRow]]:
    found: dict[str, list[AlertRow]] = {name: [] for name in asked.names}
    for alert in alerts(session, asked.names, only_open=True, most=_MOST_ALERTS):
        for name in found.keys() & {alert.database, *alert.concerns}:
            found[name].append(alert)
    return found


def _backup(session: Session, asked: Asked) -> Judged:
    known = newest_backups(session, asked.names)
    cells = {
        database.name: backup_cell(database.name, known.get(database.name), database.backup, asked.now)
        for database in asked.databases
    }
    return ((BACKUP, cells),)


def _proof(session: Session, asked: Asked) -> Judged:
    known = newest_drills(session, asked.names)
    cells = {one.name: proof_cell(one.name, known.get(one.name), one.drill, asked.now) for one in asked.databases}
    return ((PROOF, cells),)


def _care(session: Session, asked: Asked) -> Judged:
    known = care(session, asked.names, asked.now)
    lean = {name: indexes_cell(name, known.get(name), asked.now) for name in asked.names}
    left = {
        one.name: archive_cell(one.name, known.get(one.name), has_rules=bool(one.archive.tables))
        for one in asked.databases
    }
    return ((INDEXES, lean), (ARCHIVE, left))


def _health(session: Session, asked: Asked) -> Judged:
    known = worst_health(session, asked.names)
    cells = {name: health_cell(name, known.get(name), asked.now) for name in asked.names}
    return ((HEALTH, cells),)


def _statements(session: Session, asked: Asked) -> Judged:
    nights = judged_nights(session, asked.names, asked.now)
    cells = {name: statements_cell(name, nights.get(name), asked.now) for name in asked.names}
    return ((STATEMENTS, cells),)


READERS: Sequence[Reader] = (_backup, _proof, _health, _statements, _care, _work, _alerts)
