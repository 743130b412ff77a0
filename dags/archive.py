"""
# Old rows leave, and nothing is lost

Once a week this looks at the tables that have an archive rule, moves what is old into monthly partitions beside them,
seals each month against a ledger of what was moved, and, where the rule says so, brings it to the vault and proves it.

| task | what it does |
|---|---|
| `plan` | counts what is old, month by month, says what it would cost and what stands in the way, and changes nothing |
| `archive` | moves, seals, stores and lets go by the rules that a person approved |
| `approve_first_run` | where a rule is new or changed: waits for a person, and then does the first run itself |

A rule may also say that its table becomes partitioned once (`mode: convert`), or that sealed months are packed.

Any task may be killed at any moment: a row is either in its table or in the archive, and the next run goes on. Batches
are short, give way to whoever waits, and pause while replicas or the archiver are behind.

**The first run of a rule** waits in *Required Actions*: read the log of `plan`, then type the name of the database.
Marking the task as successful archives nothing. Without an answer in three days it is rejected, and asked again.

**By hand:** *Trigger* opens a form. From a shell: `pgtend archive plan <database>`, `pgtend archive run <database>`;
`pgtend archive status` shows every month, `pgtend archive restore` brings one back, `pgtend archive hold` keeps one.

**When it fails:** the task log ends with a HINT that names the runbook to follow. A table that may not be archived does
not keep the others from it; all reasons are listed at once, each with what would cure it.
"""

from __future__ import annotations

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from pgtend_airflow.first_runs import approved_first_run
from pgtend_airflow.pipelines import DRY_RUN, OUTSIDE_WINDOW, Pipeline, archive_timing

PIPELINE = Pipeline(name="archive", page=__doc__ or "")


@task
def plan(name: str) -> None:
    """Say what would leave, what it would cost, and what stands in the way."""
    from pgtend_airflow.archiving import show_archive_plan
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        show_archive_plan(desk)


@task
def archive(name: str) -> None:
    """Archive by the rules that a person approved."""
    from pgtend_airflow.archiving import archive_approved
    from pgtend_airflow.desk import tending

    with tending(name, PIPELINE.name) as desk:
        if desk.form[DRY_RUN]:
            raise AirflowSkipException("a dry run: nothing was changed")
        archive_approved(desk)


for database in PIPELINE.databases():
    if not database.archive.tables:
        continue
    with PIPELINE.dag(database.name, database.owner, archive_timing(database), (OUTSIDE_WINDOW, DRY_RUN)):
        plan(database.name) >> [archive(database.name), approved_first_run(database.name)]
