"""A restore as a task does it: what was asked for in the form, on the database's own server.

Imported inside tasks only: it brings psycopg along, and a DAG file must not.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from airflow.sdk import get_current_context
from airflow.sdk.types import DagRunProtocol as DagRun

from pgtend.backup.catalogue import CatalogueEntry, read_catalogue
from pgtend.backup.manifest import SAVED
from pgtend.backup.take import PIPELINE as BACKUP
from pgtend.backup.take import Site, take_backup
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span, utc_now
from pgtend.ledger.model import Subject
from pgtend.restore.archive import Backup
from pgtend.restore.errors import NotIdentical
from pgtend.restore.job import restore_backup
from pgtend.restore.model import RestoreOrder, RestoreReport, new_name
from pgtend.restore.swap import replace_database
from pgtend.vault.agekeys import PrivateKeys, read_key_file
from pgtend.vault.model import Vault
from pgtend.vault.open import open_vault
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk, tending, usable_fleet
from pgtend_airflow.pipelines import BACKUP_CHOICE, IN_PLACE, TARGET

PIPELINE = "restore"
KEY_VARIABLE = "PGTEND_KEY_FILE"


class NoKeyHere(Misconfigured):
    """This worker has no private key, as it should be until somebody restores."""

    code = "airflow.no_key_here"


def show_backup(name: str) -> None:
    """Say which backup the form means, and what it holds; change nothing."""
    with tending(name, PIPELINE) as desk, _vault(desk) as vault:
        entry = _chosen(desk, vault)
        manifest = entry.manifest
        age = say_span(utc_now() - entry.taken_at)
        desk.progress(f"backup {entry.backup_id} of {entry.taken_at:%Y-%m-%d %H:%M:%S} UTC, {age} old: {entry.state}")
        tables, rows = counted(len(manifest.tables), "table"), counted(manifest.rows, "row")
        desk.progress(f"{tables}, {rows}, {Bytes(manifest.stored_size)} stored")
        for remark in manifest.remarks:
            desk.progress(f"note: {remark}")


def restore_as_asked(name: str, approver: str) -> None:
    """Restore what the form asks for, after a second person approved it."""
    with tending(name, PIPELINE) as desk, _vault(desk) as vault, desk.ledger.run(desk.subject):
        entry = _chosen(desk, vault)
        backup = Backup(vault, entry, _keys() if entry.manifest.encryption.is_sealed else None)
        desk.ledger.audit(
            actor=f"airflow:{approver}",
            action="restore.approved",
            target=desk.subject.target,
            detail={"backup": entry.backup_id, "in_place": bool(desk.form[IN_PLACE]), "asked_by": desk.subject.actor},
        )
        report = _replace(desk, vault, backup) if desk.form[IN_PLACE] else _beside(desk, backup)
        if not report.is_identical:
            raise NotIdentical(
                f"{report.database} differs from the backup in {len(report.differences)} places",
                detail="\n".join(map(str, report.differences)),
                hint="It was left there to be looked at; see docs/runbooks/backup-damaged.md.",
            )


def _beside(desk: Desk, backup: Backup) -> RestoreReport:
    name = str(desk.form[TARGET] or new_name(desk.address.database, _run().run_after))
    report = restore_backup(backup, _order(desk, name), desk.progress)
    desk.progress(str(report))
    return report


def _replace(desk: Desk, vault: Vault, backup: Backup) -> RestoreReport:
    """Replace the database itself; a run that Airflow starts a second time finds that it was done and refuses."""
    fleet = usable_fleet()
    site = Site(fleet=fleet, database=desk.database, address=desk.address, vault=vault, remarks=(SAVED,))
    saving = Subject(desk.database.name, BACKUP, desk.subject.actor, desk.subject.run_url)

    def save() -> str:
        return take_backup(site, desk.ledger, saving, desk.progress, ignore_window=True).backup_id

    name = desk.address.database
    done = replace_database(backup, _order(desk, name), name, save, desk.progress)
    desk.progress(str(done))
    return done.report


def _order(desk: Desk, name: str) -> RestoreOrder:
    return RestoreOrder(
        target=desk.address.to(dbname="postgres"), by=desk.subject.actor, name=name, named_at=_run().run_after
    )


def _chosen(desk: Desk, vault: Vault) -> CatalogueEntry:
    """Choose anew in every task from what the form says: what a task hands on could be forged.

    A backup that was finished after the run was asked for is chosen by its name only: hours may pass until somebody
    answers, and what is restored must be what was looked at, and not what the night stored of a damaged database.
    """
    wanted, asked_at = str(desk.form[BACKUP_CHOICE]), _run().run_after
    whole = read_catalogue(vault, usable_fleet().fleet, desk.database.name, utc_now())
    known = (one for one in whole.entries if one.manifest.finished_at <= asked_at or one.backup_id == wanted)
    catalogue = replace(whole, entries=tuple(known))
    entry = catalogue.choose(wanted)
    for remark in catalogue.passed_over(wanted, entry):
        desk.progress(f"note: {remark}, so {entry.backup_id} is chosen")
    if wanted != entry.backup_id and whole.entries[0] is not catalogue.entries[0]:
        desk.progress(
            f"note: backup {whole.entries[0].backup_id} was taken since this was asked for, and is left alone"
        )
    return entry


@contextmanager
def _vault(desk: Desk) -> Generator[Vault]:
    connections = AirflowConnections()
    settings = usable_fleet().vaults[desk.database.vault]
    with open_vault(connections.completed(settings), connections.aws_session) as vault:
        yield vault


def _keys() -> PrivateKeys:
    path = os.environ.get(KEY_VARIABLE)
    if not path:
        raise NoKeyHere(
            "this worker has no private key to open the backup with",
            detail="Workers hold public keys only, until somebody restores.",
            hint=f"Put the key file on the worker for this run, and name it in {KEY_VARIABLE}.",
        )
    return read_key_file(Path(path))


def _run() -> DagRun:
    return cast("DagRun", cast("Mapping[str, object]", get_current_context())["dag_run"])
