"""
# The audit, verified and anchored

Everything pgtend does is written down twice, the intent before and the outcome after, in a chain in which each entry
carries the hash of the one before. Once a day this computes the whole chain anew, compares it with every head that was
anchored in the vault on an earlier day, and anchors today's head there. An anchor is never replaced, so whoever
rewrites the ledger would have to rewrite the vault as well.

When all of it holds, whole months of runs and evidence that are older than `ledger.keep` of the fleet file are
forgotten. The audit itself is kept for ever.

**When it fails** with *broken evidence*, entries were changed, removed or put in another order after they were written.
Keep the ledger as it is and follow `docs/runbooks/audit-chain-broken.md`. Any other failure is told in the task log,
which ends with a HINT.
"""

from __future__ import annotations

from airflow.sdk import task

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
def forget_old_runs() -> None:
    """Forget the months that the fleet file no longer asks to keep."""
    from pgtend_airflow.desk import tending_fleet
    from pgtend_airflow.work import forget_old_months

    with tending_fleet(PIPELINE.name) as desk:
        forget_old_months(desk)


for fleet in PIPELINE.fleets():
    with PIPELINE.dag("fleet", fleet.owner, fleet_timing(fleet, "0 6 * * *")):
        verify_and_anchor() >> forget_old_runs()
