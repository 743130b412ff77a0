"""
# How large and how much used each index is

Every night this asks each server of the database, standbys included, for the size and the use of every index: one
question a server, well under a second for 20,000 indexes. The ledger keeps the differences by the index's name, so that
they survive a rebuild, a restart and a failover; on their own the server's counters survive none of them on a standby.

| task | what it does |
|---|---|
| `note` | looks at every index on every server, and writes down what changed since the last look |

**What it is for:** an index counts as unused only when no server used it for weeks that were watched without a gap;
rebuilds come in the order of bytes won and use; and how an index grows after a rebuild shows what rebuilding is worth.

**When it fails:** the task log ends with a HINT that names the runbook to follow. A night that is missed makes the
history of every index begin anew after three days, which only means that advice to drop one comes later.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, index_usage_timing

PIPELINE = Pipeline(name="index_usage", page=__doc__ or "")


@task
def note(name: str) -> None:
    """Write down size and use of every index on every server."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.indexing import note_index_usage

    with tending(name, PIPELINE.name) as desk:
        note_index_usage(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, index_usage_timing(database)):
        note(database.name)
