"""
# A backup that was restored and compared

A backup is *proven* when a drill restored it and found everything as it was at the moment of the backup. This takes one
backup of the database out of the vault, restores it on the worker between walls behind which nothing can be reached,
compares every table, runs the application's own questions, and signs what that proves. Production is not touched.

| stage, a group in the log | what happens |
|---|---|
| provision, isolate | a server of the same version starts, and tries to reach canaries outside: it must not |
| fetch, globals, pre-data, data, post-data | the backup is read, judged, and restored by a role without rights |
| verify data, pages, owners, structure | rows, fingerprints, sequences, objects, rights and the schema are compared |
| smoke | the fleet file's questions are asked, as the application's own role |
| second generation, negative control | every quarter: the copy is backed up; a damaged copy must be found |
| wipe | the server is killed, its folder removed |

**Which backup** is asked every week: the one whose rule is most overdue, the newest, a random one of the last 30 days,
the oldest, the copy in a second vault, or the newest opened by the key in escrow.

**The receipt:** the task's *Receipt* button opens what the drill proved as a signed page, also of a drill that failed.

**By hand:** *Trigger* opens a form: a rule or one backup, how long the copy stays, and who is told.
From a shell the same is `pgtend drill <database>`; `pgtend drills` says what is overdue.

**The private key** comes from the connection that `drill.key_connection` names, or the file in `PGTEND_KEY_FILE`.

**When it fails** somebody is paged with the class of the failure, which says what has to be mended: the backup,
production, the worker, or the time it takes. The message says what is still safe. The backup is marked BROKEN when it
is the backup, and retention keeps everything until another one is proven.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.links import ReceiptLink
from pgtend_airflow.pipelines import DRILL_FORM, Pipeline, drill_timing

PIPELINE = Pipeline(name="restore_drill", page=__doc__ or "")


@task
def drill(name: str) -> str:
    """Restore a backup, compare everything, record and sign what that proves; give the id of the receipt."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.drills import drill_one

    with tending(name, PIPELINE.name) as desk:
        return drill_one(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, drill_timing(database), DRILL_FORM):
        drill(database.name).operator.operator_extra_links = (ReceiptLink(),)
