"""The five databases of the demo, each backed up and drilled by the rules of the demo's own fleet file."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest

from bed.clusters import MAJORS, tools_of
from bed.stored_backups import folder_vault
from demo.databases.create import create_fleet
from demo.databases.roster import FLEET, login_roles
from demo.databases.seed import seed_fleet
from pgtend.backup.take import Site, take_backup
from pgtend.drill.job import DrillOrder, DrillSite, drill_backup
from pgtend.drill.model import CheckOutcome, Rule, Verdict
from pgtend.fleet.load import load_fleet
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.agekeys import PrivateKeys, new_pair

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=MAJORS, ids=lambda major: f"pg{major}")
def seeded(request: pytest.FixtureRequest) -> Generator[ThrowawayServer]:
    """Give a server with the five databases and their rows."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(request.param), settings={"shared_preload_libraries": ""}) as server:
        create_fleet(server.superuser().conninfo, passwords, progress=str)
        seed_fleet(server.superuser().conninfo, today=date(2026, 11, 21), progress=str)
        yield server


@pytest.mark.long
def test_every_database_of_the_demo_is_proven(
    seeded: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every check passes, and every question that the demo's fleet file asks gets a good answer."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", ",".join(f"{major}:{tools_of(major).folder}" for major in MAJORS))
    pair, vault, ledger = new_pair(), folder_vault(tmp_path / "vault"), FolderLedger(tmp_path / "ledger")
    file = tmp_path / "fleet.yaml"
    keys = f"keys: {{recipients: {{operations: {pair.public}, escrow: {new_pair().public}}}}}\n"
    file.write_text((ROOT / "demo" / "fleet.yaml").read_text() + keys)
    fleet = load_fleet(file)
    failed: dict[str, list[str]] = {}
    for name in FLEET:
        database = fleet.databases[name]
        site = Site(fleet=fleet, database=database, address=seeded.superuser(name), vault=vault)
        take_backup(site, ledger, Subject(name, "backup", "test"), str, ignore_window=True)
        where = DrillSite(
            fleet=fleet, database=database, vaults=lambda _: nullcontext(vault), keys=PrivateKeys((pair,))
        )
        subject = Subject(name, "restore_drill", "test")
        outcome = drill_backup(where, DrillOrder(rule=Rule.NEWEST), ledger, subject, str)
        failed[name] = [str(check) for check in outcome.checks if check.outcome is not CheckOutcome.PASSED]
        assert (outcome.verdict, failed[name]) == (Verdict.PASS, [])
