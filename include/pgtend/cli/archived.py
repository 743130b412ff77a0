"""`pgtend archive restore`, `hold` and `erase`: what a person does with months that left."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.archive import app, site_of
from pgtend.cli.options import DatabaseName, desk_of
from pgtend.cli.places import KeyFile, keys_from
from pgtend.kernel.names import counted

if TYPE_CHECKING:
    from pgtend.archive.erasures import Person
    from pgtend.fleet.model import Database

OneTable: TypeAlias = Annotated[str, typer.Option("--table", metavar="SCHEMA.TABLE", help="Which table.")]
Month: TypeAlias = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Which month.")]


@app.command("restore")
def restore(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    database: DatabaseName,
    table: OneTable,
    month: Month,
    to_live: Annotated[
        bool, typer.Option("--live", help="Back into the table itself. Default: into a schema of its own.")
    ] = False,
    person: Annotated[bool, typer.Option("--person", help="One person's rows only; asks whose.")] = False,
    hold: Annotated[str, typer.Option("--hold", help="How long rows stay in the table after --live.")] = "30 days",
    key: KeyFile = None,
) -> None:
    """Bring a month back, from the archive or from the vault, compared with the ledger on the way."""
    from pgtend.archive.job import PIPELINE
    from pgtend.archive.names import Names
    from pgtend.archive.opening import person_column, restoring_desk
    from pgtend.archive.record import Scribe, Step
    from pgtend.archive.restoring import restore_beside, restore_to_live, unit_of
    from pgtend.cli import screen
    from pgtend.kernel.times import parse_span

    desk = desk_of(context)
    chosen, day, names = desk.database(database), month_from(month), Names.of(table)
    subject = desk.subject(chosen, f"{PIPELINE}-restore")
    with (
        desk.ledger() as ledger,
        ledger.run(subject) as run,
        restoring_desk(site_of(desk, chosen), names, keys_from(key), screen.progress) as attic,
    ):
        whose = None
        if person:
            person_column(attic)
            whose = ask_person().digested((table,), subject.actor)
        if to_live:
            done = restore_to_live(attic, day, hold=parse_span(hold), by=subject.actor, whose=whose)
        else:
            done = restore_beside(attic, day, whose=whose)
        unit = unit_of(attic.session, names, day)
        Scribe(run, database).step(names, Step.RESTORED, unit=unit, rows=done.rows, detail=done.place)
    equal = ", equal to the ledger" if done.is_whole else ""
    screen.show(f"{database}: {done.place} holds {counted(done.rows, 'row')} of {table} {month}{equal}.")


@app.command("hold")
def hold(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    database: DatabaseName,
    table: OneTable,
    month: Month,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the hold.")] = "",
    legal: Annotated[bool, typer.Option("--legal", help="The law says so: nothing of it is erased either.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Lift all holds on the month.")] = False,
) -> None:
    """Let a month stay as it is until the hold is lifted, or lift it."""
    from pgtend.archive.job import PIPELINE
    from pgtend.archive.names import Names
    from pgtend.archive.opening import restoring_desk
    from pgtend.archive.record import Scribe, Step
    from pgtend.archive.restoring import place_hold, release_holds, unit_of
    from pgtend.cli import screen

    if not release and not reason:
        raise typer.BadParameter("say why by --reason, or lift holds by --release")
    desk = desk_of(context)
    chosen, day, names = desk.database(database), month_from(month), Names.of(table)
    subject = desk.subject(chosen, f"{PIPELINE}-hold")
    with (
        desk.ledger() as ledger,
        ledger.run(subject) as run,
        restoring_desk(site_of(desk, chosen), names, None, screen.progress) as attic,
    ):
        unit = unit_of(attic.session, names, day)
        if release:
            lifted = release_holds(attic.session, names, day)
            said = f"{lifted} holds lifted"
        else:
            place_hold(attic.session, names, day, reason=reason, by=subject.actor, until=None, is_legal=legal)
            said = "held by law" if legal else "held"
        step = Step.RELEASED if release else Step.HELD
        Scribe(run, database).step(names, step, unit=unit, detail=reason)
    screen.show(f"{database}: {table} {month}: {said}.")


@app.command("erase")
def erase(
    context: typer.Context,
    database: DatabaseName,
    replay: Annotated[
        bool, typer.Option("--replay", help="Erase again whoever was erased before: after a restore of a backup.")
    ] = False,
    key: KeyFile = None,
) -> None:
    """Delete one person wherever rules name a `person`: from live tables, archives and the vault.

    Asks whose, so that no list of processes shows it.
    """
    from pgtend.archive.erasing import ErasureReport
    from pgtend.archive.erasing import erase as erase_person
    from pgtend.archive.erasures import keep_erasure, read_erasures
    from pgtend.archive.job import PIPELINE
    from pgtend.archive.names import Names
    from pgtend.archive.opening import restoring_desk
    from pgtend.archive.record import Scribe, Step
    from pgtend.cli import screen

    desk = desk_of(context)
    chosen = desk.database(database)
    subject = desk.subject(chosen, f"{PIPELINE}-erase")
    tables = _tables_of_people(chosen)
    asked = None if replay else ask_person().digested(tables, subject.actor)
    total = ErasureReport()
    with desk.ledger() as ledger, ledger.run(subject) as run, desk.vault(chosen.vault) as vault:
        if asked:
            # First the record: whatever ends this, nobody brings the person back.
            keep_erasure(vault, desk.fleet.fleet, database, asked)
        wanted = (asked,) if asked else read_erasures(vault, desk.fleet.fleet, database)
        for name in tables:
            with restoring_desk(site_of(desk, chosen), Names.of(name), keys_from(key), screen.progress) as attic:
                done = [erase_person(attic, one) for one in wanted]
            total.add(done)
            rows = sum(one.live + one.archived for one in done)
            Scribe(run, database).step(Names.of(name), Step.ERASED, rows=rows, detail=f"{len(wanted)} erasures")
    screen.show(f"{database}: {total}.")
    for name in chosen.archive.tables:
        if name not in tables:
            screen.show(f"Note: nothing was erased from {name}: its rule does not say whom a row is about.")


def _tables_of_people(database: Database) -> tuple[str, ...]:
    """List the tables whose rules say whom a row is about; with none, nobody would be erased and all be well."""
    from pgtend.archive.errors import NoPersonColumn

    tables = tuple(name for name, rule in database.archive.tables.items() if rule.person)
    if not tables:
        raise NoPersonColumn(
            f"no archive rule of {database.name} says whom a row is about, so that nobody can be erased",
            hint="Write the column into a rule as `person`; see docs/runbooks/archive-refused.md.",
        )
    return tables


def month_from(written: str) -> date:
    """Read a month as people write it."""
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError as error:
        raise typer.BadParameter(f"'{written}' is not a month: write 2025-09") from error


def ask_person() -> Person:
    """Ask for whom it is about: never in the arguments, which everybody on the machine can read."""
    from pydantic import SecretStr

    from pgtend.archive.erasures import Person

    return Person(SecretStr(typer.prompt("Value of the person column", hide_input=True, err=True)))
