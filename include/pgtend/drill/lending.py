"""Lends the copy of a drill to the care of indexes: what is proved there is advice, and no verdict about the backup."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pgtend.backup.states import BackupState
from pgtend.drill.job import OnCopy, Vaults
from pgtend.drill.model import DrillOutcome
from pgtend.fleet.model import Database
from pgtend.indexes.on_copy import Lent, build_as_in_production, check_thoroughly, prove_noted_advice
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.sandbox import IsolationLevel
from pgtend.postgres.session import Session


def index_work(
    database: Database, vaults: Vaults, ledger: Ledger, subject: Subject, progress: Progress
) -> tuple[OnCopy, ...]:
    """Say what the care of indexes does with a copy, as the database's rules have it."""

    def on_copy(work: Callable[[Lent], object]) -> OnCopy:
        def use(session: Session, outcome: DrillOutcome) -> None:
            if is_fit(outcome):
                work(
                    Lent(
                        session=session,
                        database=database,
                        ledger=ledger,
                        subject=subject,
                        progress=progress,
                        vault=partial(vaults, database.vault),
                    )
                )

        return use

    rules = database.indexes
    checking = (check_thoroughly,) if rules.check else ()
    return tuple(map(on_copy, (*checking, build_as_in_production, prove_noted_advice))) if rules.enabled else ()


def is_fit(outcome: DrillOutcome) -> bool:
    """Tell whether a copy may be used: it is the database, and what runs there as superuser reaches nothing."""
    return outcome.state is BackupState.PROVEN and outcome.isolation.level > IsolationLevel.ACCOUNT
