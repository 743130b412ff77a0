"""`pgtend advise`: which indexes are missing or too much, proved on a copy."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, DatabaseName, desk_of

if TYPE_CHECKING:
    from pgtend.cli.screen import Json
    from pgtend.indexes.advise import AdviceReport

Copy: TypeAlias = Annotated[
    str,
    typer.Option(
        "--copy",
        metavar="SERVICE",
        help="Connection to a restored copy that is thrown away afterwards: advice is proved there. Without one "
        "everything stays a candidate.",
    ),
]
To: TypeAlias = Annotated[
    Path | None,
    typer.Option("--to", metavar="FOLDER", help="Where pairs of SQL files are written. Default: the database's vault."),
]
Live: TypeAlias = Annotated[
    bool, typer.Option("--live", help="Ask the server's own counters instead of the nights in the ledger.")
]


def advise(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    database: DatabaseName,
    copy: Copy = "",
    to: To = None,
    live: Live = False,
    as_json: AsJson = False,
) -> None:
    """Say which indexes are missing, double, covered or unused, and prove it on a copy. Creates and drops nothing."""
    from pgtend.cli import screen
    from pgtend.indexes.advise import PIPELINE, Inquiry, advise_on_indexes

    desk = desk_of(context)
    chosen = desk.database(database)
    with desk.ledger() as ledger, ExitStack() as opened:
        vault = opened.enter_context(desk.vault(chosen.vault)) if copy and to is None else None
        inquiry = Inquiry(
            address=desk.address(chosen),
            copy=desk.book.find(copy) if copy else None,
            vault=vault,
            folder=to,
            live=live,
        )
        report = advise_on_indexes(chosen, inquiry, ledger, desk.subject(chosen, PIPELINE), screen.progress)
    if as_json:
        screen.show_json(_as_json(report))
    else:
        _show(report)


def _show(report: AdviceReport) -> None:
    from pgtend.cli import screen

    screen.show(f"{report.database}: {report}.")
    made = screen.table("status", "what", "index", "why", whole=("status",))
    for advice in report.advices:
        candidate = advice.candidate
        what = f"{candidate.kind} on {candidate.schema}.{candidate.table}"
        made.add_row(advice.status.value, what, candidate.shape or candidate.name, advice.why)
    if report.advices:
        screen.show(made)
    for place in report.delivered.values():
        screen.show(f"Written for review: {place}")


def _as_json(report: AdviceReport) -> Json:
    return {
        "database": report.database,
        "run_id": report.run_id,
        "statements": report.statements,
        "advice": [
            {
                "status": advice.status.value,
                "kind": advice.candidate.kind.value,
                "table": f"{advice.candidate.schema}.{advice.candidate.table}",
                "up": advice.candidate.up,
                "down": advice.candidate.down,
                "why": advice.why,
                "priority": advice.priority,
                "gain": advice.proof.gain if advice.proof else None,
                "worst_harm": advice.proof.worst_harm if advice.proof else None,
                "delivered_as": report.delivered.get(advice.candidate.name, ""),
            }
            for advice in report.advices
        ],
    }
