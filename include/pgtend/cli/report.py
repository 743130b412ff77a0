"""`pgtend report`: how the fleet stands and where it is going, as files for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgtend.cli.metrics import remembering, replace_file
from pgtend.cli.options import DatabaseNames, desk_of

if TYPE_CHECKING:
    from pgtend.report.job import MadeReport


def report(
    context: typer.Context,
    database: DatabaseNames = None,
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Write the files into this folder; older ones are replaced.")
    ] = Path("reports"),
) -> None:
    """Write reports from the ledger: a page that needs no network, JSON, and CSV of every table. Asks no database."""
    from pgtend.cli import screen
    from pgtend.report.job import make_reports

    desk = desk_of(context)
    wanted = desk.databases(database or [])
    _make_folder(to)
    with desk.ledger() as ledger:
        for made in make_reports(desk.fleet, remembering(ledger, desk), wanted):
            _write(made, to)
            screen.show(f"{made.report.name}: {made.report.verdict} {to / made.files[0].name}")


def _write(made: MadeReport, folder: Path) -> None:
    for file in made.files:
        replace_file(folder / file.name, file.content)


def _make_folder(folder: Path) -> None:
    from pgtend.cli.metrics import NotWritten

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritten(
            f"{folder} cannot be made",
            detail=f"The system said: {error.strerror}.",
            hint="Name a folder that you may write to.",
        ) from error
