"""Lets old backups go on schedule: each is written down before it is removed, and the catalogue is renewed after."""

from __future__ import annotations

from collections.abc import Sequence

from pgtend.backup.expiry import Expired, expire
from pgtend.backup.listing import Place, record_listing
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.model import Ledger, Subject

PIPELINE = "retention"
CATALOGUE = "catalogue"


def tidy_vaults(
    places: Sequence[Place], ledger: Ledger, subject: Subject, progress: Progress, *, clock: Clock = utc_now
) -> tuple[Expired, ...]:
    """Remove from every vault what its rules let go of, and write into the ledger what is left."""
    tidied: list[Expired] = []
    with ledger.run(subject) as run:
        for place in places:

            def intend(backup_id: str, vault: str = place.name) -> None:
                ledger.audit(
                    actor=subject.actor,
                    action="backup.removing",
                    target=subject.target,
                    detail={"run": run.run_id, "vault": vault, "backup": backup_id},
                )

            done = expire(place.holding, progress, intend=intend, clock=clock)
            record_listing(run, place, clock=clock)
            tidied.append(done)
    return tuple(tidied)


def list_vaults(
    places: Sequence[Place], ledger: Ledger, subject: Subject, progress: Progress, *, clock: Clock = utc_now
) -> None:
    """Write into the ledger what every vault holds, and remove nothing."""
    with ledger.run(subject) as run:
        for place in places:
            found = record_listing(run, place, clock=clock)
            progress(f"{subject.database}: {found.place} holds {counted(len(found.entries), 'backup')}")
