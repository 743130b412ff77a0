"""`pgtend restore`: a database, some tables or a schema comes back, with a fleet file or without."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, desk_of
from pgtend.cli.places import CopyName, FromVault, KeyFile, keys_from, refuse_two_places, shelf_at, shelf_of
from pgtend.kernel.errors import Misconfigured, PgtendError, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pgtend.backup.catalogue import CatalogueEntry
    from pgtend.cli.desk import Desk
    from pgtend.cli.places import Shelf
    from pgtend.cli.screen import Json
    from pgtend.ledger.model import Ledger
    from pgtend.postgres.address import Address
    from pgtend.restore.archive import Backup
    from pgtend.restore.model import RestoreOrder, RestoreReport

    _Told: TypeAlias = tuple[RestoreReport, str, Mapping[str, Json]]
    """What came of it, in words, and what only a program wants to know besides."""

PIPELINE = "restore"
_WITHOUT = (
    "Or do without fleet file and ledger: pgtend restore DATABASE --from s3://bucket/prefix (or a folder) --key FILE "
    "--to SERVER; see docs/how-to/the-worst-day.md."
)
Which: TypeAlias = Annotated[
    str,
    typer.Option("--backup", metavar="latest|ID|TIME", help="Which one; a time means the newest not later than it."),
]
Server: TypeAlias = Annotated[
    str | None,
    typer.Option("--to", metavar="CONNECTION", help="Server to restore to: a libpq service or connection string."),
]
NewName: TypeAlias = Annotated[
    str | None,
    typer.Option("--database", metavar="NAME", help="Name of the new database. Default: DATABASE_restore_TIME."),
]
Tables: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="SCHEMA.TABLE", help="Only rows of these; * is any text. Repeatable."),
]
InPlace: TypeAlias = Annotated[
    bool, typer.Option("--in-place", help="Take the place of the original, which stays under another name.")
]


class ContradictoryOptions(Misconfigured):
    """Options were given that cannot be true together, or one is missing."""

    code = "cli.contradictory_options"


class AnotherServer(Refusal):
    """The database that is to be replaced lies on another server than the one that was backed up."""

    code = "cli.another_server"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a person asked for."""

    database: str | None
    backup: str
    to: str | None
    new_name: str | None
    tables: tuple[str, ...]
    schema_only: bool
    in_place: bool
    create_roles: bool
    no_owner: bool
    jobs: int
    copy: str | None
    """The vault whose copies are used, where that is not the database's own."""

    def refuse_contradictions(self, *, from_vault: bool) -> None:
        """Say what does not go together, before anything is opened."""
        leave_out = "Leave one of them out."
        part = bool(self.tables or self.schema_only)
        wrong = [
            (not self.to and not self.in_place, "--to is missing", "Name the server: --to a libpq service."),
            (
                self.in_place and part,
                "--in-place replaces a whole database",
                "Restore tables beside it, and copy rows.",
            ),
            (
                bool(self.tables) and self.schema_only,
                "--table and --schema-only contradict each other",
                "Everything but the rows comes back whole. Leave one of them out.",
            ),
            (self.in_place and bool(self.new_name), "--in-place and --database contradict each other", leave_out),
            (
                self.in_place and from_vault,
                "--in-place needs the fleet file",
                "Restore beside the original, and rename.",
            ),
            (self.create_roles and self.no_owner, "--create-roles and --no-owner contradict each other", leave_out),
            (not self.database and not from_vault, "DATABASE is missing", "Name one, or a vault with --from."),
        ]
        for is_wrong, what, hint in wrong:
            if is_wrong:
                raise ContradictoryOptions(what, hint=hint)


