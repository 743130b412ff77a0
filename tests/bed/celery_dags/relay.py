"""Several tasks that take a while and say which worker ran them: what the story of the Celery workers watches."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from airflow.sdk import dag, task


@dag(schedule=None, default_args={"retries": 3, "retry_delay": timedelta(seconds=1)})
def relay() -> None:
    """Run six tasks at once, as far as there are hands."""

    @task
    def carry(leg: int) -> None:
        """Note the worker and take a while."""
        with open(os.environ["RELAY_NOTES"], "a", encoding="utf-8") as notes:  # noqa: PTH123 - one line, one write
            notes.write(f"{os.environ['RELAY_WORKER']} {leg}\n")
        time.sleep(3)

    carry.expand(leg=list(range(6)))


relay()
