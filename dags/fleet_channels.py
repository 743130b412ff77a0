"""
# Every alert channel, tried

On the first day of each month this says hello through every channel of the fleet file, whatever class of alerts it
wants otherwise: mail, chat, pager. The message says that it is a test. Which channels took it is in the audit.

A channel that nobody used for half a year may have lost its token, its room or its reader. The people who get this
message know that the channel works; **its absence is the signal** for all others.

**By hand:** *Trigger* says hello now, for example after a channel was set up. From a shell `pgtend watchdog --once`
tries every channel without sending anything.

**When it fails,** a channel did not take the message: the task log says which, and ends with a HINT that names the
runbook. The others are told.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, fleet_timing

PIPELINE = Pipeline(name="channels", page=__doc__ or "")


@task
def hello() -> None:
    """Send a test message through each channel."""
    from pgtend_airflow.alerts.hello import say_hello
    from pgtend_airflow.desk import tending_fleet

    with tending_fleet(PIPELINE.name) as desk:
        say_hello(desk.fleet, desk.ledger, desk.subject)


for fleet in PIPELINE.fleets():
    with PIPELINE.dag("fleet", fleet.owner, fleet_timing(fleet, "0 9 1 * *")):
        hello()
