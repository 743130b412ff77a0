"""`pgtend audit`: whether anything that was written down was changed since."""

from __future__ import annotations

import typer

from pgtend.cli.options import AsJson, desk_of
from pgtend.kernel.names import counted

app = typer.Typer(no_args_is_help=True, help="The chain of everything that was done.")


@app.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Compute the whole chain again, and compare it with the heads anchored in the vaults."""
    from pgtend.cli import screen
    from pgtend.ledger.anchor import read_anchors
    from pgtend.ledger.model import AuditHead

    desk = desk_of(context)
    heads: list[AuditHead] = []
    for name in desk.fleet.vaults:
        with desk.vault(name) as vault:
            heads += read_anchors(desk.fleet.fleet, vault)
    with desk.ledger() as ledger:
        verdict = ledger.verify_chain(heads)
    if as_json:
        breaks = [{"seq": broken.seq, "what": broken.fault.value} for broken in verdict.breaks]
        screen.show_json({"entries": verdict.entries, "anchors": len(heads), "holds": verdict.holds, "breaks": breaks})
    verdict.raise_if_broken()
    if not as_json:
        screen.show(_say(verdict.entries, len(heads)))


def _say(entries: int, anchors: int) -> str:
    verified = f"Verified {counted(entries, 'entry')}"
    if anchors:
        return f"{verified} against {counted(anchors, 'anchor')} in the vaults: all hold."
    return (
        f"{verified}: each follows from the one before. No anchor lies in the vaults, so nobody would see that all of "
        "them were written anew, or that the last ones are missing: `pgtend audit anchor` makes one."
    )


@app.command()
def anchor(context: typer.Context) -> None:
    """Verify the chain, then anchor its head in the vault, as fleet.audit does every day."""
    from pgtend.cli import screen
    from pgtend.ledger.anchor import verify_and_anchor

    desk = desk_of(context)
    with desk.vault() as vault, desk.ledger() as ledger:
        screen.show(str(verify_and_anchor(desk.fleet.fleet, ledger, vault, screen.progress)))
