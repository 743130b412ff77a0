"""A drill in a process of its own, for somebody to kill: its arguments are the folder of a stage and a role.

The private key comes by standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from bed.drilling import Ground
from bed.restoring import Stage
from pgtend.drill.job import DrillOrder, drill_backup
from pgtend.drill.model import Rule
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.agekeys import parse_keys


def told(line: str) -> None:
    """Say what happens, for whoever waits for the moment to kill."""
    print(line, flush=True)  # noqa: T201 - its only way to tell


def main(folder: str, app: str) -> None:
    """Drill the newest backup in the folder."""
    keys = parse_keys(sys.stdin.read().splitlines(), "standard input")
    # A drill never asks the server that was backed up for anything.
    stage = Stage(server=cast("ThrowawayServer", None), folder=Path(folder), keys=keys.pairs[0])
    ground = Ground(stage=stage, app=app)
    drill_backup(
        ground.site, DrillOrder(rule=Rule.NEWEST), ground.ledger, Subject("subject", "restore_drill", "test"), told
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
