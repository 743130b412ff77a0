"""Backups as tasks start them: the vault is opened by Airflow's connections, and only an id crosses between tasks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from pgtend.backup.copies import COPY, CopyWork, keep_copies
from pgtend.backup.manifest import manifest_key, read_manifest
from pgtend.backup.take import Site, take_backup
from pgtend.backup.verify import verify_backup
from pgtend.vault.model import Vault
from pgtend.vault.open import open_vault
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk, usable_fleet
from pgtend_airflow.pipelines import OUTSIDE_WINDOW


def take_one(desk: Desk) -> str:
    """Take a backup of the database on the desk."""
    with _vault_of(desk) as vault:
        site = Site(fleet=usable_fleet(), database=desk.database, address=desk.address, vault=vault)
        manifest = take_backup(
            site, desk.ledger, desk.subject, desk.progress, ignore_window=bool(desk.form[OUTSIDE_WINDOW])
        )
    return manifest.backup_id


def verify_one(desk: Desk, backup_id: str) -> None:
    """Read a backup again, without any key, and page someone when it is not what was stored."""
    with _vault_of(desk) as vault:
        manifest = read_manifest(vault, manifest_key(usable_fleet().fleet, desk.database.name, backup_id))
        verdict = verify_backup(vault, manifest, None, desk.progress)
    verdict.raise_if_broken()
    desk.progress(f"{desk.database.name}: {backup_id} holds; looked at: {verdict.depth}")


def copy_all(desk: Desk) -> None:
    """Bring every second vault of the database up to date."""
    subject = replace(desk.subject, pipeline=COPY)
    for name, rules in desk.database.backup.copies.items():
        with _vault_of(desk) as source, _vault_of(desk, name) as copy:
            fleet = usable_fleet().fleet
            work = CopyWork(source=source, copy=copy, fleet=fleet, database=desk.database.name, by=subject.actor)
            keep_copies(work, rules.lag, desk.ledger, subject, desk.progress)


@contextmanager
def _vault_of(desk: Desk, name: str = "") -> Generator[Vault]:
    """Open the database's own vault, or the one that is named."""
    connections = AirflowConnections()
    settings = connections.completed(usable_fleet().vaults[name or desk.database.vault])
    with open_vault(settings, connections.aws_session) as vault:
        yield vault
