"""
# Advice on indexes, and whether the ones there are hold

Every week this reads which indexes the dearest statements lack, which foreign keys have none, and which indexes are
double, covered by a longer one, or used by no server for weeks. Nothing is created or dropped.

| task | what it does |
|---|---|
| `advise` | looks at the statements' plans and the catalogue, and writes down every candidate with its reason |
| `check` | reads the structure of every B-tree with amcheck, where it is installed, and names invalid indexes |

**A candidate is no recommendation.** It becomes one when it was proved on a restored copy: built there, the statements
measured with and without it, what writers pay counted. The next restore drill does that, or `pgtend advise <database>
--copy SERVICE` from a shell. What is proved is written as a pair of SQL files for people to review.

**When it fails:** the task log ends with a HINT that names the runbook to follow. A damaged index pages somebody at
once: queries that use it may give wrong answers.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, index_advice_timing

PIPELINE = Pipeline(name="index_advice", page=__doc__ or "")


@task
def advise(name: str) -> None:
    """Find what could be better, and write it down."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.indexing import note_advice

    with tending(name, PIPELINE.name) as desk:
        note_advice(desk)


@task
def check(name: str) -> None:
    """Verify the structure of the indexes."""
    from pgtend_airflow.desk import tending
    from pgtend_airflow.indexing import verify_indexes

    with tending(name, PIPELINE.name) as desk:
        verify_indexes(desk)


for database in PIPELINE.databases():
    with PIPELINE.dag(database.name, database.owner, index_advice_timing(database)):
        advise(database.name)
        if database.indexes.check:
            check(database.name)
