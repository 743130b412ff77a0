"""`pgtend runs`: what was done lately, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer

from pgtend.cli.options import AsJson, desk_of
from pgtend.sqlfiles import query

if TYPE_CHECKING:
    from pgtend.cli.desk import Desk
    from pgtend.ledger.model import AuditEntry

_STYLES = {"succeeded": "green", "failed": "red", "interrupted": "yellow", "vanished": "red", "running": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run as the ledger remembers it."""

    run_id: str
    database: str
    pipeline: str
    actor: str
    started_at: datetime
    took: timedelta | None
    outcome: str
    error_code: str
    error_message: str


READ_RUNS = query(__package__ or "", "read_runs", PastRun)


def runs(
    context: typer.Context,
    database: Annotated[
        str | None, typer.Argument(metavar="[DATABASE]", help="Only the runs of this database.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the last runs from the ledger, newest first."""
    from rich.text import Text

    from pgtend.cli import screen
    from pgtend.kernel.times import say_span

    desk = desk_of(context)
    name = desk.database(database).name if database else None
    found = _read(desk, name, limit)
    if as_json:
        screen.show_json([{**_plain(run), "run_id": run.run_id} for run in found])
        return
    if not found:
        screen.show("The ledger remembers no runs. `pgtend analyze DATABASE` makes the first one.")
        return
    whole = ("started (UTC)", "run", "took", "by")
    made = screen.table("started (UTC)", "run", "outcome", "took", "by", right=("took",), whole=whole)
    for run in found:
        took = say_span(run.took) if run.took is not None else ""
        outcome = Text(run.outcome, style=_STYLES.get(run.outcome, "")).append(f" {run.error_code}", style="dim")
        made.add_row(f"{run.started_at:%Y-%m-%d %H:%M}", f"{run.database}.{run.pipeline}", outcome, took, run.actor)
    screen.show(made)


def _read(desk: Desk, database: str | None, limit: int) -> Sequence[PastRun]:
    from pgtend.cli.desk import APPLICATION
    from pgtend.ledger.folder import FolderLedger
    from pgtend.ledger.open import ledger_folder, open_reporting

    if desk.fleet.ledger is None:
        entries = FolderLedger(ledger_folder(desk.fleet.fleet)).entries()
        past = [run for run in from_audit(entries) if database in {None, run.database}]
        return past[::-1][:limit]
    with open_reporting(desk.fleet.ledger, desk.book, application=APPLICATION) as session:
        return session.rows(READ_RUNS, {"database": database, "limit": limit})


def from_audit(entries: Iterable[AuditEntry]) -> list[PastRun]:
    """Tell the runs from an audit that holds nothing else about them, oldest first."""
    begun: dict[str, PastRun] = {}
    for entry in entries:
        verb, _, outcome = entry.action.partition(".")
        detail = cast("dict[str, str]", json.loads(entry.detail))
        if verb != "run":
            continue
        run_id, (database, _, pipeline) = detail["run_id"], entry.target.partition("/")
        start = begun[run_id].started_at if run_id in begun else entry.at
        begun[run_id] = PastRun(
            run_id=run_id,
            database=database,
            pipeline=pipeline,
            actor=entry.actor,
            started_at=start,
            took=None if outcome == "started" else entry.at - start,
            outcome="running" if outcome == "started" else outcome,
            error_code=detail.get("error_code", ""),
            error_message=detail.get("error_message", ""),
        )
    return list(begun.values())


def _plain(run: PastRun) -> dict[str, str | float | None]:
    return {
        "database": run.database,
        "pipeline": run.pipeline,
        "actor": run.actor,
        "started_at": run.started_at.isoformat(),
        "took": run.took.total_seconds() if run.took is not None else None,
        "outcome": run.outcome,
        "error_code": run.error_code,
        "error_message": run.error_message,
    }
