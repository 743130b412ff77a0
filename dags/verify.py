"""
# A backup, read again from its first stored byte to its last

Started by hand. The nightly backup verifies itself; this does it again for whichever backup the form names, for example
before something risky, or after something happened to the vault. The database itself is not touched.

| task | what it does |
|---|---|
| `verify` | reads every object from the vault, holds it against the manifest, and notes in the vault what it found |

Workers have public keys only, so this proves that every stored byte is what was sent. That a private key opens it and
that the rows come back is what a drill proves. From a shell the same is `pgtend verify <database>`; with a private key
it counts every row.

**When it fails** the backup is damaged, and somebody is paged: the task log lists every object that is missing or
differs and ends with a HINT that names the runbook. Nothing is repaired or removed.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import BACKUP_CHOICE, Pipeline, verify_timing

PIPELINE = Pipeline(name="verify", page=__doc__ or "")


@task
def verify(name: str) -> None:
    """Hold every stored byte of a backup against its manifest."""
    from pgtend_airflow.backups import verify_chosen
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        verify_chosen(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, verify_timing(database), (BACKUP_CHOICE,)):
        verify(database.name)
