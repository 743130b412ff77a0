"""The five databases of the demo, each backed up on one server and drilled by the demo's own rules."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from bed.clusters import ROOT, tools_of
from bed.drillers import Driller
from bed.stored_backups import folder_vault
from demo.databases.create import create_fleet
from demo.databases.roster import FLEET, login_roles
from demo.databases.seed import seed_fleet
from pgtend.backup.take import Site, take_backup
from pgtend.fleet.load import load_fleet
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.agekeys import new_pair

PROVEN = [f"{name} PASS NAMESPACES" for name in FLEET]


@contextmanager
def demo_driller(major: int, who: str, folder: Path) -> Generator[Driller]:
    """Seed the five databases, back them up, and give the backups to somebody to drill."""
    pair, vault = new_pair(), folder_vault(folder / "vault")
    file = folder / "fleet.yaml"
    keys = f"keys: {{recipients: {{operations: {pair.public}, escrow: {new_pair().public}}}}}\n"
    file.write_text((ROOT / "demo" / "fleet.yaml").read_text(encoding="utf-8") + keys, encoding="utf-8")
    fleet, ledger = load_fleet(file), FolderLedger(folder / "ledger")
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(major), settings={"shared_preload_libraries": ""}) as server:
        create_fleet(server.superuser().conninfo, passwords, progress=str)
        seed_fleet(server.superuser().conninfo, today=date(2026, 11, 21), progress=str)
        for name in FLEET:
            site = Site(fleet=fleet, database=fleet.databases[name], address=server.superuser(name), vault=vault)
            take_backup(site, ledger, Subject(name, "backup", "test"), str, ignore_window=True)
    with Driller.hired(who, fleet=file.read_text(encoding="utf-8"), vault=folder / "vault", keys=pair) as hired:
        yield hired
