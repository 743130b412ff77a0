"""`pgtend keys`: make a pair, and prove that one opens the newest backup."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pgtend.cli import signing
from pgtend.cli.options import DatabaseName, desk_of
from pgtend.cli.places import shelf_of
from pgtend.kernel.errors import Misconfigured


class NotSealed(Misconfigured):
    """The newest backup is not encrypted: every key would seem to open it."""

    code = "cli.not_sealed"


app = typer.Typer(no_args_is_help=True, help="The keys that backups are sealed for, and receipts are signed with.")
app.add_typer(signing.app, name="signing")


@app.command("new")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes. It must not exist yet.")],
) -> None:
    """Make a pair of keys: the private one goes into a file, the public one into the fleet file."""
    from pgtend.cli import screen
    from pgtend.vault.agekeys import BadKeyFile, new_pair

    pair = new_pair()
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadKeyFile(
            f"{file} cannot be made: {os.strerror(error.errno or 0).lower()}",
            hint="Name a file that is not there yet: a key is never overwritten.",
        ) from error
    with os.fdopen(number, "w", encoding="utf-8") as opened:
        opened.write(pair.key_file())
    screen.show(f"The private key is in {file}. Keep it off every worker; a copy belongs into a safe.")
    screen.show("The public key, for keys.recipients in the fleet file:")
    screen.show(pair.public)


@app.command("check")
def check_key(context: typer.Context, database: DatabaseName, file: Path) -> None:
    """Prove that a private key opens the newest backup, down to its last row."""
    from pgtend.backup.verify import verify_backup
    from pgtend.cli import screen
    from pgtend.vault.agekeys import read_key_file

    desk = desk_of(context)
    chosen = desk.database(database)
    private = read_key_file(file)
    shelf = shelf_of(desk, chosen)
    with shelf.vault:
        manifest = shelf.catalogue().newest().manifest
        if not manifest.encryption.is_sealed:
            raise NotSealed(
                f"backup {manifest.backup_id} of {database} is not encrypted, so no key can be proved by it",
                detail="Whoever can read the vault can read every row of it.",
                hint="Take `unencrypted` out of the fleet file and run `pgtend backup`; then check the key again.",
            )
        verify_backup(shelf.vault, manifest, private, screen.progress).raise_if_broken()
    whose = [one.name for one in manifest.encryption.recipients if private.fits([one.public_key])]
    screen.show(f"{file} opens backup {manifest.backup_id} of {database}; it is the key of {', '.join(whose)}.")
