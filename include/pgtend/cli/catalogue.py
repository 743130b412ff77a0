"""`pgtend catalogue`: what the ledger knows of backups, made anew from the vaults alone."""

from __future__ import annotations

from typing import Annotated

import typer

from pgtend.cli.options import desk_of

app = typer.Typer(no_args_is_help=True, help="What the ledger knows of backups.")


@app.callback()
def begin() -> None:
    """Keep `rebuild` a word of its own although it is the only one."""


@app.command()
def rebuild(
    context: typer.Context,
    databases: Annotated[
        list[str] | None, typer.Argument(metavar="[DATABASE]...", help="Which ones. Default: all of the fleet.")
    ] = None,
) -> None:
    """Write into the ledger what the vaults hold: after the ledger was lost, or when a dashboard seems wrong."""
    from pgtend.cli import screen
    from pgtend.cli.backups import list_again
    from pgtend.kernel.names import counted

    desk = desk_of(context)
    chosen = desk.databases(databases or [])
    for database in chosen:
        list_again(desk, database)
    screen.show(f"The ledger knows the backups of {counted(len(chosen), 'database')} again.")
