"""Backups as tasks start them: the vault is opened by Airflow's connections, and only an id crosses between tasks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

from pgtend.backup.copies import COPY, CopyWork, in_each, keep_copies
from pgtend.backup.judging import refuse_unreadable, to_be_read, verify_and_mark
from pgtend.backup.listing import Place, record_listing
from pgtend.backup.places import opened_places
from pgtend.backup.take import Site, take_backup
from pgtend.backup.tidying import PIPELINE as RETENTION
from pgtend.backup.tidying import tidy_vaults
from pgtend.backup.verify import PIPELINE as VERIFY
from pgtend.fleet.model import VaultSettings
from pgtend.kernel.times import utc_now
from pgtend.vault.model import Vault
from pgtend.vault.open import may_delete, open_vault
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk, usable_fleet
from pgtend_airflow.pipelines import BACKUP_CHOICE, OUTSIDE_WINDOW


def take_one(desk: Desk) -> str:
    """Take a backup of the database on the desk."""
    fleet = usable_fleet()
    with _opened(fleet.vaults[desk.database.vault]) as vault:
        site = Site(fleet=fleet, database=desk.database, address=desk.address, vault=vault)
        manifest = take_backup(
            site, desk.ledger, desk.subject, desk.progress, ignore_window=bool(desk.form[OUTSIDE_WINDOW])
        )
    return manifest.backup_id


def verify_one(desk: Desk, backup_id: str) -> None:
    """Read a backup again, without any key, and page someone when it is not what was stored."""
    subject = replace(desk.subject, pipeline=VERIFY)
    with _places(desk, desk.database.vault) as (place,), desk.ledger.run(subject) as run:
        found = place.holding.catalogue(utc_now())
        entries, unreadable = to_be_read(found, backup_id, desk.progress)
        verdicts = [
            verify_and_mark(place.holding.vault, entry, None, subject.actor, desk.progress) for entry in entries
        ]
        record_listing(run, place)
        for verdict in verdicts:
            verdict.raise_if_broken()
            desk.progress(f"{desk.database.name}: {verdict.manifest.backup_id} holds; looked at: {verdict.depth}")
        refuse_unreadable(desk.database.name, unreadable)


def verify_chosen(desk: Desk) -> None:
    """Read the backup that the form names again."""
    verify_one(desk, str(desk.form[BACKUP_CHOICE]))


def copy_all(desk: Desk) -> None:
    """Bring every second vault of the database up to date."""
    subject, copies = replace(desk.subject, pipeline=COPY), desk.database.backup.copies

    def keep(name: str) -> None:
        with _places(desk, desk.database.vault, name) as (first, second):
            work = CopyWork(
                source=first.holding.vault,
                copy=second.holding.vault,
                rules=second.holding.rules,
                fleet=first.holding.fleet,
                database=desk.database.name,
                by=subject.actor,
            )
            keep_copies(work, copies[name].lag, desk.ledger, subject, desk.progress)

    in_each(copies, keep, desk.progress)


def tidy_all(desk: Desk) -> None:
    """Let go in every vault what no rule keeps, by credentials that may, and renew the catalogue."""
    with _places(desk, opened=lambda settings: _opened(may_delete(settings))) as places:
        tidied = tidy_vaults(places, desk.ledger, replace(desk.subject, pipeline=RETENTION), desk.progress)
    for done in tidied:
        desk.progress(f"{desk.database.name} in {done.plan.holdings.place}: {done}. {done.plan}")


@contextmanager
def _places(
    desk: Desk, *names: str, opened: Callable[[VaultSettings], Vault] | None = None
) -> Generator[tuple[Place, ...]]:
    with opened_places(usable_fleet(), desk.database, opened or _opened, *names) as places:
        yield places


def _opened(settings: VaultSettings) -> Vault:
    connections = AirflowConnections()
    return open_vault(connections.completed(settings), connections.aws_session)
