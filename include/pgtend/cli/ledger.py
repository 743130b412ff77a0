"""`pgtend ledger`: the database that remembers, brought up to date and shown."""

from __future__ import annotations

import typer

from pgtend.cli.options import AsJson, desk_of
from pgtend.kernel.names import counted

app = typer.Typer(no_args_is_help=True, help="The memory of the fleet: migrate it, look at it.")


@app.command()
def migrate(context: typer.Context) -> None:
    """Apply what the ledger's database lacks. Harmless when repeated."""
    from pgtend.cli import screen
    from pgtend.cli.desk import APPLICATION
    from pgtend.fleet.model import Limits
    from pgtend.ledger import migrate as migrations
    from pgtend.postgres.session import open_session

    desk = desk_of(context)
    if desk.fleet.ledger is None:
        screen.show("The ledger is a folder on this machine, which needs no migrations.")
        return
    with open_session(desk.book.find(desk.fleet.ledger.connection), Limits(), application=APPLICATION) as session:
        applied = migrations.migrate(session)
    for migration in applied:
        screen.show(f"applied {migration.name}")
    screen.show("The ledger is up to date.")


@app.command("show")
def show_ledger(context: typer.Context, as_json: AsJson = False) -> None:
    """Say where the ledger is, and the newest entry of its audit."""
    from pgtend.cli import screen
    from pgtend.ledger.open import ledger_folder

    desk = desk_of(context)
    named = desk.fleet.ledger
    place = f"connection {named.connection}" if named else str(ledger_folder(desk.fleet.fleet))
    with desk.ledger() as ledger:
        head = ledger.audit_head()
    if as_json:
        screen.show_json({"place": place, "entries": head.seq, "head": head.hash})
    else:
        screen.show(f"The ledger is {place}. Its audit has {counted(head.seq, 'entry')}; the head is {head.hash}.")
