"""Makes the statistics of one table fresh, and proves it from what the server itself counts and keeps."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, PgtendError, Refusal
from pgtend.planner.errors import NotProved
from pgtend.planner.facts import (
    ANALYZE_ONLY_TABLE,
    ANALYZE_TABLE,
    READ_PROOF,
    SET_STATISTICS_TARGET,
    MissingStatistics,
    OwnRights,
    Proof,
)
from pgtend.planner.model import Decision
from pgtend.planner.plan import ONLY_SINCE, find_missing, read_targets
from pgtend.planner.report import Outcome, TableResult
from pgtend.postgres.errors import LockedOut, StatementCancelled, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import Identifier, column, number, relation
from pgtend.postgres.notices import Notice
from pgtend.postgres.session import Session

# Whatever else is an Outage concerns the whole server, and the next table would only meet it again.
_OF_ONE_TABLE = (
    LockedOut,
    StatementCancelled,
    StatementTimeout,
    TransactionLost,
    Misconfigured,
    Refusal,
    BrokenEvidence,
)
# Until 14 the counters reached the server's collector by datagram, some time later.
_COUNTERS_ARE_IMMEDIATE_SINCE = 15
_COUNTER_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tending:
    """How tables of one database are tended: with which rights to look, and until when something may begin."""

    rights: OwnRights
    closes_at: float

    def tend(self, session: Session, decision: Decision) -> TableResult:
        """Analyze one table and prove it, or say what stood in the way."""
        if time.monotonic() >= self.closes_at:
            return TableResult(decision=decision, outcome=Outcome.POSTPONED)
        started = time.monotonic()
        before = read_proof(session, decision)
        if before is None:
            return TableResult(decision=decision, outcome=Outcome.GONE)
        try:
            apply_targets(session, decision)
            after = self._analyze(session, decision, before)
        except _OF_ONE_TABLE as error:
            took = timedelta(seconds=time.monotonic() - started)
            return _what_went_wrong(session, decision, before, error, took)
        took = timedelta(seconds=time.monotonic() - started)
        return TableResult(decision=decision, outcome=Outcome.PROVED, took=took, before=before, after=after)

    def confirm(self, session: Session, decision: Decision) -> TableResult:
        """Look whether a partition was really analyzed together with the whole."""
        after = read_proof(session, decision)
        if after is None:
            return TableResult(decision=decision, outcome=Outcome.GONE)
        seen = after.analyzed_at is not None and after.analyzed_at >= decision.table.facts.read_at
        error = None if seen else _not_proved(decision, ["it was not analyzed together with its partitioned table"])
        outcome = Outcome.PROVED if seen else Outcome.FAILED
        return TableResult(decision=decision, outcome=outcome, after=after, error=error)

    def _analyze(self, session: Session, decision: Decision, before: Proof) -> Proof:
        command = ANALYZE_ONLY_TABLE if session.facts.major >= ONLY_SINCE else ANALYZE_TABLE
        ran = session.run(command, table=name_of(decision))
        after = self._await_counters(session, decision, before, is_hopeless=bool(ran.warnings))
        doubts = _doubts(ran.warnings, before, after) or self._lacks(session, decision, after)
        if doubts:
            raise _not_proved(decision, doubts)
        return after

    def _await_counters(self, session: Session, decision: Decision, before: Proof, *, is_hopeless: bool) -> Proof:
        immediate = session.facts.major >= _COUNTERS_ARE_IMMEDIATE_SINCE
        deadline = time.monotonic() + (0 if immediate or is_hopeless else _COUNTER_PATIENCE.total_seconds())
        while True:
            after = read_proof(session, decision)
            if after is None:
                return before
            if is_newer(before, after) or time.monotonic() >= deadline:
                return after
            time.sleep(0.2)

    def _lacks(self, session: Session, decision: Decision, after: Proof) -> list[str]:
        """Name what still has no statistics, or another target than was set."""
        oid = decision.table.facts.oid
        found = next(iter(find_missing(session, self.rights, [oid])), None)
        current: Mapping[str, int] = read_targets(session, [oid] if decision.changes else []).get(oid, {})
        return [
            *(f"{lacking} has no statistics" for lacking in still_lacking(decision, after, found)),
            *(
                f"the target of {c.column} is not {c.wanted}"
                for c in decision.changes
                if current.get(c.column) != c.wanted
            ),
        ]


def apply_targets(session: Session, decision: Decision) -> None:
    """Set the statistics targets that differ."""
    for change in decision.changes:
        session.run(
            SET_STATISTICS_TARGET, table=name_of(decision), column=column(change.column), target=number(change.wanted)
        )


def read_proof(session: Session, decision: Decision) -> Proof | None:
    """Read what the server says about a table, or None when the table is gone."""
    return next(iter(session.rows(READ_PROOF, {"table": decision.table.facts.oid})), None)


def name_of(decision: Decision) -> Identifier:
    """Name the table of a decision in a statement."""
    return relation(decision.table.facts.schema, decision.table.facts.name)


def is_newer(before: Proof, after: Proof) -> bool:
    """Tell whether the server counted an ANALYZE between two looks; a reset of the counters does not hide it."""
    if after.analyzed_at is None:
        return False
    return after.analyzed > before.analyzed or before.analyzed_at is None or after.analyzed_at > before.analyzed_at


def still_lacking(decision: Decision, after: Proof, found: MissingStatistics | None) -> tuple[str, ...]:
    """Name what has no statistics although ANALYZE saw rows to make them from."""
    facts = decision.table.facts
    # A partitioned table keeps its own number of rows since 14; a plain parent only that of the rows in itself.
    whole = facts.children_rows > 0 and (after.rows > 0 or not facts.is_partitioned)
    seen = replace(facts, holds_rows=after.rows > 0, children_hold_rows=whole)
    return replace(decision.table, facts=seen, missing=found).lacks


def _doubts(warnings: Sequence[Notice], before: Proof, after: Proof) -> list[str]:
    said = [f"the server warned: {warning.message}" for warning in warnings]
    counted = [] if is_newer(before, after) else ["the server's count of ANALYZE did not grow"]
    return [*said, *counted]


def _what_went_wrong(
    session: Session, decision: Decision, before: Proof, error: PgtendError, took: timedelta
) -> TableResult:
    if read_proof(session, decision) is None:
        return TableResult(decision=decision, outcome=Outcome.GONE, before=before)
    outcome = Outcome.LOCKED if isinstance(error, LockedOut) else Outcome.FAILED
    return TableResult(decision=decision, outcome=outcome, took=took, before=before, error=error)


def _not_proved(decision: Decision, doubts: Sequence[str]) -> NotProved:
    return NotProved(
        f"{decision.table.name} was not analyzed, although the server said so",
        detail=f"{'; '.join(doubts)}.",
        hint="Follow docs/runbooks/analyze-not-proved.md; `pgtend doctor` lists the rights that are missing.",
    )
