"""
# Bring a backup back

Started by hand only. The form asks which backup and under which name; then a **second person** answers in the UI and
types the name of the database. Until that, nothing on the server changes.

| task | what it does |
|---|---|
| `look` | says which backup the form means and what it holds, and changes nothing |
| `approve_and_restore` | waits for a second person, then restores and compares: the restore is inside the approval |

By default a new database appears beside the original. *In the place of the original* backs up what is there, restores
beside it, compares, and lets both change names; what was there stays as `<name>_before_<time>`.

The latest backup is the one that was finished when the run was started, however late the answer comes.

Marking the approval as successful restores nothing: only an answer does, and only one by somebody else than who started
the run. Without an answer in four hours it is rejected. A run that somebody cleared can be approved by nobody: start a
new one.

**The private key** is not on the workers. Put it there for this run, and name its file in `PGTEND_KEY_FILE`.

From a shell the same is `pgtend restore <database>`, which works without Airflow too.

**When it fails:** the task log ends with a HINT that names what to do. It is never tried again by itself; what was not
finished never has the name that people look for.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.approval import approved_restore
from pgtend_airflow.pipelines import BACKUP_CHOICE, IN_PLACE, TARGET, Pipeline, restore_timing

PIPELINE = Pipeline(name="restore", page=__doc__ or "")


@task
def look(name: str) -> None:
    """Say which backup that is."""
    from pgtend_airflow.restoring import show_backup

    show_backup(name)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, restore_timing(), (BACKUP_CHOICE, TARGET, IN_PLACE)):
        look(database.name) >> approved_restore(database.name)
