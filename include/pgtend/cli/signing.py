"""`pgtend keys signing`: the pair of keys that receipts are signed and verified with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The keys that receipts of drills are signed with.")


@app.command("new")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes. It must not exist yet.")],
) -> None:
    """Make a pair of keys: the private one goes into a file, the public one into the fleet file and to your auditor."""
    from pgtend.cli import screen
    from pgtend.drill.receipts.keys import new_signing_key

    made = new_signing_key()
    made.write(file)
    screen.show(f"The private key is in {file}: it belongs where drills run, and nowhere else.")
    _show(made.public.text, made.public.key_id)


@app.command("show")
def show_key(
    file: Annotated[Path, typer.Argument(help="The file with the private key.")],
    pem: Annotated[bool, typer.Option("--pem", help="Print the public key in PEM, as openssl reads it.")] = False,
) -> None:
    """Print the public half of a private key."""
    from pgtend.cli import screen
    from pgtend.drill.receipts.keys import read_signing_key

    public = read_signing_key(file).public
    if pem:
        screen.out.print(public.pem.rstrip(), markup=False, soft_wrap=True)
    else:
        _show(public.text, public.key_id)


def _show(text: str, key_id: str) -> None:
    from pgtend.cli import screen

    screen.show("The public key, for receipts.trusted_keys in the fleet file:")
    screen.out.print(text, markup=False, soft_wrap=True)
    screen.show("Its id, which every receipt names:")
    screen.out.print(key_id, markup=False, soft_wrap=True)
