"""Where a command finds backups: the vaults of the fleet file, or an address and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import suggestion

if TYPE_CHECKING:
    from datetime import timedelta

    from pgtend.backup.catalogue import Catalogue
    from pgtend.cli.desk import Desk
    from pgtend.fleet.model import Database
    from pgtend.vault.agekeys import PrivateKeys
    from pgtend.vault.model import Vault

KeyFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        envvar="PGTEND_KEY_FILE",
        help="File with the private key that opens the backup, as `pgtend keys new` or age-keygen writes it.",
    ),
]


def _said(value: str | None) -> str | None:
    """Refuse an empty word: it is a variable that was never set, and means no default."""
    if value is not None and not value.strip():
        raise typer.BadParameter("nothing is written here; leave the option out for the default")
    return value


FromVault: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="ADDRESS",
        callback=_said,
        help="Read the vault at s3://bucket/prefix or in a folder; no fleet file and no ledger are needed. "
        "AWS_ENDPOINT_URL names a server that is not Amazon's.",
    ),
]
CopyName: TypeAlias = Annotated[
    str | None,
    typer.Option("--copy", metavar="VAULT", callback=_said, help="Use the copies in this vault of the fleet file."),
]


class NotInVault(Misconfigured):
    """The vault holds no backup of such a database, or of several."""

    code = "cli.not_in_vault"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The backups of one database in one vault."""

    vault: Vault
    fleet: str
    database: str
    lock: timedelta | None = None

    def catalogue(self) -> Catalogue:
        """List them."""
        from pgtend.backup.catalogue import read_catalogue
        from pgtend.kernel.times import utc_now

        return read_catalogue(self.vault, self.fleet, self.database, utc_now(), lock=self.lock)


def shelf_of(desk: Desk, database: Database, name: str | None = None) -> Shelf:
    """Find the backups of a database of the fleet, in its own vault or in one of its copies."""
    from pgtend.backup.places import lock_of
    from pgtend.vault.open import aws_profiles, open_vault

    known = [database.vault, *database.backup.copies]
    chosen = name or database.vault
    if chosen not in known:
        raise NotInVault(f"'{chosen}' holds no backups of {database.name}", hint=suggestion(chosen, known))
    settings = desk.fleet.vaults[chosen]
    return Shelf(open_vault(settings, aws_profiles), desk.fleet.fleet, database.name, lock_of(settings))


def shelf_at(address: str, database: str | None) -> Shelf:
    """Find the backups of a database where a vault is known by its address alone."""
    from pgtend.backup.catalogue import databases_in
    from pgtend.vault.open import aws_profiles, open_vault
    from pgtend.vault.written import vault_written

    vault = open_vault(vault_written(address), aws_profiles)
    found = [pair for pair in databases_in(vault) if database in {None, pair[1], "/".join(pair)}]
    if len(found) != 1:
        names = ", ".join("/".join(pair) for pair in databases_in(vault)) or "no backup at all"
        raise NotInVault(
            f"the vault holds {'several databases' if found else 'no backup'} of that name",
            detail=f"There is: {names}. This was {vault.place}.",
            hint="Name the database as DATABASE or FLEET/DATABASE.",
        )
    return Shelf(vault, *found[0])


def refuse_two_places(source: str | None, copy: str | None) -> None:
    """Refuse an address beside the name of a vault: one of them would be passed over without a word."""
    if source and copy:
        raise typer.BadParameter("--from and --copy both say where to look: leave one of them out")


def keys_from(path: Path | None) -> PrivateKeys | None:
    """Read the private keys, where any are named."""
    from pgtend.vault.agekeys import read_key_file

    return read_key_file(path) if path else None