def restore(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    database: Annotated[
        str | None, typer.Argument(metavar="[DATABASE]", help="Name in the fleet file, or in the vault with --from.")
    ] = None,
    backup: Which = "latest",
    to: Server = None,
    name: NewName = None,
    table: Tables = None,
    schema_only: Annotated[bool, typer.Option("--schema-only", help="Everything but the rows.")] = False,
    in_place: InPlace = False,
    create_roles: Annotated[bool, typer.Option("--create-roles", help="Make missing roles, without a login.")] = False,
    no_owner: Annotated[bool, typer.Option("--no-owner", help="Do without owners and rights.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Streams and index builds at the same time.")] = 2,
    source: FromVault = None,
    copy: CopyName = None,
    key: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back, by default into a new database, and say whether it is identical."""
    from pgtend.cli import screen
    from pgtend.restore.archive import Backup

    wish = _Wish(
        database=database,
        backup=backup,
        to=to,
        new_name=name,
        tables=tuple(table or ()),
        schema_only=schema_only,
        in_place=in_place,
        create_roles=create_roles,
        no_owner=no_owner,
        jobs=jobs,
        copy=copy,
    )
    refuse_two_places(source, copy)
    wish.refuse_contradictions(from_vault=source is not None)
    with _saying_how_without(source, in_place=in_place):
        desk = None if source else desk_of(context)
        shelf = shelf_at(source, database) if source else _shelf(desk, database, copy)
    chosen = Backup(shelf.vault, _choose(shelf, backup), keys_from(key))
    with _saying_how_without(source, in_place=in_place), _recorded(desk, shelf.database, in_place=in_place):
        report, said, beside = (_replace if in_place else _beside)(desk, wish, shelf, chosen)
        if as_json:
            screen.show_json({**_as_json(report), **beside})
        else:
            _show(report, said)
        _refuse_difference(report)


def _shelf(desk: Desk | None, database: str | None, copy: str | None) -> Shelf:
    if desk is None or database is None:
        raise ContradictoryOptions("DATABASE is missing", hint="Name one, or a vault with --from.")
    return shelf_of(desk, desk.database(database), copy)


def _choose(shelf: Shelf, wanted: str) -> CatalogueEntry:
    """Choose the backup, and say of a newer one why it is not that one."""
    from pgtend.cli import screen
    from pgtend.kernel.times import say_span, utc_now

    found = shelf.catalogue()
    entry = found.choose(wanted)
    age, moment = say_span(utc_now() - entry.taken_at), f"{entry.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    screen.progress(f"{shelf.database}: backup {entry.backup_id} of {moment}, {age} old, is {entry.state}")
    for remark in found.passed_over(wanted, entry):
        screen.progress(f"{shelf.database}: {remark}, so {entry.backup_id} is restored")
    return entry


@contextmanager
def _saying_how_without(source: str | None, *, in_place: bool) -> Generator[None]:
    """On the worst day the fleet file and the ledger may be gone: then say that a restore needs neither."""
    from pgtend.fleet.load import BadFleetFile
    from pgtend.ledger.errors import LedgerUnreachable

    try:
        yield
    except (BadFleetFile, LedgerUnreachable) as trouble:
        if not source and not in_place:
            trouble.hint = f"{trouble.hint} {_WITHOUT}"
        raise


@contextmanager
def _recorded(desk: Desk | None, database: str, *, in_place: bool) -> Generator[None]:
    """Write the intent and the outcome into the ledger, where there is one: on the worst day there may be none."""
    if desk is None:
        yield
        return
    with ExitStack() as life:
        ledger = _open_ledger(desk, life, in_place=in_place)
        life.enter_context(ledger.run(desk.subject(desk.database(database), PIPELINE)))
        yield


def _open_ledger(desk: Desk, life: ExitStack, *, in_place: bool) -> Ledger:
    """Open the ledger; whatever is wrong with it, also that it is not there at all, keeps nobody from a restore."""
    from pgtend.ledger.errors import LedgerUnreachable

    try:
        return life.enter_context(desk.ledger())
    except LedgerUnreachable:
        raise
    except PgtendError as trouble:
        trouble.hint = f"{trouble.hint} This was the ledger.{'' if in_place else f' {_WITHOUT}'}"
        raise


def _beside(desk: Desk | None, wish: _Wish, shelf: Shelf, backup: Backup) -> _Told:
    from pgtend.cli import screen
    from pgtend.kernel.times import utc_now
    from pgtend.postgres.services import LibpqServices
    from pgtend.restore.job import restore_backup
    from pgtend.restore.model import new_name

    target = (desk.book if desk else LibpqServices()).find(wish.to or "")
    order = _order(wish, target, wish.new_name or new_name(shelf.database, utc_now()))
    report = restore_backup(backup, order, screen.progress)
    return report, str(report), {}


def _replace(desk: Desk | None, wish: _Wish, shelf: Shelf, backup: Backup) -> _Told:
    """Replace the original: a person types its name, and what is there is backed up first."""
    from pgtend.cli import screen
    from pgtend.restore.swap import replace_database

    if desk is None:
        raise ContradictoryOptions("--in-place needs the fleet file", hint="Restore beside the original, and rename.")
    address = desk.book.find(wish.to) if wish.to else desk.address(desk.database(shelf.database))
    name = address.database if not wish.to else backup.entry.manifest.source.database
    target = address.to(dbname="postgres") if address.database == name else address
    if wish.to:
        _refuse_another_server(target, backup)
    typed = typer.prompt(f"Type the name of the database on {address.place} that is to be replaced", err=True)
    order = _order(wish, target, name)
    done = replace_database(
        backup, order, typed, _saver(desk, shelf, wish.copy, address.to(dbname=name)), screen.progress
    )
    return done.report, str(done), {"set_aside": done.set_aside, "saved_as": done.saved_as}


def _refuse_another_server(target: Address, backup: Backup) -> None:
    """Refuse what would store the database of another server as the newest backup of this one."""
    from pgtend.restore.server import entered

    with entered(target) as server:
        found, wanted = server.facts.system_identifier, backup.entry.manifest.source.system_identifier
    if found != wanted:
        raise AnotherServer(
            f"{target.place} is not the server that backup {backup.entry.backup_id} was taken from",
            detail="What is there would be stored as the latest backup of the original. Nothing was done.",
            hint="Leave --in-place out to restore beside it; leave --to out to replace what the fleet file names.",
        )


def _saver(desk: Desk, shelf: Shelf, copy: str | None, address: Address) -> Callable[[], str]:
    """Make what takes a backup of the database that is about to be replaced, into the vault that is known to be there.

    Who restores from a copy may have lost the first vault; the ledger is told which of them it is.
    """
    from pgtend.backup.manifest import SAVED
    from pgtend.backup.take import PIPELINE as BACKUP
    from pgtend.backup.take import Site, take_backup
    from pgtend.cli import screen

    def save() -> str:
        own = desk.database(shelf.database)
        database = own.model_copy(update={"vault": copy or own.vault})
        site = Site(fleet=desk.fleet, database=database, address=address, vault=shelf.vault, remarks=(SAVED,))
        with desk.ledger() as ledger:
            made = take_backup(site, ledger, desk.subject(database, BACKUP), screen.progress, ignore_window=True)
        return made.backup_id

    return save


def _order(wish: _Wish, target: Address, name: str) -> RestoreOrder:
    from pgtend.cli.desk import who
    from pgtend.restore.model import Owners, RestoreOrder

    owners = Owners.CREATE if wish.create_roles else Owners.IGNORE if wish.no_owner else Owners.KEEP
    return RestoreOrder(
        target=target,
        by=f"{who()} (shell)",
        name=name,
        tables=wish.tables,
        schema_only=wish.schema_only,
        owners=owners,
        jobs=wish.jobs,
    )


def _show(report: RestoreReport, said: str) -> None:
    from pgtend.cli import screen

    screen.show(f"{said}.")
    for remark in report.remarks:
        screen.show(f"Note: {remark.removesuffix('.')}.")


def _refuse_difference(report: RestoreReport) -> None:
    """End with the status of broken evidence when something differs; what was restored stays for people to look at."""
    from pgtend.restore.errors import NotIdentical

    if not report.is_identical:
        raise NotIdentical(
            f"{report.database} differs from the backup in {len(report.differences)} places",
            detail="\n".join(map(str, report.differences)),
            hint=f"It was left at {report.place}. Compare with another backup; see docs/runbooks/backup-damaged.md.",
        )


def _as_json(report: RestoreReport) -> dict[str, Json]:
    return {
        "backup_id": report.backup_id,
        "taken_at": report.taken_at.isoformat(),
        "database": report.database,
        "place": report.place,
        "tables": report.tables,
        "rows": report.rows,
        "identical": report.is_identical,
        "compared": list(report.compared),
        "differences": [str(difference) for difference in report.differences],
        "remarks": list(report.remarks),
        "took": report.took.total_seconds(),
        "stages": {name: span.total_seconds() for name, span in report.stages},
    }
