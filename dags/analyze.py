"""
# Fresh statistics

The planner of PostgreSQL chooses by statistics, and stale ones make it choose badly. Every night, inside the
database's window, this looks at each table, decides with a reason whether it needs `ANALYZE`, runs it where it does,
and proves from the server's own counters that it happened.

| task | what it does |
|---|---|
| `plan` | lists every decision with its reason in its log, and changes nothing |
| `analyze` | decides again on what is true by then, acts, and records the evidence in the ledger |

**By hand:** *Trigger* opens a form: some tables only, now although the window is closed, or only saying
what would be done.
From a shell the same is `pgtend plan analyze <database>` and `pgtend analyze <database>`.

**When it fails:** the task log ends with a HINT that names the runbook to follow. Outages are tried again by
themselves; a wrong setting, a missing right or a safety rule that said no wait for a person. Running it again is always
harmless.

**When it is late** people are told, once; a run that hangs is ended, and its query in the server with it.
"""

from __future__ import annotations

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from pgtend_airflow.pipelines import DRY_RUN, OUTSIDE_WINDOW, TABLES, Pipeline, analyze_timing

PIPELINE = Pipeline(name="analyze", page=__doc__ or "")


@task
def plan(name: str) -> None:
    """Say for every table what would be done and why."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.work import show_analyze_plan

    with tending(name, PIPELINE.name) as desk:
        show_analyze_plan(desk)


@task
def analyze(name: str) -> None:
    """Renew the statistics that need it, prove it, record it."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.work import renew_statistics

    with tending(name, PIPELINE.name) as desk:
        if desk.form[DRY_RUN]:
            raise AirflowSkipException("a dry run: nothing was changed")
        renew_statistics(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, analyze_timing(database), (TABLES, OUTSIDE_WINDOW, DRY_RUN)):
        plan(database.name) >> analyze(database.name)
