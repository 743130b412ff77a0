"""The night of a database's statements as a task starts it."""

from __future__ import annotations

from pgtend.statements.job import PIPELINE, keep_of, tend_statements
from pgtend_airflow.alerts.judging import tell_regressions
from pgtend_airflow.alerts.telling import Origin
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk, moment_of_run, usable_fleet


def read_one(desk: Desk) -> None:
    """Read the night of the database on the desk and of its replicas, judge it, and tell people what is news."""
    book, fleet = AirflowConnections(), usable_fleet()
    replicas = {name: book.find(one.connection) for name, one in desk.database.statements.replicas.items()}
    report = tend_statements(
        desk.database,
        desk.address,
        desk.ledger,
        desk.subject,
        desk.progress,
        replicas=replicas,
        moment=moment_of_run(),
        keep=keep_of(fleet),
    )
    for verdict in report.verdicts:
        tell_regressions(fleet, Origin(desk.database.name, PIPELINE, desk.subject.run_url), verdict)
