"""What the ledger remembers of advice: what waits for a copy, and what a copy proved or refuted in the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from pgtend.indexes.advice_model import Advice, Candidate, Proof, Status
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Ledger
from pgtend.sqlfiles import query

Change: TypeAlias = tuple[str, str, str]
# As long as the statements that advice is made from are looked back on; then a copy has to prove it anew.
_COUNTS_FOR = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedAdvice:
    """What was said last about a change of indexes."""

    schema_name: str
    index_name: str
    up_sql: str
    status: str
    priority: str
    why: str
    gain: float | None
    worst_harm: float | None
    write_cost: float | None
    size: int | None
    took_to_build: timedelta | None
    delivered_as: str

    @property
    def proof(self) -> Proof | None:
        """What was measured; what its readers would save is part of the priority and is not kept."""
        if self.gain is None or self.size is None:
            return None
        return Proof(
            gain=self.gain,
            worst_harm=self.worst_harm or 0.0,
            write_cost=self.write_cost or 0.0,
            saved=0.0,
            size=self.size,
            took_to_build=self.took_to_build or timedelta(),
        )


READ_NOTED_ADVICE = query(__package__ or "", "read_noted_advice", NotedAdvice)


@dataclass(frozen=True, slots=True)
class AdviceMemory:
    """What was said last about every change of indexes of a database."""

    noted: Mapping[Change, NotedAdvice]

    def waits(self, candidate: Candidate) -> bool:
        """Tell whether a change was found and has not been tried on a copy."""
        known = self.noted.get(_key(candidate))
        return known is not None and known.status == Status.CANDIDATE

    @property
    def waiting(self) -> int:
        """How many changes wait for a copy."""
        return sum(one.status == Status.CANDIDATE for one in self.noted.values())

    def judged(self, candidate: Candidate) -> Advice | None:
        """Give the verdict that a copy brought; None when none did."""
        known = self.noted.get(_key(candidate))
        if known is None or known.status == Status.CANDIDATE:
            return None
        return Advice(
            candidate=candidate,
            status=Status(known.status),
            priority=known.priority,
            why=known.why,
            proof=known.proof,
        )

    def delivered_as(self, candidate: Candidate) -> str:
        """Tell where the pair of SQL files was written when it was proved."""
        known = self.noted.get(_key(candidate))
        return known.delivered_as if known else ""


def recall_advice(ledger: Ledger, database: str) -> AdviceMemory:
    """Ask the ledger what was said; a ledger in a folder remembers nothing that can be asked."""
    if not isinstance(ledger, DatabaseLedger):
        return AdviceMemory({})
    asked = {"database": database, "span": _COUNTS_FOR}
    rows = ledger.reach(lambda session: session.rows(READ_NOTED_ADVICE, asked))
    return AdviceMemory({(row.schema_name, row.index_name, row.up_sql): row for row in rows})


def _key(candidate: Candidate) -> Change:
    return candidate.schema, candidate.name, candidate.up
