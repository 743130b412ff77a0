"""`pgtend drill` and `pgtend drills`: prove a backup by restoring it, and say which proofs are overdue."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, DatabaseName, DatabaseNames, desk_of
from pgtend.cli.places import KeyFile, keys_from, shelf_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pgtend.cli.desk import Desk
    from pgtend.cli.screen import Json
    from pgtend.drill.job import DrillOrder
    from pgtend.drill.model import DrillOutcome
    from pgtend.drill.selection import Debt
    from pgtend.fleet.model import Database
    from pgtend.vault.model import Vault

_STYLES = {"passed": "green", "skipped": "yellow", "failed": "bold red"}
_RULES = "newest, random, oldest, second_vault or escrow_key"
RuleName: TypeAlias = Annotated[
    str, typer.Option("--rule", metavar="RULE", help=f"Which backup: {_RULES}. Default: the rule most overdue.")
]
Keep: TypeAlias = Annotated[
    str, typer.Option("--keep", metavar="TIME", help="Leave the copy up for so long, such as 2 h, or until Ctrl-C.")
]


def drill(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    database: DatabaseName,
    rule: RuleName = "",
    latest: Annotated[bool, typer.Option("--latest", help="The newest backup, as --rule newest.")] = False,
    backup_id: Annotated[str, typer.Option("--id", help="The backup of this name, or the newest at this time.")] = "",
    keep: Keep = "",
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also the second generation and the negative control, due or not.")
    ] = False,
    key: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup where it can reach nothing, compare everything, and sign what that proves."""
    from pgtend.cli import screen
    from pgtend.drill.issuing import issuer
    from pgtend.drill.job import PIPELINE, DrillSite, drill_backup
    from pgtend.drill.lending import index_work

    if sum((bool(rule), latest, bool(backup_id))) > 1:
        raise typer.BadParameter("choose one of --rule, --latest and --id")
    order = _order("newest" if latest else rule, backup_id, keep, thorough=thorough)
    desk = desk_of(context)
    chosen = desk.database(database)

    def vaults(name: str) -> AbstractContextManager[Vault]:
        return _opened(desk, chosen, name)

    subject = desk.subject(chosen, PIPELINE)
    with desk.ledger() as ledger:
        site = DrillSite(
            fleet=desk.fleet,
            database=chosen,
            vaults=vaults,
            keys=keys_from(key),
            on_copy=index_work(chosen, vaults, ledger, subject, screen.progress),
            issue=issuer(desk.fleet, vaults, ledger, screen.progress, may_make_key=True),
        )
        outcome = drill_backup(site, order, ledger, subject, screen.progress)
    if as_json:
        screen.show_json(_as_json(outcome))
    else:
        _show(outcome)


def drills(context: typer.Context, databases: DatabaseNames = None, as_json: AsJson = False) -> None:
    """Say for each rule when a backup was proven by it last, and what is overdue."""
    from pgtend.cli import screen
    from pgtend.drill.evidence import past_drills
    from pgtend.drill.selection import debts
    from pgtend.kernel.times import utc_now

    desk = desk_of(context)
    with desk.ledger() as ledger:
        found = [
            (database.name, debt)
            for database in desk.databases(databases or [])
            for debt in debts(database, past_drills(ledger, database.name), utc_now())
        ]
    if as_json:
        screen.show_json([_debt_as_json(name, debt) for name, debt in found])
        return
    made = screen.table("database", "rule", "proven last (UTC)", "every", "due", whole=("proven last (UTC)",))
    for name, debt in found:
        made.add_row(name, debt.rule.value, *_said(debt))
    screen.show(made)


@contextmanager
def _opened(desk: Desk, database: Database, name: str) -> Generator[Vault]:
    """Open a vault that holds the backups of a database, or any other of the fleet."""
    known = {database.vault, *database.backup.copies}
    with shelf_of(desk, database, name).vault if name in known else desk.vault(name) as vault:
        yield vault


def _order(rule: str, backup_id: str, keep: str, *, thorough: bool) -> DrillOrder:
    from pgtend.drill.job import DrillOrder
    from pgtend.drill.model import AT_TIMES, Rule
    from pgtend.kernel.names import did_you_mean
    from pgtend.kernel.times import parse_span

    known = [one.value for one in Rule if one is not Rule.CHOSEN]
    if rule and rule not in known:
        raise typer.BadParameter(f"there is no rule '{rule}': {did_you_mean(rule, known)}")
    return DrillOrder(
        rule=Rule.CHOSEN if backup_id else Rule(rule) if rule else None,
        backup=backup_id or "latest",
        extras=AT_TIMES if thorough else None,
        keep=parse_span(keep) if keep else timedelta(),
    )


def _show(outcome: DrillOutcome) -> None:
    from rich.text import Text

    from pgtend.cli import screen
    from pgtend.drill.telling import say_outcome

    made = screen.table("check", "outcome", "expected", "found")
    for check in outcome.checks:
        said = Text(check.outcome.value, style=_STYLES[check.outcome.value])
        made.add_row(check.label, said, check.expected, check.found)
    screen.show(made)
    screen.show(f"{say_outcome(outcome)}.")
    for sentence in outcome.not_checked:
        screen.show(f"Note: {sentence}")


def _said(debt: Debt) -> tuple[str, str, str]:
    from pgtend.kernel.times import say_span

    last = f"{debt.last:%Y-%m-%d %H:%M}" if debt.last else "never"
    if debt.last is None:
        return last, say_span(debt.every), "now: never done"
    span = say_span(abs(debt.late))
    return last, say_span(debt.every), f"overdue by {span}" if debt.is_due else f"in {span}"


def _debt_as_json(database: str, debt: Debt) -> Json:
    return {
        "database": database,
        "rule": debt.rule.value,
        "every": debt.every.total_seconds(),
        "last": debt.last.isoformat() if debt.last else None,
        "due": debt.is_due,
    }


def _as_json(outcome: DrillOutcome) -> Json:
    return {
        "run_id": outcome.run_id,
        "database": outcome.database,
        "backup_id": outcome.backup.backup_id,
        "rule": outcome.selection.rule.value,
        "verdict": outcome.verdict.value,
        "isolation": outcome.isolation.means,
        "recovery": outcome.rto.measured.total_seconds() if outcome.rto.measured else None,
        "stages": {one.stage.value: one.took.total_seconds() for one in outcome.stages},
        "checks": [
            {"check": one.label, "outcome": one.outcome.value, "expected": one.expected, "found": one.found}
            for one in outcome.checks
        ],
        "not_checked": list(outcome.not_checked),
    }
