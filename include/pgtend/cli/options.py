"""The options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, cast

import typer

if TYPE_CHECKING:
    from pgtend.cli.desk import Desk

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DatabaseName: TypeAlias = Annotated[
    str, typer.Argument(metavar="DATABASE", help="Name of the database in the fleet file.")
]
DatabaseNames: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[DATABASE]...", help="Names in the fleet file. Default: all of them.")
]


@dataclass(frozen=True)
class Call:
    """What was said before the verb."""

    fleet_file: Path | None


def desk_of(context: typer.Context) -> Desk:
    """Sit down with the fleet file that this call names."""
    from pgtend.cli.desk import open_desk

    return open_desk(cast("Call", context.obj).fleet_file)
