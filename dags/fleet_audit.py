"""
# The audit, verified and anchored

Everything pgtend does is written down twice, the intent before and the outcome after, in a chain in which each entry
carries the hash of the one before. Once a day this computes the whole chain anew, compares it with every head that was
anchored in the vault on an earlier day, and anchors today's head there. An anchor is never replaced, so whoever
rewrites the ledger would have to rewrite the vault as well.

Then every receipt of a drill is read again: its signature, its place in the chain, its copy, and what the audit
remembers of it, so that a receipt that was changed or removed is found within a day, even the newest.

When all of it holds, whole months of runs and evidence that are older than `ledger.keep` of the fleet file are
forgotten. The audit itself is kept for ever.

**When it fails** with *broken evidence*, entries were changed, removed or put in another order after they were written.
Keep the ledger and the vault as they are and follow `docs/runbooks/audit-chain-broken.md`, or for receipts
`docs/runbooks/receipt-chain-broken.md`. Any other failure is told in the task log, which ends with a HINT.
"""

from __future__ import annotations

from airflow.sdk import task

from pgtend.fleet.schedules import AUDIT
from pgtend_airflow.pipelines import Pipeline, fleet_timing

PIPELINE = Pipeline(name="audit", page=__doc__ or "")


@task
def verify_and_anchor() -> None:
    """Compute the chain anew, compare it with the anchors, and anchor its head."""
    from pgtend_airflow.desk import tending_fleet
    from pgtend_airflow.work import anchor_the_audit

    with tending_fleet(PIPELINE.name) as desk:
        anchor_the_audit(desk)


@task
def verify_receipts() -> None:
    """Read every receipt again, and miss those that were removed."""
    from pgtend_airflow.desk import tending_fleet
    from pgtend_airflow.work import verify_all_receipts

    with tending_fleet(PIPELINE.name) as desk:
        verify_all_receipts(desk)


@task
def forget_old_runs() -> None:
    """Forget the months that the fleet file no longer asks to keep."""
    from pgtend_airflow.desk import tending_fleet
    from pgtend_airflow.work import forget_old_months

    with tending_fleet(PIPELINE.name) as desk:
        forget_old_months(desk)


for fleet in PIPELINE.fleets():
    with PIPELINE.dag("fleet", fleet.owner, fleet_timing(fleet, AUDIT)):
        verify_and_anchor() >> verify_receipts() >> forget_old_runs()
