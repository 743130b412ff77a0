"""`pgtend backup` and `pgtend verify`: take a backup, and look at it again."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.backups import list_again
from pgtend.cli.options import AsJson, DatabaseName, desk_of
from pgtend.cli.places import CopyName, FromVault, KeyFile, Shelf, keys_from, refuse_two_places, shelf_at, shelf_of
from pgtend.kernel.errors import PgtendError

if TYPE_CHECKING:
    from pgtend.backup.manifest import Manifest
    from pgtend.backup.verify import Verdict
    from pgtend.cli.desk import Desk
    from pgtend.cli.screen import Json
    from pgtend.vault.model import Vault

Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask: also work while the maintenance window is closed.")
]


def backup(context: typer.Context, database: DatabaseName, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take a backup and read it back. It exists when this says so, and not before."""
    from pgtend.backup.take import PIPELINE, Site, take_backup
    from pgtend.cli import screen

    desk = desk_of(context)
    chosen = desk.database(database)
    vault = shelf_of(desk, chosen).vault
    with desk.ledger() as ledger, vault, _saying_how_to_insist():
        site = Site(fleet=desk.fleet, database=chosen, address=desk.address(chosen), vault=vault)
        manifest = take_backup(site, ledger, desk.subject(chosen, PIPELINE), screen.progress, ignore_window=yes)
        if as_json:
            screen.show_json(_as_json(manifest, vault))
        else:
            screen.show(f"{database}: {manifest.state} {manifest.backup_id}, {vault.place}/{manifest.key}")
    list_again(desk, chosen, chosen.vault)


def verify(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    database: DatabaseName,
    backup_id: Annotated[str, typer.Option("--id", help="The backup of this name, or the newest at this time.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All backups, the newest first.")] = False,
    latest: Annotated[bool, typer.Option("--latest", help="The latest, damaged or not; this is the default.")] = False,
    source: FromVault = None,
    copy: CopyName = None,
    key: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Read a backup from the vault and hold every byte against its manifest; with --key, every row."""
    from pgtend.backup.catalogue import LATEST
    from pgtend.backup.judging import to_be_read, verify_and_mark
    from pgtend.cli import screen
    from pgtend.cli.desk import who

    if sum((bool(backup_id), every, latest)) > 1:
        raise typer.BadParameter("choose one of --all, --latest and --id")
    refuse_two_places(source, copy)
    private = keys_from(key)
    shelf = shelf_at(source, database) if source else _own_shelf(desk_of(context), database, copy)
    with shelf.vault:
        found = shelf.catalogue()
        entries, unreadable = to_be_read(found, backup_id or LATEST, screen.progress, every=every)
        by = f"{who()} (shell)"
        verdicts = [verify_and_mark(shelf.vault, entry, private, by, screen.progress) for entry in entries]
    _tell(database, verdicts, unreadable, as_json=as_json)
    try:
        _refuse(database, verdicts, unreadable)
    except PgtendError:
        with _minor():
            _let_ledger_know(context, database, copy, source)
        raise
    _let_ledger_know(context, database, copy, source)


def _let_ledger_know(context: typer.Context, database: str, copy: str | None, source: str | None) -> None:
    if source is None:
        desk = desk_of(context)
        list_again(desk, desk.database(database), copy or desk.database(database).vault)


@contextmanager
def _minor() -> Generator[None]:
    """Say what went wrong as well; the damage that was found is what the command ends with."""
    from pgtend.cli import screen

    try:
        yield
    except PgtendError as trouble:
        screen.progress(f"the ledger was not told: {trouble.message}")


def _tell(database: str, verdicts: Sequence[Verdict], unreadable: Sequence[str], *, as_json: bool) -> None:
    """Say how each backup is."""
    from pgtend.cli import screen

    if as_json:
        screen.show_json(
            {
                "database": database,
                "backups": [_verdict_as_json(verdict) for verdict in verdicts],
                "unreadable": list(unreadable),
            }
        )
    else:
        for verdict in verdicts:
            word = "sound" if verdict.holds else "DAMAGED"
            screen.show(f"{database}: {verdict.manifest.backup_id} is {word}; looked at: {verdict.depth}")


def _refuse(database: str, verdicts: Sequence[Verdict], unreadable: Sequence[str]) -> None:
    """End with an error when any backup is not what was stored."""
    from pgtend.backup.judging import refuse_unreadable

    for verdict in verdicts:
        verdict.raise_if_broken()
    refuse_unreadable(database, unreadable)


def _own_shelf(desk: Desk, database: str, copy: str | None) -> Shelf:
    return shelf_of(desk, desk.database(database), copy)


@contextmanager
def _saying_how_to_insist() -> Generator[None]:
    from pgtend.fleet.window import OutsideWindow

    try:
        yield
    except OutsideWindow as refusal:
        refusal.hint = "Wait for it, or add --yes to do it now."
        raise


def _as_json(manifest: Manifest, vault: Vault) -> Json:
    return {
        "database": manifest.database,
        "backup_id": manifest.backup_id,
        "state": manifest.state.value,
        "vault": vault.place,
        "manifest": manifest.key,
        "rows": manifest.rows,
        "stored_size": manifest.stored_size,
        "plain_size": manifest.plain_size,
        "took": manifest.timing.total,
        "snapshot_held": manifest.timing.snapshot_held,
        "remarks": list(manifest.remarks),
    }


def _verdict_as_json(verdict: Verdict) -> Json:
    return {
        "backup_id": verdict.manifest.backup_id,
        "holds": verdict.holds,
        "looked_at": verdict.depth.value,
        "faults": [{"part": fault.part, "what": fault.what} for fault in verdict.faults],
    }
