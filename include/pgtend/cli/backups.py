"""`pgtend backups` and `pgtend retention`: what there is, how far it is known to be good, and how long it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pgtend.cli.options import AsJson, DatabaseName, desk_of
from pgtend.cli.places import CopyName, FromVault, Shelf, refuse_two_places, shelf_at, shelf_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from pgtend.backup.catalogue import Catalogue
    from pgtend.backup.expiry import Holding
    from pgtend.backup.retention import RetentionPlan, Verdict
    from pgtend.backup.states import BackupState
    from pgtend.cli.desk import Desk
    from pgtend.cli.screen import Json
    from pgtend.fleet.model import Database, RetentionRules

_STYLES = {"PROVEN": "bold green", "VERIFIED": "green", "STORED": "yellow", "BROKEN": "bold red", "DAMAGED": "bold red"}


def backups(
    context: typer.Context,
    database: DatabaseName,
    source: FromVault = None,
    copy: CopyName = None,
    as_json: AsJson = False,
) -> None:
    """List the backups of a database from the vault itself: state, age, size, copies, and how long each stays."""
    from pgtend.backup.retention import plan_retention
    from pgtend.cli import screen
    from pgtend.fleet.model import RetentionRules
    from pgtend.kernel.times import utc_now

    refuse_two_places(source, copy)
    desk = None if source else desk_of(context)
    shelf = shelf_at(source, database) if source else shelf_of(_there(desk), _there(desk).database(database), copy)
    found = shelf.catalogue()
    rules = _rules(desk, database, copy) if desk else RetentionRules()
    plan = plan_retention(found.holdings(), rules, utc_now())
    copies = _copies(desk, database) if desk and copy is None else {}
    if as_json:
        screen.show_json(_as_json(found, plan, copies))
    else:
        _show(found, plan, copies)


def retention(
    context: typer.Context,
    database: DatabaseName,
    apply: Annotated[bool, typer.Option("--apply", help="Really remove. Without it nothing is touched.")] = False,
    copy: CopyName = None,
    as_json: AsJson = False,
) -> None:
    """Say which backups stay, which may go, and why; remove them only with --apply."""
    from pgtend.backup.places import opened_places
    from pgtend.backup.tidying import PIPELINE, tidy_vaults
    from pgtend.cli import screen
    from pgtend.kernel.times import utc_now
    from pgtend.vault.open import aws_profiles, may_delete, open_vault

    desk = desk_of(context)
    shelf = shelf_of(desk, desk.database(database), copy)
    holding = _holding(shelf, _rules(desk, database, copy))
    plan = holding.plan(utc_now())
    if as_json:
        screen.show_json(_plan_as_json(plan))
    else:
        screen.show(str(plan))
        if plan.verdicts:
            screen.show(_verdict_table(plan))
    if not apply:
        if plan.removable and not as_json:
            screen.show("Nothing was touched: this only says what would be done. --apply does it.")
        return
    chosen = desk.database(database)
    with (
        desk.ledger() as ledger,
        opened_places(
            desk.fleet, chosen, lambda settings: open_vault(may_delete(settings), aws_profiles), copy or chosen.vault
        ) as places,
    ):
        (done,) = tidy_vaults(places, ledger, desk.subject(chosen, PIPELINE), screen.progress)
    if not as_json:
        screen.show(f"{database}: {done}.")


def copy(context: typer.Context, database: DatabaseName) -> None:
    """Bring the second vaults of a database up to date, and judge each copy by reading it there."""
    from pgtend.backup.copies import COPY, CopyWork, in_each, keep_copies
    from pgtend.cli import screen

    desk = desk_of(context)
    chosen = desk.database(database)
    subject = desk.subject(chosen, COPY)

    def keep(name: str) -> None:
        rules = chosen.backup.copies[name]
        with (
            shelf_of(desk, chosen).vault as source,
            shelf_of(desk, chosen, name).vault as second,
            desk.ledger() as ledger,
        ):
            work = CopyWork(
                source=source,
                copy=second,
                rules=rules.retention,
                fleet=desk.fleet.fleet,
                database=database,
                by=subject.actor,
            )
            done = keep_copies(work, rules.lag, ledger, subject, screen.progress)
        screen.show(f"{database}: {done.state}.")
        list_again(desk, chosen, chosen.vault, name)

    in_each(chosen.backup.copies, keep, screen.progress)
    if not chosen.backup.copies:
        screen.show(f"The fleet file names no second vault for {database}: see backup.copies in its settings.")


def list_again(desk: Desk, database: Database, *names: str) -> None:
    """Tell the ledger what the vaults of a database hold now, or those that are named."""
    from pgtend.backup.places import opened_places
    from pgtend.backup.tidying import CATALOGUE, list_vaults
    from pgtend.cli import screen
    from pgtend.vault.open import aws_profiles, open_vault

    with (
        desk.ledger() as ledger,
        opened_places(desk.fleet, database, lambda settings: open_vault(settings, aws_profiles), *names) as places,
    ):
        list_vaults(places, ledger, desk.subject(database, CATALOGUE), screen.progress)


def _there(desk: Desk | None) -> Desk:
    if desk is None:
        raise typer.BadParameter("a fleet file is needed")
    return desk


def _holding(shelf: Shelf, rules: RetentionRules) -> Holding:
    from pgtend.backup.expiry import Holding

    return Holding(vault=shelf.vault, fleet=shelf.fleet, database=shelf.database, rules=rules, lock=shelf.lock)


def _rules(desk: Desk, database: str, copy: str | None) -> RetentionRules:
    rules = desk.database(database).backup
    return rules.copies[copy].retention if copy in rules.copies else rules.retention


def _copies(desk: Desk, database: str) -> dict[str, dict[str, BackupState]]:
    """Read which backups each second vault has, and how they are; no answer is an error, and not an empty list."""
    chosen = desk.database(database)
    return {
        name: {entry.backup_id: entry.state for entry in shelf_of(desk, chosen, name).catalogue().entries}
        for name in chosen.backup.copies
    }


def _show(found: Catalogue, plan: RetentionPlan, copies: Mapping[str, Mapping[str, BackupState]]) -> None:
    from pgtend.cli import screen

    if not found.entries:
        screen.show(
            f"There is no backup of {found.database} in {found.place}. `pgtend backup {found.database}` takes one."
        )
    else:
        screen.show(_backup_table(found, plan, copies))
        screen.show(str(plan))
    for leftover in found.leftovers:
        screen.show(f"{leftover.backup_id} was never finished; {leftover.size} of it are left.")


def _backup_table(found: Catalogue, plan: RetentionPlan, copies: Mapping[str, Mapping[str, BackupState]]) -> Table:
    from rich.text import Text

    from pgtend.cli import screen
    from pgtend.kernel.sizes import Bytes
    from pgtend.kernel.times import say_span, utc_now

    verdicts = {verdict.backup.backup_id: verdict for verdict in plan.verdicts}
    columns = ("backup", "state", "age", "size", "rows", *(["copies"] if copies else []), "kept", "because")
    made = screen.table(*columns, right=("age", "size", "rows"), whole=("backup", "state", "kept"))
    for entry in found.entries:
        verdict = verdicts[entry.backup_id]
        style = _STYLES[entry.state.value]
        there = [_say_copies(entry.backup_id, copies)] if copies else []
        made.add_row(
            entry.backup_id,
            Text(entry.state.value, style=style),
            say_span(max(utc_now() - entry.taken_at, utc_now() - utc_now())),
            str(Bytes(entry.manifest.stored_size)),
            f"{entry.manifest.rows:,}",
            *there,
            _kept(verdict),
            verdict.reasons[0],
        )
    return made


def _say_copies(backup_id: str, copies: Mapping[str, Mapping[str, BackupState]]) -> str:
    """Name the second vaults that have a copy; one that is no good is said to be so."""
    found = [(name, states[backup_id]) for name, states in copies.items() if backup_id in states]
    return ", ".join(f"{name} {state}" if state.is_unfit else name for name, state in found) or "none"


def _sound_copies(backup_id: str, copies: Mapping[str, Mapping[str, BackupState]]) -> list[str]:
    return [name for name, states in copies.items() if backup_id in states and not states[backup_id].is_unfit]


def _kept(verdict: Verdict) -> str:
    if not verdict.keep:
        return "may go"
    return f"to {verdict.until:%Y-%m-%d}" if verdict.until else "yes"


def _verdict_table(plan: RetentionPlan) -> Table:
    from pgtend.cli import screen

    made = screen.table("backup", "state", "size", "kept", "because", right=("size",), whole=("backup",))
    for verdict in plan.verdicts:
        known = verdict.backup
        made.add_row(known.backup_id, known.state.value, str(known.size), _kept(verdict), "; ".join(verdict.reasons))
    return made


def _as_json(found: Catalogue, plan: RetentionPlan, copies: Mapping[str, Mapping[str, BackupState]]) -> Json:
    verdicts = {verdict.backup.backup_id: verdict for verdict in plan.verdicts}
    return {
        "place": found.place,
        "database": found.database,
        "backups": [
            {
                "backup_id": entry.backup_id,
                "state": entry.state.value,
                "faults": list(entry.faults),
                "taken_at": entry.taken_at.isoformat(),
                "stored_bytes": entry.manifest.stored_size,
                "rows": entry.manifest.rows,
                "copies": _sound_copies(entry.backup_id, copies),
                **_verdict_as_json(verdicts[entry.backup_id]),
            }
            for entry in found.entries
        ],
        "unfinished": [leftover.backup_id for leftover in found.leftovers],
        "doubts": list(plan.doubts),
    }


def _plan_as_json(plan: RetentionPlan) -> Json:
    return {
        "says": str(plan),
        "doubts": list(plan.doubts),
        "backups": [{"backup_id": verdict.backup.backup_id, **_verdict_as_json(verdict)} for verdict in plan.verdicts],
    }


def _verdict_as_json(verdict: Verdict) -> dict[str, Json]:
    return {
        "keep": verdict.keep,
        "reasons": list(verdict.reasons),
        "keep_until": verdict.until.isoformat() if verdict.until else None,
    }
