"""What came of it, index by index, in words for people and in rows for the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pgtend.indexes.errors import GaveWay, GivenUp, NotNow, PlansWorse, WaitedTooLong
from pgtend.indexes.facts import RECORD_INDEX_REBUILD
from pgtend.indexes.model import Decision, Method
from pgtend.indexes.plan import RebuildPlan
from pgtend.kernel.errors import PgtendError, together
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.ledger.model import Run

# The table goes on growing while its index is rebuilt: a little is no verdict.
_MOST_COST = 1.10
_PATIENT = (GaveWay, WaitedTooLong, NotNow, GivenUp)


class Outcome(StrEnum):
    """What came of the decision about an index. Kept and shown as written."""

    PROVED = "proved"
    SKIPPED = "skipped"
    POSTPONED = "postponed"
    GONE = "dropped meanwhile"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of one index."""

    decision: Decision
    outcome: Outcome
    took: timedelta | None = None
    wal: int | None = None
    size_before: int | None = None
    size_after: int | None = None
    cost_before: float | None = None
    cost_after: float | None = None
    yielded: int = 0
    error: PgtendError | None = None
    leftover: PgtendError | None = None
    """Why something that the rebuild left behind had to stay."""

    @property
    def name(self) -> str:
        """The index's name with its schema."""
        return self.decision.name

    @property
    def may_succeed_later(self) -> bool:
        """Whether only the moment was wrong."""
        return isinstance(self.error, _PATIENT)

    @property
    def gained(self) -> int:
        """The bytes won back."""
        return (self.size_before or 0) - (self.size_after or 0) if self.size_after is not None else 0

    @property
    def missed_by(self) -> float | None:
        """How much larger than predicted it became, as a share of the prediction."""
        estimate = self.decision.index.estimate
        if self.size_after is None or estimate is None:
            return None
        return self.size_after / max(estimate.size, 1) - 1

    @property
    def harm(self) -> PgtendError | None:
        """What to say when the planner thinks that the statements of its table cost more than before."""
        if not self.cost_before or self.cost_after is None or self.cost_after <= self.cost_before * _MOST_COST:
            return None
        return PlansWorse(
            f"after the rebuild of {self.name} the statements of its table look dearer to the planner",
            detail=f"Their plans cost {self.cost_before:,.0f} before and {self.cost_after:,.0f} now, together.",
            hint=f"Run ANALYZE on {self.decision.index.facts.full_table} and look at `pgtend statements`; see "
            "docs/runbooks/index-plans-worse.md.",
        )

    def __str__(self) -> str:
        took = f" in {say_span(self.took)}" if self.took is not None else ""
        if self.error is not None:
            return f"{self.name} {self.outcome}{took}: {self.error.message}"
        sizes = f": {Bytes(self.size_before or 0)} -> {Bytes(self.size_after)}" if self.size_after is not None else ""
        return f"{self.name} {self.outcome}{took}{sizes or f': {self.decision.reason}'}{self._said_costs}"

    @property
    def _said_costs(self) -> str:
        if not self.cost_before or self.cost_after is None:
            return ""
        return f", its table's statements cost {self.cost_after / self.cost_before:.2f} times as much as before"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRebuild:
    """A row of evidence about one index."""

    database: str
    schema_name: str
    table_name: str
    index_name: str
    definition: str
    decision: str
    reason: str
    outcome: str
    method: str
    size_before: int
    size_predicted: int | None
    size_after: int | None
    rows: int
    table_size: int
    seconds_predicted: float | None
    took: timedelta | None
    wal: int | None
    yielded: int
    cost_before: float | None
    cost_after: float | None
    error_code: str


def evidence(database: str, result: Rebuilt) -> IndexRebuild:
    """Write down one result for the ledger."""
    decision, facts = result.decision, result.decision.index.facts
    estimate = decision.index.estimate
    return IndexRebuild(
        database=database,
        schema_name=facts.schema,
        table_name=facts.table_name,
        index_name=facts.name,
        definition=facts.definition,
        decision="rebuild" if decision.rebuild else "skip",
        reason=decision.reason.value,
        outcome=result.outcome.value,
        method=(estimate.method if estimate else Method.NONE).value,
        size_before=result.size_before if result.size_before is not None else facts.size,
        size_predicted=estimate.size if estimate else None,
        size_after=result.size_after,
        rows=facts.rows,
        table_size=facts.table_size,
        seconds_predicted=decision.price.took.total_seconds() if decision.price else None,
        took=result.took,
        wal=result.wal,
        yielded=result.yielded,
        cost_before=result.cost_before,
        cost_after=result.cost_after,
        error_code=result.error.code if result.error else "",
    )


def record(run: Run, database: str, results: Sequence[Rebuilt]) -> None:
    """Keep results in the ledger."""
    if results:
        run.add(RECORD_INDEX_REBUILD, [evidence(database, result) for result in results])


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What was decided and what came of it, for a whole database."""

    plan: RebuildPlan
    results: tuple[Rebuilt, ...]
    cleared: tuple[str, ...]
    stays: tuple[tuple[str, PgtendError], ...] = ()
    """Leftovers that could not be removed by the end of the run, and why."""
    took: timedelta
    run_id: str = ""

    def ended(self, outcome: Outcome) -> tuple[Rebuilt, ...]:
        """List the results that ended so."""
        return tuple(result for result in self.results if result.outcome is outcome)

    @property
    def gained(self) -> Bytes:
        """The bytes won back."""
        return Bytes(sum(result.gained for result in self.results))

    def __str__(self) -> str:
        amounts = ((len(self.ended(outcome)), outcome) for outcome in Outcome)
        said = ", ".join(f"{amount:,} {outcome}" for amount, outcome in amounts if amount)
        cleared = f", {counted(len(self.cleared), 'leftover')} removed" if self.cleared else ""
        return f"{said or 'no indexes'}{cleared}, {self.gained} won back in {say_span(self.took)}"

    def raise_if_incomplete(self) -> None:
        """Raise the worst of what went wrong, naming all of it; what only was not the moment is no failure."""
        failed = [(r.name, r.error) for r in self.results if r.error is not None and not r.may_succeed_later]
        failed += [(r.name, harm) for r in self.results if (harm := r.harm) is not None]
        failed += self.stays
        if failed:
            raise together(failed, "indexes could not be rebuilt")
