"""`pgtend archive`: old rows leave their tables, and every month can be asked where it is."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, DatabaseName, desk_of

if TYPE_CHECKING:
    from pgtend.archive.job import ArchiveSite
    from pgtend.archive.plan import ArchivePlan, TablePlan
    from pgtend.archive.report import ArchiveReport
    from pgtend.cli.desk import Desk
    from pgtend.cli.screen import Json
    from pgtend.fleet.model import Database

app = typer.Typer(no_args_is_help=True, help="Old rows leave their tables, and nothing is lost.")
OnlyTables: TypeAlias = Annotated[
    list[str] | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table. Repeatable.")
]
Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask: also work while the maintenance window is closed.")
]


def site_of(desk: Desk, database: Database) -> ArchiveSite:
    """Say what is archived, and how to reach it."""
    from pgtend.archive.job import ArchiveSite

    address = desk.address(database)
    return ArchiveSite(fleet=desk.fleet, database=database, address=address, vault=lambda: desk.vault(database.vault))


@app.command("plan")
def plan(context: typer.Context, database: DatabaseName, table: OnlyTables = None, as_json: AsJson = False) -> None:
    """Say which rows would leave, how, at what price, and what stands in the way. Changes nothing."""
    from pgtend.archive.plan import plan_archive, reading_session
    from pgtend.cli import screen
    from pgtend.kernel.times import utc_now

    desk = desk_of(context)
    chosen = desk.database(database)
    with reading_session(desk.address(chosen), chosen.limits, application=f"pgtend:plan:{database}") as session:
        found = plan_archive(session, chosen, utc_now(), only=table or ())
    if as_json:
        screen.show_json(_plan_as_json(found))
    else:
        for line in found.lines():
            screen.show(line)
    found.raise_if_refused()


@app.command("run")
def run(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    database: DatabaseName,
    table: OnlyTables = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Say yes to rules that nobody approved yet, after reading the plan.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Archive what is old. It may be stopped at any moment, and the next run goes on."""
    from pgtend.archive.job import PIPELINE, Wishes, archive_database
    from pgtend.cli import screen

    desk = desk_of(context)
    chosen = desk.database(database)
    subject = desk.subject(chosen, PIPELINE)
    wishes = Wishes(only=table or (), ignore_window=yes, approved_by=subject.actor if approve else "")
    with desk.ledger() as ledger, _saying_how_to_insist():
        report = archive_database(site_of(desk, chosen), ledger, subject, screen.progress, wishes=wishes)
    if as_json:
        screen.show_json(_report_as_json(report))
    else:
        screen.show(f"{database}: {report}. The evidence is in the ledger under run {report.run_id}.")
    if not approve:
        report.plan.raise_if_unapproved()


@app.command("status")
def status(context: typer.Context, database: DatabaseName, table: OnlyTables = None, as_json: AsJson = False) -> None:
    """List every archived month: where it is, how many rows it holds, and what holds it."""
    from pgtend.archive.memory import units_of
    from pgtend.archive.names import Names
    from pgtend.archive.plan import chosen as tables_of
    from pgtend.archive.plan import reading_session
    from pgtend.cli import screen

    desk = desk_of(context)
    chosen = desk.database(database)
    with reading_session(desk.address(chosen), chosen.limits, application=f"pgtend:status:{database}") as session:
        found = {name: units_of(session, Names.of(name)) for name in tables_of(chosen.archive, table or ())}
    if as_json:
        screen.show_json(
            {
                name: [
                    {
                        "month": unit.label,
                        "state": unit.state,
                        "rows": unit.rows,
                        "checksum": unit.checksum,
                        "generation": unit.gen,
                        "held": unit.is_held,
                    }
                    for unit in units
                ]
                for name, units in found.items()
            }
        )
        return
    made = screen.table("table", "month", "state", "rows", "sealed", "held", right=("rows",), whole=("month",))
    for name, units in found.items():
        for unit in units:
            sealed = f"{unit.sealed_at:%Y-%m-%d %H:%M}" if unit.sealed_at else ""
            held = "by law" if unit.is_held_by_law else "yes" if unit.is_held else ""
            made.add_row(name, unit.label, unit.state, f"{unit.rows:,}", sealed, held)
    screen.show(made if made.row_count else f"{database}: no month is archived yet.")


@contextmanager
def _saying_how_to_insist() -> Generator[None]:
    from pgtend.fleet.window import OutsideWindow

    try:
        yield
    except OutsideWindow as refusal:
        refusal.hint = "Wait for it, or add --yes to do it now."
        raise


def _plan_as_json(plan: ArchivePlan) -> Json:
    return {
        "database": plan.database,
        "server": plan.server,
        "tables": [_table_as_json(table) for table in plan.tables],
        "problems": [{"where": p.where, "what": p.what, "hint": p.hint} for p in plan.problems],
    }


def _table_as_json(table: TablePlan) -> Json:
    cost = table.estimate
    return {
        "table": str(table.names),
        "mode": table.mode.value,
        "cutoff": table.cutoff.isoformat(),
        "approved": table.is_approved,
        "rows": table.rows,
        "counted": table.is_counted,
        "months": {f"{month:%Y-%m}": rows for month, rows in table.months.items()},
        "wal_bytes": int(cost.wal),
        "disk_bytes": int(cost.disk),
        "seconds": round(cost.took.total_seconds(), 1),
        "locks": list(table.locks()),
        "notes": list(table.reading.notes()),
    }


def _report_as_json(report: ArchiveReport) -> Json:
    return {
        "database": report.plan.database,
        "run_id": report.run_id,
        "rows": report.rows,
        "converted": report.converted,
        "detached": report.detached,
        "sealed": report.sealed,
        "packed": report.packed,
        "proven": report.proven,
        "dropped": report.dropped,
        "destroyed": report.destroyed,
        "finished": report.is_finished,
        "waiting": list(report.waiting),
        "longest_wait": report.longest_wait.total_seconds(),
        "took": report.took.total_seconds(),
    }
