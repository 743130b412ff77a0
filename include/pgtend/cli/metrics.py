"""`pgtend metrics`: the numbers of the fleet for monitoring."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgtend.cli.options import desk_of
from pgtend.kernel.errors import Misconfigured

if TYPE_CHECKING:
    from pgtend.cli.desk import Desk
    from pgtend.ledger.database import DatabaseLedger
    from pgtend.ledger.model import Ledger


class NotWritten(Misconfigured):
    """A file that was asked for cannot be written."""

    code = "cli.not_written"


def metrics(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write into this file, all at once, for the textfile collector of node_exporter.",
        ),
    ] = None,
) -> None:
    """Print the fleet's numbers as OpenMetrics text, from the ledger: no database is asked."""
    from pgtend.report.openmetrics import open_metrics

    desk = desk_of(context)
    with desk.ledger() as ledger:
        text = open_metrics(remembering(ledger, desk))
    if output is None:
        typer.echo(text, nl=False)
    else:
        replace_file(output, text)


def remembering(ledger: Ledger, desk: Desk) -> DatabaseLedger:
    """Take the ledger that remembers numbers, or say that there is none."""
    from pgtend.ledger.database import DatabaseLedger
    from pgtend.report.errors import NothingRemembered

    if isinstance(ledger, DatabaseLedger):
        return ledger
    raise NothingRemembered(
        "the fleet file names no reporting database, so no history is kept",
        detail=f"The fleet file is {desk.path}.",
        hint="Name one under `ledger:` and run `pgtend ledger migrate`; `pgtend health` looks without a history.",
    )


def replace_file(path: Path, content: bytes) -> None:
    """Put a whole new file in the place of the old one: whoever reads meanwhile gets one of the two."""
    try:
        handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
            Path(half).replace(path)
        except BaseException:
            Path(half).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written",
            detail=f"The system said: {error.strerror}.",
            hint="Name a file in a folder that exists and that you may write to.",
        ) from error
