"""
# Health

Every five minutes this looks at the database with about fifteen short questions, none of which reads a table of yours:
connections and pools, waits for locks, transactions that stay open, dead rows, wraparound, replication and its slots,
archiving, sizes, sequences near their end, invalid indexes, unsafe settings. Sizes and tables are asked for once an
hour. Each number is judged by its limits, and people are told once when something gets bad, once when it gets worse,
and once when it is over: never every five minutes.

What could not be read is *unknown* and says why; it is never taken for fine.

**By hand:** *Trigger* looks now. From a shell the same is `pgtend health <database>`.

**When it fails,** the database did not answer, or the ledger that remembers its numbers: the task log ends with a HINT
that names the runbook. A bad number is no failure of this pipeline: it is a message, and a colour on the page.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, health_timing

PIPELINE = Pipeline(name="health", page=__doc__ or "")


@task
def look(name: str) -> None:
    """Look at the database, tell people what changed, keep the numbers."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.watching import look_after

    with tending(name, PIPELINE.name) as desk:
        look_after(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, health_timing(database)):
        look(database.name)
