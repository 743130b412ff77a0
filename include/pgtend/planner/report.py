"""What came of it, table by table, in words for people and in rows for the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pgtend.kernel.errors import PgtendError, together
from pgtend.kernel.times import say_span
from pgtend.planner.facts import Proof
from pgtend.planner.model import Decision
from pgtend.planner.plan import AnalyzePlan


class Outcome(StrEnum):
    """What came of the decision about a table. Kept and shown as written."""

    PROVED = "proved"
    SKIPPED = "skipped"
    POSTPONED = "postponed"
    GONE = "dropped meanwhile"
    LOCKED = "locked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResult:
    """What came of one table."""

    decision: Decision
    outcome: Outcome
    took: timedelta | None = None
    before: Proof | None = None
    after: Proof | None = None
    error: PgtendError | None = None

    @property
    def name(self) -> str:
        """The table's name with its schema."""
        return self.decision.table.name

    def __str__(self) -> str:
        took = f" in {say_span(self.took)}" if self.took is not None else ""
        why = f": {self.error.message}" if self.error else f": {self.decision.reason}"
        return f"{self.name} {self.outcome}{took}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAnalysis:
    """A row of evidence about one table."""

    database: str
    schema_name: str
    table_name: str
    decision: str
    reason: str
    outcome: str
    took: timedelta | None
    rows_before: int | None
    rows_after: int | None
    changed_rows: int
    analyze_count_before: int | None
    analyze_count_after: int | None
    proved_at: datetime | None
    error_code: str


def evidence(database: str, result: TableResult) -> TableAnalysis:
    """Write down one result for the ledger."""
    facts, before, after = result.decision.table.facts, result.before, result.after
    proved = after if result.outcome is Outcome.PROVED else None
    return TableAnalysis(
        database=database,
        schema_name=facts.schema,
        table_name=facts.name,
        decision="analyze" if result.decision.analyze else "skip",
        reason=result.decision.reason.value,
        outcome=result.outcome.value,
        took=result.took,
        rows_before=result.decision.table.rows,
        rows_after=after.rows if after else None,
        changed_rows=facts.modified + facts.children_modified,
        analyze_count_before=before.analyzed if before else None,
        analyze_count_after=after.analyzed if after else None,
        proved_at=proved.analyzed_at if proved else None,
        error_code=result.error.code if result.error else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeReport:
    """What was decided and what came of it, for a whole database."""

    plan: AnalyzePlan
    results: tuple[TableResult, ...]
    took: timedelta
    run_id: str = ""

    def ended(self, outcome: Outcome) -> tuple[TableResult, ...]:
        """List the results that ended so."""
        return tuple(result for result in self.results if result.outcome is outcome)

    def __str__(self) -> str:
        amounts = ((len(self.ended(outcome)), outcome) for outcome in Outcome)
        said = ", ".join(f"{amount:,} {outcome}" for amount, outcome in amounts if amount)
        return f"{said or 'no tables'} in {say_span(self.took)}"

    def raise_if_incomplete(self) -> None:
        """Raise the worst of what went wrong, naming all of it."""
        failed = [(result.name, result.error) for result in self.results if result.error is not None]
        if failed:
            raise together(failed, "tables could not be analyzed")
