"""Airflow imports this in each of its processes before it forks.

Every parse of a file and every task is a fork, which would import the library again; so their parents do it once, and
that is most of what a parse costs. Parents hold modules, no connection: nothing of theirs is shared but memory.
"""

from __future__ import annotations

import sys
from importlib import import_module

PARSING = ("pgtend_airflow.pipelines",)
TASKS = (
    "boto3",
    "pgtend.vault.s3",
    "pgtend_airflow.archiving",
    "pgtend_airflow.backups",
    "pgtend_airflow.drills",
    "pgtend_airflow.indexing",
    "pgtend_airflow.reporting",
    "pgtend_airflow.restoring",
    "pgtend_airflow.statements",
    "pgtend_airflow.watching",
    "pgtend_airflow.work",
)

for name in PARSING + (TASKS if sys.argv[1:2] in (["scheduler"], ["celery"]) else ()):
    import_module(name)
