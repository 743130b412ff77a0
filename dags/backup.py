"""
# A backup that was read back

Every night, inside the window, this copies the database into the vault and reads every object back. A backup exists
when its manifest is written, which is the last thing that happens; what fails before leaves nothing like one.

| task | what it does |
|---|---|
| `take` | locks, takes one snapshot, dumps and fingerprints in it side by side, seals, stores, reads back, commits |
| `verify` | reads the newest backup from the vault again, from the stored bytes alone, on whatever worker is free |
| `copy` | where the fleet file names a second vault: brings it up to date, and judges each copy by reading it there |
| `tidy` | removes what no rule keeps, from every vault, and never on doubt; writes into the ledger what is there |

Workers have public keys only: nobody who takes over a worker can read old backups. So `verify` proves that every stored
byte is what was sent; that the private key opens it is proved by `pgtend keys check` and by the restore drill.

**By hand:** *Trigger* opens a form. From a shell the same is `pgtend backup <database>` and `pgtend verify <database>`.

**When it fails:** the task log ends with a HINT that names the runbook to follow. Outages are tried again by
themselves, each time as a new backup. Missing rights are listed all at once, each with its GRANT.

**What waits for it:** a finished backup is an event of the asset `pgtend-backup-<database>`.
"""

from __future__ import annotations

from airflow.sdk import Asset, task

from pgtend_airflow.pipelines import OUTSIDE_WINDOW, Pipeline, backup_timing

PIPELINE = Pipeline(name="backup", page=__doc__ or "")


@task
def take(name: str) -> str:
    """Take a backup and read it back; give its id."""
    from pgtend_airflow.backups import take_one
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        return take_one(desk)


@task
def verify(name: str, backup_id: str) -> None:
    """Read the backup from the vault again and hold every stored byte against its manifest."""
    from pgtend_airflow.backups import verify_one
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        verify_one(desk, backup_id)


@task
def copy(name: str) -> None:
    """Copy what the second vaults lack, from the stored bytes."""
    from pgtend_airflow.backups import copy_all
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        copy_all(desk)


@task
def tidy(name: str) -> None:
    """Let old backups go where the rules say so, and renew the catalogue."""
    from pgtend_airflow.backups import tidy_all
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        tidy_all(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, backup_timing(database), (OUTSIDE_WINDOW,)):
        # Without an address: Airflow asks every provider, boto3 among them, whether it knows the scheme of one.
        finished = Asset(name=f"pgtend-backup-{database.name}")
        verified = verify.override(outlets=[finished])(database.name, take(database.name))
        last = verified >> copy(database.name) if database.backup.copies else verified
        last >> tidy(database.name)
