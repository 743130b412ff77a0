"""
# Rebuild bloated indexes

Every week, inside the database's window, this finds out how large each index would be if it was new, and rebuilds those
that are much larger: most worthwhile first, one at a time, with `REINDEX INDEX CONCURRENTLY`, while everybody goes on
reading and writing. It starts none that would not end inside the window.

| task | what it does |
|---|---|
| `plan` | lists every decision with its reason, the predicted time and WAL, in its log, and changes nothing |
| `rebuild` | decides again on what is true by then, rebuilds, proves each index, records the evidence |

**The application goes first.** A second connection watches each rebuild: as soon as anybody begins to wait for it, it
is given up and tried again later. What an unfinished rebuild leaves behind is removed.

**By hand:** *Trigger* opens a form: some indexes only, whatever their size, now although the window is closed, or only
saying what would be done.
From a shell the same is `pgtend plan reindex <database>` and `pgtend reindex <database>`.

**When it fails:** the task log ends with a HINT that names the runbook to follow. An index whose moment was wrong is no
failure: it is `postponed`, and the next run tries again. Running it again is always harmless.
"""

from __future__ import annotations

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from pgtend_airflow.pipelines import DRY_RUN, INDEXES, INSISTS, OUTSIDE_WINDOW, Pipeline, reindex_timing

PIPELINE = Pipeline(name="reindex", page=__doc__ or "")


@task
def plan(name: str) -> None:
    """Say for every index what would be done, why, and at what price."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.indexing import show_rebuild_plan

    with tending(name, PIPELINE.name) as desk:
        show_rebuild_plan(desk)


@task
def rebuild(name: str) -> None:
    """Rebuild what is worth it, prove it, record it."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.indexing import rebuild_indexes

    with tending(name, PIPELINE.name) as desk:
        if desk.form[DRY_RUN]:
            raise AirflowSkipException("a dry run: nothing was changed")
        rebuild_indexes(desk)


for database in PIPELINE.databases():
    fields = (INDEXES, INSISTS, OUTSIDE_WINDOW, DRY_RUN)
    with PIPELINE.dag(database.name, database.owner, reindex_timing(database), fields):
        plan(database.name) >> rebuild(database.name)
