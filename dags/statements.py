"""
# What the statements cost

Every night, when the day is over, this reads what every statement of the database cost since the night before, and
keeps the difference. Nothing is ever reset, so other tools that read `pg_stat_statements` are not disturbed; no literal
of any statement is kept. Then it asks for the plans of the worst, without running them, and judges: what got slower
than it usually is, since when, why, and what happened around that time.

| task | what it does |
|---|---|
| `read` | reads the database and its replicas, keeps plans, judges the night, and says all of it in its log |

**Where to look:** `pgtend top <database>` and `pgtend compare <database>` in a shell, the views `reporting.top`,
`reporting.compare` and `reporting.regressions` in SQL and dashboards. Beside every figure stands how good it is:
resets, evictions, missed nights.

**By hand:** *Trigger* adds what came since to the night, and judges it again; nothing is ever counted twice.
From a shell the same is `pgtend statements <database>`.

**When it fails:** the task log ends with a HINT. What the server lacks is listed all at once, each with the statement
to run. A night that was missed is not lost: its work is in the next one, which says so.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, statements_timing

PIPELINE = Pipeline(name="statements", page=__doc__ or "")


@task
def read(name: str) -> None:
    """Read the night, keep plans, judge."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.statements import read_one

    with tending(name, PIPELINE.name) as desk:
        read_one(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, statements_timing(database)):
        read(database.name)
