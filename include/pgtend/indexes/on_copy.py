"""Uses a restored copy while it is up: tries there what was found about indexes, and reads every index thoroughly.

Whoever restored it lends it. The copy is thrown away afterwards, and nothing of it but figures is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from pgtend.backup.facts import PIN_SETTING
from pgtend.fleet.model import Database
from pgtend.indexes.advice_memory import AdviceMemory, recall_advice
from pgtend.indexes.advice_model import Advice, Status
from pgtend.indexes.advice_proof import prove_on_copy
from pgtend.indexes.advice_sources import find_candidates, noted_statements
from pgtend.indexes.advise import deliver, judge_all, record
from pgtend.indexes.checking import CheckReport, check_every_index
from pgtend.indexes.facts import RECORD_INDEX_CHECK
from pgtend.indexes.spread import RECORD_SPREAD_SIZE, Spreader, recall_occupancies
from pgtend.indexes.verify import Depth
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Ledger, Run, Subject
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command
from pgtend.vault.errors import VaultRefused
from pgtend.vault.model import Vault

PIPELINE = "index_proof"
_AMCHECK = "amcheck"
LEND_AMCHECK = command(__package__ or "", "lend_amcheck")
TAKE_AMCHECK_BACK = command(__package__ or "", "take_amcheck_back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A copy of a database that is ours for a while, and on whose behalf."""

    session: Session
    """As superuser of the copy."""
    database: Database
    ledger: Ledger
    subject: Subject
    progress: Progress
    vault: Callable[[], AbstractContextManager[Vault]]
    """Opens the vault in which proved advice is written for review."""

    @property
    def closes_at(self) -> float:
        """When nothing more is begun."""
        return time.monotonic() + self.database.indexes.time_budget.total_seconds()

    def run(self) -> AbstractContextManager[Run]:
        """Write down that the copy is used."""
        return self.ledger.run(replace(self.subject, pipeline=PIPELINE))

    def limit(self) -> None:
        """Let no statement take longer than it might in production."""
        longest = int(self.database.limits.statement_timeout.total_seconds() * 1000)
        self.session.row(PIN_SETTING, {"name": "statement_timeout", "value": f"{longest}ms"})


def prove_noted_advice(lent: Lent) -> tuple[Advice, ...]:
    """Try on the copy what the ledger holds as not proved yet, and write down what came of it; else do nothing."""
    memory = recall_advice(lent.ledger, lent.database.name)
    if not memory.waiting:
        return ()
    lent.limit()
    with lent.run() as run:
        advices = _tried(lent, memory)
        lent.progress(
            f"of {counted(memory.waiting, 'candidate')} for indexes {len(advices)} could be tried on the copy"
        )
        record(run, lent.database.name, advices, _delivered(lent, advices, run.run_id))
    return advices


def check_thoroughly(lent: Lent) -> CheckReport:
    """Hold every B-tree of the copy against every row of its table, as many as the time allows."""
    lent.limit()
    with lent.run() as run:
        with _amcheck(lent.session):
            report = check_every_index(lent.session, lent.database.name, Depth.ON_COPY, lent.closes_at)
        run.add(RECORD_INDEX_CHECK, report.checks)
        lent.progress(f"indexes of the copy, held against every row: {report}")
        report.raise_if_not_sound()
    return report


def build_as_in_production(lent: Lent) -> None:
    """Build inverted indexes on rows spread as production noted them; where it noted nothing, do nothing."""
    noted = recall_occupancies(lent.ledger, lent.database.name)
    if not noted:
        return
    with lent.run() as run:
        spreader = Spreader(
            session=lent.session, rules=lent.database.indexes, closes_at=lent.closes_at, progress=lent.progress
        )
        for size in spreader.sizes(noted):
            run.add(RECORD_SPREAD_SIZE, [size])


def _tried(lent: Lent, memory: AdviceMemory) -> tuple[Advice, ...]:
    # What a candidate would help is found anew: the copy has the same tables, and the ledger the same statements.
    statements = noted_statements(lent.ledger, lent.database)
    found = find_candidates(lent.session, statements, lent.ledger, lent.database)
    waiting = tuple(candidate for candidate in found if memory.waits(candidate))
    proofs = prove_on_copy(lent.session, waiting, statements, lent.progress, closes_at=lent.closes_at)
    tried = tuple(candidate for candidate in waiting if candidate.name in proofs)
    return judge_all(lent.database, tried, proofs)


def _delivered(lent: Lent, advices: Sequence[Advice], run_id: str) -> dict[str, str]:
    proved = [advice for advice in advices if advice.status is Status.ADVISED]
    if not proved:
        return {}
    try:
        with lent.vault() as vault:
            return {one.candidate.name: deliver(one, lent.database.name, run_id, vault=vault) for one in proved}
    except VaultRefused:
        lent.progress("these credentials may only read the vault: the ledger alone has the SQL of what was proved")
        return {}


@contextmanager
def _amcheck(session: Session) -> Generator[None]:
    """Let the copy have the extension for a while, where the host has it."""
    if _AMCHECK in session.facts.extensions:
        yield
        return
    session.run(LEND_AMCHECK)
    session.look_again()
    try:
        yield
    finally:
        session.run(TAKE_AMCHECK_BACK)
        session.look_again()
