"""The first page: is every database safe, and if not, which one needs somebody, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pgtend.fleet.model import Database, Fleet
from pgtend.overview.alerting import ALERTS, alerts_cell
from pgtend.overview.backups import BACKUP, backup_cell, newest_backups
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
Reader: TypeAlias = Callable[[Session, Asked], Cells]


def overview(session: Session, asked: Asked) -> Overview:
    """Judge every database by every promise, worst first."""
    read = [(column, reader(session, asked)) for column, reader in COLUMNS]
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


def _work(session: Session, asked: Asked) -> Cells:
    known = by_database(pipelines(session, asked.names, asked.now))
    return {name: work_cell(name, known.get(name, []), asked.now) for name in asked.names}


def _alerts(session: Session, asked: Asked) -> Cells:
    found: dict[str, list[AlertRow]] = {name: [] for name in asked.names}
    for alert in alerts(session, asked.names, only_open=True, most=_MOST_ALERTS):
        found[alert.database].append(alert)
    return {name: alerts_cell(name, found[name], asked.now) for name in asked.names}


def _backup(session: Session, asked: Asked) -> Cells:
    known = newest_backups(session, asked.names)
    return {
        database.name: backup_cell(database.name, known.get(database.name), database.backup, asked.now)
        for database in asked.databases
    }


def _statements(session: Session, asked: Asked) -> Cells:
    nights = judged_nights(session, asked.names, asked.now)
    return {name: statements_cell(name, nights.get(name), asked.now) for name in asked.names}


COLUMNS: Sequence[tuple[Column, Reader]] = (
    (BACKUP, _backup),
    (STATEMENTS, _statements),
    (WORK, _work),
    (ALERTS, _alerts),
)
