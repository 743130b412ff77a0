"""The archive as tasks start it. Imported inside tasks only: it brings psycopg along."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial

from pgtend.archive.job import ArchiveSite, Wishes, archive_database
from pgtend.archive.plan import ArchivePlan, plan_archive, reading_session
from pgtend.kernel.times import utc_now
from pgtend.vault.model import Vault
from pgtend.vault.open import open_vault
from pgtend_airflow.approval import NotApproved
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk, tending, usable_fleet
from pgtend_airflow.pipelines import DRY_RUN, OUTSIDE_WINDOW

PIPELINE = "archive"


def show_archive_plan(desk: Desk) -> None:
    """Say what would leave; what is refused is raised by the task that would have to do it."""
    for line in _look(desk).lines():
        desk.progress(line)


def archive_approved(desk: Desk) -> None:
    """Archive by approved rules; the others wait for the task behind this one."""
    _work(desk, Wishes(ignore_window=bool(desk.form[OUTSIDE_WINDOW])))


def waits_for_approval(name: str) -> Mapping[str, str]:
    """Name the tables whose rule nobody approved yet, with its digest; none in a dry run, which asks nobody."""
    with tending(name, PIPELINE) as desk:
        if desk.form[DRY_RUN]:
            return {}
        return _unapproved(desk)


def archive_first_time(name: str, approver: str, shown: Mapping[str, str]) -> None:
    """Do the first run of the rules that a person has just approved, or refuse where one changed since it was shown."""
    with tending(name, PIPELINE) as desk:
        unapproved = _unapproved(desk)
        others = [table for table, rule in unapproved.items() if shown.get(table) != rule]
        if others:
            raise NotApproved(
                f"this was not approved: {', '.join(others)} got another rule since it was asked",
                detail="Whoever answered saw the plan of other rules. Nothing was changed.",
                hint="Start it again, and read the log of the task `plan`.",
            )
        desk.ledger.audit(
            actor=f"airflow:{approver}",
            action="archive.approved",
            target=desk.subject.target,
            detail={"tables": ", ".join(unapproved)},
        )
        # The answer may come while the window is closed, or while the other task still works; whoever gave it knows.
        patience = desk.database.archive.time_budget
        wishes = Wishes(approved_by=f"airflow:{approver}", only_unapproved=True, ignore_window=True, patience=patience)
        _work(desk, wishes)


def _unapproved(desk: Desk) -> Mapping[str, str]:
    return {str(table.names): table.digest for table in _look(desk).unapproved}


def _look(desk: Desk) -> ArchivePlan:
    name, limits = desk.database.name, desk.database.limits
    with reading_session(desk.address, limits, application=f"pgtend:plan:{name}") as session:
        return plan_archive(session, desk.database, utc_now())


def _work(desk: Desk, wishes: Wishes) -> None:
    site = ArchiveSite(
        fleet=usable_fleet(), database=desk.database, address=desk.address, vault=partial(_vault_of, desk)
    )
    archive_database(site, desk.ledger, desk.subject, desk.progress, wishes=wishes)


@contextmanager
def _vault_of(desk: Desk) -> Generator[Vault]:
    connections = AirflowConnections()
    settings = connections.completed(usable_fleet().vaults[desk.database.vault])
    with open_vault(settings, connections.aws_session) as vault:
        yield vault
