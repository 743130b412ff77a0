"""Makes the statistics of tables fresh, and proves it from what the server itself counts and keeps."""

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
# What a killed run has analyzed and not yet proved is done again the next time: it may not be much.
_LONGEST_DOUBT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Analyzed:
    """A table on which ANALYZE ran, before anybody asked whether it did anything."""

    decision: Decision
    before: Proof
    warnings: Sequence[Notice]
    took: timedelta

    @property
    def oid(self) -> int:
        """The table."""
        return _oid(self.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tending:
    """How tables of one database are tended: with which rights to look, and until when something may begin."""

    rights: OwnRights
    closes_at: float

    def tend(self, session: Session, decisions: Sequence[Decision]) -> list[TableResult]:
        """Analyze some tables one by one and prove them together, or say of each what stood in the way."""
        results: list[TableResult] = []
        before = read_proofs(session, decisions)
        tried: list[_Analyzed] = []
        asked_at = time.monotonic()
        for decision in decisions:
            one = self._analyze(session, decision, before)
            if isinstance(one, TableResult):
                results.append(one)
                continue
            tried.append(one)
            if time.monotonic() - asked_at > _LONGEST_DOUBT:
                results += self._prove(session, tried)
                tried, asked_at = [], time.monotonic()
        return results + self._prove(session, tried)

    def confirm(self, session: Session, decisions: Sequence[Decision]) -> list[TableResult]:
        """Look whether partitions were really analyzed together with the whole."""
        proofs = read_proofs(session, decisions)
        return [_confirmed(decision, proofs.get(_oid(decision))) for decision in decisions]

    def _analyze(self, session: Session, decision: Decision, proofs: Mapping[int, Proof]) -> _Analyzed | TableResult:
        before = proofs.get(_oid(decision))
        if time.monotonic() >= self.closes_at:
            return TableResult(decision=decision, outcome=Outcome.POSTPONED)
        if before is None:
            return TableResult(decision=decision, outcome=Outcome.GONE)
        started = time.monotonic()
        try:
            apply_targets(session, decision)
            command = ANALYZE_ONLY_TABLE if session.facts.major >= ONLY_SINCE else ANALYZE_TABLE
            ran = session.run(command, table=name_of(decision))
        except _OF_ONE_TABLE as error:
            took = timedelta(seconds=time.monotonic() - started)
            return _what_went_wrong(session, decision, before, error, took)
        took = timedelta(seconds=time.monotonic() - started)
        return _Analyzed(decision=decision, before=before, warnings=ran.warnings, took=took)

    def _prove(self, session: Session, analyzed: Sequence[_Analyzed]) -> list[TableResult]:
        """Ask the server's counters and its catalogue once about all of them."""
        if not analyzed:
            return []
        after = _await_counters(session, analyzed)
        missing = {found.oid: found for found in find_missing(session, self.rights, [one.oid for one in analyzed])}
        targets = read_targets(session, [one.oid for one in analyzed if one.decision.changes])
        return [_judged(one, after.get(one.oid), missing, targets) for one in analyzed]


def _judged(
    one: _Analyzed,
    after: Proof | None,
    missing: Mapping[int, MissingStatistics],
    targets: Mapping[int, Mapping[str, int]],
) -> TableResult:
    decision = one.decision
    if after is None:
        return TableResult(decision=decision, outcome=Outcome.GONE, before=one.before)
    doubts = _doubts(one.warnings, one.before, after) or [
        *(f"{lacking} has no statistics" for lacking in still_lacking(decision, after, missing.get(one.oid))),
        *_other_targets(decision, targets.get(one.oid, {})),
    ]
    return TableResult(
        decision=decision,
        outcome=Outcome.FAILED if doubts else Outcome.PROVED,
        took=one.took,
        before=one.before,
        after=None if doubts else after,
        error=_not_proved(decision, doubts) if doubts else None,
    )


def _other_targets(decision: Decision, current: Mapping[str, int]) -> list[str]:
    """Name the columns whose target is another than was set."""
    return [
        f"the target of {c.column} is not {c.wanted}" for c in decision.changes if current.get(c.column) != c.wanted
    ]


def _confirmed(decision: Decision, after: Proof | None) -> TableResult:
    if after is None:
        return TableResult(decision=decision, outcome=Outcome.GONE)
    seen = after.analyzed_at is not None and after.analyzed_at >= decision.table.facts.read_at
    error = None if seen else _not_proved(decision, ["it was not analyzed together with its partitioned table"])
    outcome = Outcome.PROVED if seen else Outcome.FAILED
    return TableResult(decision=decision, outcome=outcome, after=after, error=error)


def _await_counters(session: Session, analyzed: Sequence[_Analyzed]) -> Mapping[int, Proof]:
    immediate = session.facts.major >= _COUNTERS_ARE_IMMEDIATE_SINCE
    deadline = time.monotonic() + (0 if immediate else _COUNTER_PATIENCE.total_seconds())
    decisions = [one.decision for one in analyzed]
    hoped_for = [one for one in analyzed if not one.warnings]
    while True:
        after = read_proofs(session, decisions)
        there = [(one.before, after[one.oid]) for one in hoped_for if one.oid in after]
        if all(is_newer(*pair) for pair in there) or time.monotonic() >= deadline:
            return after
        time.sleep(0.2)


def apply_targets(session: Session, decision: Decision) -> None:
    """Set the statistics targets that differ."""
    for change in decision.changes:
        session.run(
            SET_STATISTICS_TARGET, table=name_of(decision), column=column(change.column), target=number(change.wanted)
        )


def read_proofs(session: Session, decisions: Sequence[Decision]) -> Mapping[int, Proof]:
    """Read what the server says about some tables; one that is gone, or has another name by now, is not among them."""
    names = {_oid(decision): decision.table.name for decision in decisions}
    found = session.rows(READ_PROOF, {"tables": list(names)})
    return {proof.oid: proof for proof in found if f"{proof.schema}.{proof.name}" == names[proof.oid]}


def _oid(decision: Decision) -> int:
    return decision.table.facts.oid


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
    if not read_proofs(session, [decision]):
        return TableResult(decision=decision, outcome=Outcome.GONE, before=before)
    outcome = Outcome.LOCKED if isinstance(error, LockedOut) else Outcome.FAILED
    return TableResult(decision=decision, outcome=outcome, took=took, before=before, error=error)


def _not_proved(decision: Decision, doubts: Sequence[str]) -> NotProved:
    return NotProved(
        f"{decision.table.name} was not analyzed, although the server said so",
        detail=f"{'; '.join(doubts)}.",
        hint="Follow docs/runbooks/analyze-not-proved.md; `pgtend doctor` lists the rights that are missing.",
    )
