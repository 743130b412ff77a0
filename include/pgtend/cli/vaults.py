"""`pgtend vault`: what lies in a vault."""

from __future__ import annotations

from typing import Annotated

import typer

from pgtend.cli.options import AsJson, desk_of

app = typer.Typer(no_args_is_help=True, help="The places where copies and evidence live.")


@app.callback()
def begin() -> None:
    """Keep `list` a word of its own although it is the only one."""


@app.command("list")
def list_objects(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(help="Only keys below this one, such as audit/. Default: all.")] = "",
    vault: Annotated[str, typer.Option(help="Name of the vault in the fleet file. Default: the main one.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what lies in a vault: all of it, or an error."""
    from pgtend.cli import screen
    from pgtend.kernel.names import counted

    with desk_of(context).vault(vault) as opened:
        found = opened.objects(prefix if not prefix or prefix.endswith("/") else f"{prefix}/")
        place = opened.place
    if as_json:
        rows = [{"key": o.key, "size": int(o.size), "stored_at": o.stored_at.isoformat()} for o in found]
        screen.show_json({"vault": place, "objects": rows})
        return
    shown = screen.table("key", "size", "stored", right=["size"])
    for stored in found:
        shown.add_row(stored.key, str(stored.size), f"{stored.stored_at:%Y-%m-%d %H:%M}")
    screen.show(shown)
    screen.show(f"{counted(len(found), 'object')} in {place}.")
