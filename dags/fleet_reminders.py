"""
# Reminders of what is still broken

A failure is told once when it happens and once when it is over. What stays broken in between is told again every
`alerts.remind_every` of the fleet file, a day by default, by this: it looks once an hour which reminders are due. It
also sends what could not be sent before, because every channel refused it.

**When it fails,** no channel took a message, or the ledger that remembers what is open does not answer: the task log
ends with a HINT.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, fleet_timing

PIPELINE = Pipeline(name="reminders", page=__doc__ or "")


@task
def remind() -> None:
    """Send every reminder that is due."""
    from pgtend_airflow.alerts.events import send_due_reminders
    from pgtend_airflow.cancellation import cancellable

    with cancellable():
        send_due_reminders()


for fleet in PIPELINE.fleets():
    with PIPELINE.dag("fleet", fleet.owner, fleet_timing(fleet, "5 * * * *")):
        remind()
