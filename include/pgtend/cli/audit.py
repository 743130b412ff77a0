"""`pgtend audit`: whether anything that was written down was changed since."""

from __future__ import annotations

import typer

from pgtend.cli.options import AsJson, desk_of

app = typer.Typer(no_args_is_help=True, help="The chain of everything that was done.")


@app.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Compute the whole chain again, and compare it with the heads anchored in the vaults."""
    from pgtend.cli import screen
    from pgtend.ledger.anchor import read_anchors
    from pgtend.vault.open import aws_profiles, open_vault

    desk = desk_of(context)
    heads = [
        head
        for settings in desk.fleet.vaults.values()
        for head in read_anchors(desk.fleet.fleet, open_vault(settings, aws_profiles))
    ]
    with desk.ledger() as ledger:
        verdict = ledger.verify_chain(heads)
    if as_json:
        breaks = [{"seq": broken.seq, "what": broken.fault.value} for broken in verdict.breaks]
        screen.show_json({"entries": verdict.entries, "anchors": len(heads), "holds": verdict.holds, "breaks": breaks})
    verdict.raise_if_broken()
    if not as_json:
        screen.show(f"All {verdict.entries:,} entries hold, and so do {len(heads):,} anchors in the vaults.")
