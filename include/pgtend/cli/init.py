"""`pgtend init`: look at a database once, and write a fleet file with sensible rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgtend.kernel.errors import PgtendError, Refusal

if TYPE_CHECKING:
    from pgtend.cli.survey import Survey


class FileExists(Refusal):
    """There is a file already where the new one should go, and it is never overwritten."""

    code = "cli.file_exists"


def init(
    connection: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE_OR_CONNINFO",
            help="A libpq service, or a connection string without its password (that belongs into ~/.pgpass).",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the fleet file.")] = Path("fleet.yaml"),
    name: Annotated[str, typer.Option("--name", help="Name of the database. Default: as the server calls it.")] = "",
) -> None:
    """Look at a database, and write a commented fleet file with sensible rules for it.

    Reads the catalogue and the ends of a few indexes; changes nothing in the database, and never overwrites a file.
    """
    from pgtend.cli import screen
    from pgtend.cli.desk import APPLICATION
    from pgtend.cli.proposal import propose, slug
    from pgtend.cli.survey import survey_database
    from pgtend.fleet.load import load_fleet
    from pgtend.fleet.model import Limits
    from pgtend.kernel.times import utc_now
    from pgtend.postgres.services import LibpqServices
    from pgtend.postgres.session import open_session

    _refuse_existing(output)
    address = LibpqServices().find(connection)
    with open_session(address, Limits(), application=APPLICATION) as session:
        survey = survey_database(session)
    chosen = slug(name or survey.database)
    _write(output, propose(survey, connection=connection, name=chosen, at=utc_now()))
    load_fleet(output)
    _show(survey)
    screen.show(f"Wrote {output}. Look through it, then:")
    prefix = "pgtend" if output == Path("fleet.yaml") else f"pgtend --fleet {output}"
    screen.show(f"  {prefix} doctor\n  {prefix} plan analyze {chosen}\n  {prefix} analyze {chosen}")


def _show(survey: Survey) -> None:
    from pgtend.cli import screen
    from pgtend.cli.proposal import say_age
    from pgtend.kernel.names import counted

    kind = "standby" if survey.is_standby else "primary"
    due = "" if survey.missing_rights or survey.is_standby else f", {survey.due:,} of them need ANALYZE"
    screen.show(
        f"{survey.database}: PostgreSQL {survey.server} ({kind}), {survey.size}, {counted(survey.tables, 'table')}{due}"
    )
    if survey.largest:
        made = screen.table("largest tables", "rows", "size", "reaches back", "by", right=("rows", "size"))
        for table in survey.largest:
            age = say_age(table.age) if table.age is not None else ""
            made.add_row(table.name, f"{table.rows:,}", str(table.size), age, table.time_column)
        screen.show(made)
    if survey.missing_rights:
        screen.show(f"{survey.role} lacks {len(survey.missing_rights)} rights; `pgtend doctor` prints the GRANTs.")


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise FileExists(
            f"{path} exists and is not overwritten",
            hint="Name another file with --output, or add the database to this one by hand.",
        )


def _not_written(path: Path, why: str) -> PgtendError:
    from pgtend.cli.metrics import NotWritten

    return NotWritten(f"{path} cannot be written: {why}", hint="Name a file in a folder that you may write to.")


def _write(path: Path, text: str) -> None:
    """Write the file whole, and only where there is none, even if one came into being meanwhile."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        _refuse_existing(path)
        raise _not_written(path, "it is a link that leads nowhere") from None
    except OSError as error:
        raise _not_written(path, (error.strerror or "").lower()) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
