"""`pgtend doctor`: everything the work needs, and what to do about what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from pgtend.cli.options import AsJson, DatabaseNames, desk_of

if TYPE_CHECKING:
    from pgtend.cli.findings import Finding

_STYLES = {"ok": "green", "note": "yellow", "problem": "bold red", "not seen": "yellow"}


def doctor(context: typer.Context, databases: DatabaseNames = None, as_json: AsJson = False) -> None:
    """Check the fleet file, the ledger, the vaults and every database; print the exact GRANT for each missing right.

    Changes nothing that stays. The exit status is that of the worst problem's family.
    """
    from pgtend.cli import screen
    from pgtend.cli.checkup import examine
    from pgtend.cli.findings import State, exit_status
    from pgtend.kernel.names import counted

    found = list(examine(desk_of(context), databases or []))
    if as_json:
        screen.show_json([_plain(finding) for finding in found])
    else:
        for about in dict.fromkeys(finding.about for finding in found):
            _show(about, [finding for finding in found if finding.about == about])
        bad = sum(finding.state in {State.PROBLEM, State.UNKNOWN} for finding in found)
        good = sum(finding.state is State.OK for finding in found)
        notes = sum(finding.state is State.NOTE for finding in found)
        beside = f" Worth a look: {counted(notes, 'note')}." if notes else ""
        said = f"Not well: {bad}. Well: {good}." if bad else f"All is well: {good} things were looked at."
        screen.show(f"{said}{beside}")
    raise typer.Exit(exit_status(found))


def _show(about: str, found: Sequence[Finding]) -> None:
    from rich.text import Text

    from pgtend.cli import screen

    screen.out.print(Text(about, style="bold"))
    for finding in found:
        style = _STYLES[finding.state.value]
        line = Text.assemble("  ", (f"{finding.state:<9}", style), f"{finding.what:<18}", finding.said)
        screen.out.print(line, soft_wrap=True)
        if finding.hint:
            screen.out.print(Text.assemble(" " * 26, (finding.hint, "cyan")), soft_wrap=True)
    screen.out.print()


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "about": finding.about,
        "what": finding.what,
        "state": finding.state.value,
        "said": finding.said,
        "hint": finding.hint,
        "code": finding.error.code if finding.error else "",
    }
