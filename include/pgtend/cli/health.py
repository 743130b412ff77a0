"""`pgtend health`: how databases stand at this moment, and what to do about what is bad."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pgtend.cli.options import AsJson, DatabaseNames, desk_of

if TYPE_CHECKING:
    from rich.table import Table

    from pgtend.cli.desk import Desk
    from pgtend.cli.screen import Json
    from pgtend.health.model import Finding, Level
    from pgtend.health.report import Examination
    from pgtend.health.store import HealthStore

# What monitoring systems expect of a check.
_STATUS: Final = {"ok": 0, "not watched": 0, "warning": 1, "critical": 2, "unknown": 3}
_STYLES: Final = {
    "ok": "green",
    "warning": "yellow",
    "critical": "bold red",
    "unknown": "magenta",
    "not watched": "dim",
}


def health(
    context: typer.Context,
    database: DatabaseNames = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show also what is fine or not watched.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Tell the worst level as exit status: 0 ok, 1 warning, 2 critical, 3 unknown."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at databases now and judge what is seen. Changes nothing, keeps nothing, tells nobody else."""
    from pgtend.cli import screen
    from pgtend.health.job import examine

    desk = desk_of(context)
    with _store(desk) as store:
        exams = [examine(chosen, desk.address(chosen), store) for chosen in desk.databases(database or [])]
    if as_json:
        screen.show_json([_as_json(exam) for exam in exams])
    else:
        for exam in exams:
            _show(exam, show_all=show_all)
    if check:
        raise typer.Exit(_worst(exams))


@contextmanager
def _store(desk: Desk) -> Generator[HealthStore | None]:
    """Give the memory of earlier looks, where the fleet has one."""
    from pgtend.health.store import HealthStore
    from pgtend.ledger.database import DatabaseLedger

    with desk.ledger() as ledger:
        yield HealthStore(ledger) if isinstance(ledger, DatabaseLedger) else None


def _worst(exams: Sequence[Examination]) -> int:
    levels: list[Level] = [exam.level for exam in exams]
    return _STATUS[max(levels, key=lambda level: level.rank)] if levels else 0


def _show(exam: Examination, *, show_all: bool) -> None:
    from rich.text import Text

    from pgtend.cli import screen
    from pgtend.health.model import Level, worst_first

    server = f" (PostgreSQL {exam.look.server})" if exam.look.server else ""
    said = Text(f"{exam.database}{server}: ").append(exam.level, style=_STYLES[exam.level])
    counts = [(sum(found.level is level for found in exam.findings), level) for level in reversed(Level)]
    said.append(f"  {', '.join(f'{amount} {level}' for amount, level in counts if amount)}", style="dim")
    screen.show(said)
    shown = [found for found in worst_first(exam.findings) if show_all or found.level.rank > Level.OK.rank]
    if shown:
        screen.show(_table(shown))
    if exam.failure is not None:
        screen.show_error(exam.failure)


def _table(findings: Sequence[Finding]) -> Table:
    from rich.text import Text

    from pgtend.cli import screen

    made = screen.table("level", "what", "value", "why", right=("value",), whole=("level", "value"))
    for found in findings:
        why = Text(found.about or "").append(f"{'; ' if found.about else ''}{found.explanation or found.reason}", "dim")
        if found.level.is_bad and found.metric.advice:
            why.append(f"\n{found.metric.advice}")
        made.add_row(Text(found.level, style=_STYLES[found.level]), found.metric.title, found.said_value, why)
    return made


def _as_json(exam: Examination) -> Json:
    return {
        "database": exam.database,
        "server": exam.look.server,
        "looked_at": exam.look.at.isoformat(),
        "level": exam.level.value,
        "metrics": [
            {
                "metric": found.watched.value,
                "unit": found.metric.unit.value,
                "level": found.level.value,
                "value": found.value,
                "about": found.about,
                "reason": found.explanation or found.reason.value,
                "since": found.since.isoformat(),
            }
            for found in exam.findings
        ],
    }
