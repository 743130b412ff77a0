"""
# The weekly report

Every Monday morning this writes how the fleet stands and where it is going: a page for each database and one for all of
them, made from the ledger alone, so that no database is asked anything. What needs somebody comes first; then what
changed, what the statements cost and which got worse, health with the days until a limit is met, tables and
connections, backups, and the work of every pipeline.

A page is one file that needs no network: it can be mailed, printed, and read on a phone or in the dark. Beside each lie
the same facts as JSON, and every table as CSV. All of them are kept in the vaults under `reports/`, and the page of the
fleet goes to its channels, together with the pages of what is not fine.

**By hand:** *Trigger* makes one now. From a shell the same is `pgtend report --to <folder>`.

**When it fails,** the ledger or a vault did not answer, or no channel took the message: the task log ends with a HINT.
A report that says bad things is no failure.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend_airflow.pipelines import Pipeline, fleet_timing

PIPELINE = Pipeline(name="report", page=__doc__ or "")


@task
def report() -> dict[str, str]:
    """Write every page into its vault, and send the one of the fleet; give the keys of the pages."""
    from pgtend_airflow.desk import tending_fleet
    from pgtend_airflow.reporting import report_on_fleet

    with tending_fleet(PIPELINE.name) as desk:
        return report_on_fleet(desk)


for fleet in PIPELINE.fleets():
    with PIPELINE.dag("fleet", fleet.owner, fleet_timing(fleet, "0 7 * * 1")):
        report()
