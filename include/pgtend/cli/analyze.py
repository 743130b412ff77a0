"""`pgtend plan analyze` and `pgtend analyze`: fresh statistics, and why."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, DatabaseName, desk_of

if TYPE_CHECKING:
    from rich.table import Table

    from pgtend.cli.screen import Json
    from pgtend.fleet.model import Database
    from pgtend.planner.model import Decision
    from pgtend.planner.plan import AnalyzePlan
    from pgtend.planner.report import AnalyzeReport

Pattern: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="PATTERN", help="Only these tables, as schema.table with * for any text. Repeatable."
    ),
]
ShowAll: TypeAlias = Annotated[bool, typer.Option("--all", help="Show the tables that are left alone one by one too.")]
Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask: also work while the maintenance window is closed.")
]


def plan(
    context: typer.Context,
    database: DatabaseName,
    table: Pattern = None,
    show_all: ShowAll = False,
    as_json: AsJson = False,
) -> None:
    """Say which tables need fresh statistics, why, and in which order. Changes nothing."""
    from pgtend.cli import screen
    from pgtend.planner.plan import plan_analyze
    from pgtend.postgres.session import open_session

    desk = desk_of(context)
    chosen = desk.database(database)
    with open_session(desk.address(chosen), chosen.limits, application=f"pgtend:plan:{database}") as session:
        found = plan_analyze(session, chosen.analyze, only=table or ())
    if as_json:
        screen.show_json(_plan_as_json(found))
    else:
        _show_plan(database, found, show_all=show_all)
    found.raise_if_rights_are_missing()


def analyze(
    context: typer.Context, database: DatabaseName, table: Pattern = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Make statistics fresh where the planner needs them, and prove it from the server's own counters."""
    from pgtend.cli import screen
    from pgtend.planner.job import PIPELINE, analyze_database

    desk = desk_of(context)
    chosen = desk.database(database)
    anytime = yes or _wants_it_now(chosen)
    with desk.ledger() as ledger, saying_how_to_insist():
        report = analyze_database(
            chosen,
            desk.address(chosen),
            ledger,
            desk.subject(chosen, PIPELINE),
            screen.progress,
            only=table or (),
            ignore_window=anytime,
        )
    if as_json:
        screen.show_json(_report_as_json(report))
    else:
        screen.show(f"{database}: {report}. The evidence is in the ledger under run {report.run_id}.")


@contextmanager
def saying_how_to_insist() -> Generator[None]:
    """Tell a person what no DAG may do: work while the window is closed."""
    from pgtend.fleet.window import OutsideWindow

    try:
        yield
    except OutsideWindow as refusal:
        refusal.hint = "Wait for it, or add --yes to do it now."
        raise


def _wants_it_now(database: Database) -> bool:
    """Ask a person whether a closed window matters; a script has to say --yes."""
    from pgtend.kernel.times import utc_now

    window = database.analyze.window
    if window.contains(utc_now()) or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(
        f"The maintenance window ({window}) is closed. Analyze {database.name} now?", abort=True, err=True
    )


def _show_plan(name: str, plan: AnalyzePlan, *, show_all: bool) -> None:
    from pgtend.cli import screen
    from pgtend.kernel.names import counted

    amount = len(plan.due)
    screen.show(
        f"{name} (PostgreSQL {plan.server}): {amount:,} of {counted(len(plan.decisions), 'table')} need ANALYZE"
    )
    if plan.due:
        screen.show(_decision_table(plan.due))
    if show_all and plan.left_alone:
        screen.show("Left alone:")
        screen.show(_decision_table(plan.left_alone))
    elif plan.left_alone:
        screen.show(f"Left alone: {_counts(plan)}. --all lists them.")


def _counts(plan: AnalyzePlan) -> str:
    reasons = dict.fromkeys(decision.reason for decision in plan.left_alone)
    return ", ".join(f"{sum(d.reason is reason for d in plan.left_alone):,} {reason}" for reason in sorted(reasons))


def _decision_table(decisions: tuple[Decision, ...]) -> Table:
    from pgtend.cli import screen
    from pgtend.kernel.sizes import Bytes

    made = screen.table("table", "rows", "size", "why", right=("rows", "size"))
    for decision in decisions:
        facts = decision.table.facts
        why = f"{decision.reason}" + (f" ({decision.explanation})" if decision.explanation else "")
        made.add_row(decision.table.name, f"{decision.table.rows:,}", str(Bytes(facts.size + facts.children_size)), why)
    return made


def _plan_as_json(plan: AnalyzePlan) -> Json:
    return {
        "database": plan.database,
        "server": plan.server,
        "tables": [
            {
                "table": decision.table.name,
                "analyze": decision.analyze,
                "reason": decision.reason.value,
                "explanation": decision.explanation,
                "rows": decision.table.rows,
            }
            for decision in plan.decisions
        ],
        "missing_rights": [{"where": p.where, "what": p.what, "grant": p.hint} for p in plan.missing_rights],
    }


def _report_as_json(report: AnalyzeReport) -> Json:
    return {
        "database": report.plan.database,
        "run_id": report.run_id,
        "took": report.took.total_seconds(),
        "tables": [
            {
                "table": result.name,
                "outcome": result.outcome.value,
                "reason": result.decision.reason.value,
                "took": result.took.total_seconds() if result.took is not None else None,
            }
            for result in report.results
        ],
    }
