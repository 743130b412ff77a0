"""Drills in a process of their own, for somebody to kill or to run as somebody else.

Its arguments are a folder with a fleet file, a vault and room for a ledger, and the names of databases. The private key
comes by standard input.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from bed.stored_backups import folder_vault
from pgtend.drill.job import DrillOrder, DrillSite, drill_backup
from pgtend.drill.model import Rule
from pgtend.fleet.load import load_fleet
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.vault.agekeys import parse_keys


def told(line: str) -> None:
    """Say what happens, for whoever waits for the moment to kill."""
    print(line, flush=True)  # noqa: T201 - its only way to tell


def main(folder: str, *databases: str) -> None:
    """Drill the newest backup of each database, and say what that proved."""
    told(f"{os.getpid()} {os.geteuid()}")
    keys = parse_keys(sys.stdin.read().splitlines(), "standard input")
    fleet, vault = load_fleet(Path(folder) / "fleet.yaml"), folder_vault(Path(folder) / "vault")
    for name in databases:
        site = DrillSite(fleet=fleet, database=fleet.databases[name], vaults=lambda _: nullcontext(vault), keys=keys)
        subject = Subject(name, "restore_drill", "test")
        ledger = FolderLedger(Path(folder) / "drills")
        outcome = drill_backup(site, DrillOrder(rule=Rule.NEWEST, extras=frozenset()), ledger, subject, told)
        told(f"{name} {outcome.verdict.value} {outcome.isolation.level.name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
