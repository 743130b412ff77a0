"""How the pipelines of each database stand: what ran last, how it ended, and when one ended well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.kernel.names import counted
from pgtend.overview.history import AlertRow
from pgtend.overview.model import Cell, Column, Light, say_age
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

WORK = Column(
    key="work",
    title="Work",
    meaning="How the newest run of each pipeline ended. A run that died without a word counts as failed, and so does "
    "one that was refused before it began to work.",
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


def with_alerts(rows: Sequence[PipelineRow], alerts: Sequence[AlertRow]) -> list[PipelineRow]:
    """Add the failures that the ledger has no run of: what is refused before any work begins leaves an alert alone."""
    standing = {(row.database, row.pipeline): row for row in rows}
    for alert in (one for one in alerts if one.is_of_run):
        place = (alert.database, alert.pipeline)
        known = standing.get(place)
        if known is None or known.outcome == "succeeded":
            standing[place] = _failed(alert, known)
    return [standing[place] for place in sorted(standing)]


def work_cell(database: str, rows: Sequence[PipelineRow], alerts: Sequence[AlertRow], now: datetime) -> Cell:
    """Judge the newest run of each pipeline, by the ledger and by what people were told."""
    page = f"page:{database}/runs"
    broken = [row for row in with_alerts(rows, alerts) if row.is_broken]
    if broken:
        first = broken[0]
        rest = f", and {len(broken) - 1} more" if broken[1:] else ""
        return Cell(
            light=Light.BAD,
            says=f"{_words(first.pipeline)} {first.outcome}{rest}",
            why=f"{_ago(first, now)} {_sentence(first.error_message) or 'It died without a word.'}",
            link=f"run:{first.run_url}" if first.run_url else page,
        )
    return _doubtful(database, alerts, now) or _sound(rows, now, page)


def _doubtful(database: str, alerts: Sequence[AlertRow], now: datetime) -> Cell | None:
    """Say what no failed run is known of, and is not fine either: the server is away, a run is late or tried again."""
    link = f"page:{database}/alerts"
    for alert in sorted(alerts, key=lambda one: not one.is_of_server):
        why = f"{_words(alert.pipeline)}, for {say_age(now - alert.opened_at)}: {alert.message}."
        if alert.is_of_server:
            return Cell(light=Light.BAD, says="server away", why=_capital(why), link=link)
        if alert.is_late or alert.is_of_run:
            said = "is late" if alert.is_late else "failed, runs again"
            return Cell(light=Light.WATCH, says=f"{_words(alert.pipeline)} {said}", why=_capital(why), link=link)
    return None


def _sound(rows: Sequence[PipelineRow], now: datetime, page: str) -> Cell:
    if not rows:
        return Cell(light=Light.UNKNOWN, says="nothing ran", why="The ledger knows no run of it.", link=page)
    newest = max(rows, key=lambda row: row.started_at)
    running = [_words(row.pipeline) for row in rows if row.outcome == "running"]
    said = f"{', '.join(running)} running" if running else f"{counted(len(rows), 'pipeline')} fine"
    end = "It runs." if newest.outcome == "running" else f"It {newest.outcome}."
    return Cell(light=Light.GOOD, says=said, why=f"{_ago(newest, now)} {end}", link=page)


def _failed(alert: AlertRow, known: PipelineRow | None) -> PipelineRow:
    return PipelineRow(
        database=alert.database,
        pipeline=alert.pipeline,
        run_id="",
        run_url=alert.run_url,
        outcome="failed",
        started_at=alert.last_failed_at,
        ended_at=alert.last_failed_at,
        error_code=alert.code,
        error_message=alert.message,
        hint=alert.hint,
        good_at=known.good_at if known else None,
    )


def _ago(row: PipelineRow, now: datetime) -> str:
    if row.outcome == "failed" and row.ended_at is not None:
        return _capital(f"{_words(row.pipeline)} failed {say_age(now - row.ended_at)} ago.")
    return _capital(f"{_words(row.pipeline)} began {say_age(now - row.started_at)} ago.")


def _words(pipeline: str) -> str:
    return pipeline.replace("_", " ")


def _sentence(message: str) -> str:
    return f"{_capital(message)}." if message else ""


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
