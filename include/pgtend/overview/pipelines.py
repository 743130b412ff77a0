"""How the pipelines of each database stand: what ran last, how it ended, and when one ended well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

WORK = Column(
    key="work",
    title="Work",
    meaning="How the newest run of each pipeline ended. A run that died without a word counts as failed.",
)
_REMEMBERED = timedelta(days=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow:
    """One pipeline of one database."""

    database: str
    pipeline: str
    run_id: str
    run_url: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    error_code: str
    error_message: str
    hint: str
    good_at: datetime | None

    @property
    def is_broken(self) -> bool:
        """Whether the newest run did not end well."""
        return self.outcome in {"failed", "interrupted", "vanished"}


READ_PIPELINES = query(__package__ or "", "read_pipelines", PipelineRow)


def pipelines(session: Session, databases: Sequence[str], now: datetime) -> list[PipelineRow]:
    """Read how every pipeline of these databases stands."""
    return session.rows(READ_PIPELINES, {"databases": list(databases), "since": now - _REMEMBERED})


def by_database(rows: Sequence[PipelineRow]) -> Mapping[str, list[PipelineRow]]:
    """Sort them by database."""
    sorted_by: dict[str, list[PipelineRow]] = defaultdict(list)
    for row in rows:
        sorted_by[row.database].append(row)
    return sorted_by


def work_cell(database: str, rows: Sequence[PipelineRow], now: datetime) -> Cell:
    """Judge the newest run of each pipeline."""
    page = f"page:{database}/runs"
    if not rows:
        return Cell(light=Light.UNKNOWN, says="nothing ran", why="The ledger knows no run of it.", link=page)
    broken = [row for row in rows if row.is_broken]
    if broken:
        first = broken[0]
        rest = f", and {len(broken) - 1} more" if broken[1:] else ""
        return Cell(
            light=Light.BAD,
            says=f"{first.pipeline} {first.outcome}{rest}",
            why=f"{_ago(first, now)} {_sentence(first.error_message) or 'It died without a word.'}",
            link=f"run:{first.run_url}" if first.run_url else page,
        )
    newest = max(rows, key=lambda row: row.started_at)
    running = [row.pipeline for row in rows if row.outcome == "running"]
    said = f"{', '.join(running)} running" if running else f"{len(rows)} pipelines fine"
    return Cell(light=Light.GOOD, says=said, why=f"{_ago(newest, now)} It {newest.outcome}.", link=page)


def _ago(row: PipelineRow, now: datetime) -> str:
    return f"{row.pipeline} began {say_age(now - row.started_at)} ago."


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}." if message else ""
