"""`pgtend fleet`: the fleet file, checked and explained."""

from __future__ import annotations

import typer

from pgtend.cli.options import AsJson, desk_of

app = typer.Typer(no_args_is_help=True, help="The fleet file: check it, show it, explain its settings.")


@app.command()
def check(context: typer.Context) -> None:
    """Read the fleet file, and say everything that is wrong with it at once."""
    from pgtend.cli import screen

    desk = desk_of(context)
    screen.show(f"{desk.path} is fine: fleet {desk.fleet.fleet} with {', '.join(desk.fleet.databases)}.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the fleet file, for editors."""
    import json

    from pgtend.fleet.schema import json_schema

    typer.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@app.command()
def settings() -> None:
    """Print the page that explains every setting."""
    from pgtend.fleet.settings_page import settings_page

    typer.echo(settings_page(), nl=False)


@app.command("show")
def show_fleet(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the databases and the rules they are tended by, defaults filled in."""
    from pgtend.cli import screen

    desk = desk_of(context)
    fleet = desk.fleet
    if as_json:
        screen.show_json(fleet.model_dump(mode="json"))
        return
    screen.show(f"fleet {fleet.fleet} ({fleet.environment}), from {desk.path}")
    made = screen.table("database", "connection", "owner", "vault", "window", "analyze")
    for name, database in fleet.databases.items():
        rules = database.analyze
        when = rules.schedule if rules.enabled else "off"
        made.add_row(name, database.connection, database.owner, database.vault, str(rules.window), when)
    screen.show(made)
