"""`pgtend plan reindex` and `pgtend reindex`: rebuild what is bloated, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, DatabaseName, desk_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from pgtend.cli.desk import Desk
    from pgtend.cli.screen import Json
    from pgtend.fleet.model import Database
    from pgtend.indexes.model import Decision
    from pgtend.indexes.plan import RebuildPlan
    from pgtend.indexes.report import RebuildReport
    from pgtend.postgres.address import Address

Pattern: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Only these: schema.index, or schema.table for all of its indexes, with * for any text. Repeatable.",
    ),
]
ShowAll: TypeAlias = Annotated[bool, typer.Option("--all", help="Show the indexes that are left alone one by one too.")]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Rebuild what --only names whatever its size, for example after damage.")
]
Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask: also work while the maintenance window is closed.")
]


def plan(
    context: typer.Context,
    database: DatabaseName,
    only: Pattern = None,
    show_all: ShowAll = False,
    as_json: AsJson = False,
) -> None:
    """Say which indexes would be rebuilt, why, in which order and at what price. Changes nothing."""
    from pgtend.cli import screen
    from pgtend.indexes.memory import recall
    from pgtend.indexes.plan import plan_rebuilds
    from pgtend.postgres.session import open_session

    desk = desk_of(context)
    chosen = desk.database(database)
    with desk.ledger() as ledger:
        memory = recall(ledger, database)
    with open_session(desk.address(chosen), chosen.limits, application=f"pgtend:plan:{database}") as session:
        found = plan_rebuilds(session, chosen.indexes, memory, only=only or ())
    if as_json:
        screen.show_json(_plan_as_json(found))
    else:
        _show_plan(database, found, show_all=show_all)
    found.raise_if_rights_are_missing()


def reindex(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    database: DatabaseName,
    only: Pattern = None,
    force: Force = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild bloated indexes one by one while everybody goes on working, and prove what came of it."""
    from pgtend.cli import screen
    from pgtend.cli.analyze import saying_how_to_insist
    from pgtend.indexes.job import PIPELINE, Order, rebuild_bloated_indexes

    if force and not only:
        raise typer.BadParameter("--force needs --only: it rebuilds what is named there whatever its size")
    desk = desk_of(context)
    chosen = desk.database(database)
    order = Order(only=tuple(only or ()), ignore_window=yes or _wants_it_now(chosen), insists=force)
    with desk.ledger() as ledger, saying_how_to_insist():
        report = rebuild_bloated_indexes(
            chosen,
            addresses(desk, chosen),
            ledger,
            desk.subject(chosen, PIPELINE),
            screen.progress,
            order=order,
        )
    if as_json:
        screen.show_json(_report_as_json(report))
    else:
        screen.show(f"{database}: {report}. The evidence is in the ledger under run {report.run_id}.")


def addresses(desk: Desk, database: Database) -> Mapping[str, Address]:
    """Find the ways to a database and to its standbys, by connection."""
    from pgtend.indexes.usage import standbys_of

    names = (database.connection, *standbys_of(database))
    return {name: desk.book.find(name) for name in names}


def _wants_it_now(database: Database) -> bool:
    """Ask a person whether a closed window matters; a script has to say --yes."""
    from pgtend.kernel.times import utc_now

    window = database.indexes.window
    if window.contains(utc_now()) or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(
        f"The maintenance window ({window}) is closed. Rebuild indexes of {database.name} now?", abort=True, err=True
    )


def _show_plan(name: str, plan: RebuildPlan, *, show_all: bool) -> None:
    from pgtend.cli import screen
    from pgtend.indexes.plan import say_plan

    screen.show(f"{name} (PostgreSQL {plan.server}): {say_plan(plan).partition(': ')[2]}")
    if plan.due:
        screen.show(_decision_table(plan.due))
    if plan.late:
        screen.show("These need a longer window:")
        screen.show(_decision_table(plan.late))
    if show_all and plan.left_alone:
        screen.show("Left alone:")
        screen.show(_decision_table(plan.left_alone))
    elif plan.left_alone:
        screen.show(f"Left alone: {_counts(plan)}. --all lists them.")


def _counts(plan: RebuildPlan) -> str:
    reasons = dict.fromkeys(decision.reason for decision in plan.left_alone)
    return ", ".join(f"{plan.count(reason):,} {reason}" for reason in sorted(reasons))


def _decision_table(decisions: tuple[Decision, ...]) -> Table:
    from pgtend.cli import screen
    from pgtend.kernel.sizes import Bytes
    from pgtend.kernel.times import say_span

    made = screen.table("index", "size", "gain", "time", "WAL", "why", right=("size", "gain", "time", "WAL"))
    for decision in decisions:
        why = f"{decision.reason}" + (f" ({decision.explanation})" if decision.explanation else "")
        price = decision.price
        made.add_row(
            decision.name,
            str(Bytes(decision.index.facts.size)),
            str(Bytes(decision.gain)) if decision.rebuild else "",
            say_span(price.took) if price else "",
            str(Bytes(price.wal)) if price else "",
            why,
        )
    return made


def _plan_as_json(plan: RebuildPlan) -> Json:
    late = {id(decision) for decision in plan.late}
    return {
        "database": plan.database,
        "server": plan.server,
        "indexes": [_decision_as_json(decision, fits=id(decision) not in late) for decision in plan.decisions],
        "missing_rights": [{"where": p.where, "what": p.what, "grant": p.hint} for p in plan.missing_rights],
    }


def _decision_as_json(decision: Decision, *, fits: bool) -> Json:
    estimate, price = decision.index.estimate, decision.price
    return {
        "index": decision.name,
        "table": decision.index.facts.full_table,
        "rebuild": decision.rebuild,
        "fits_the_window": fits if decision.rebuild else None,
        "reason": decision.reason.value,
        "explanation": decision.explanation,
        "size": decision.index.facts.size,
        "size_if_new": estimate.size if estimate else None,
        "method": estimate.method.value if estimate else None,
        "seconds": price.took.total_seconds() if price else None,
        "wal": price.wal if price else None,
        "space": price.space if price else None,
    }


def _report_as_json(report: RebuildReport) -> Json:
    return {
        "database": report.plan.database,
        "run_id": report.run_id,
        "took": report.took.total_seconds(),
        "leftovers_removed": list(report.cleared),
        "indexes": [
            {
                "index": result.name,
                "outcome": result.outcome.value,
                "reason": result.decision.reason.value,
                "size_before": result.size_before,
                "size_after": result.size_after,
                "took": result.took.total_seconds() if result.took is not None else None,
            }
            for result in report.results
        ],
    }
