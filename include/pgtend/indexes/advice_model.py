"""What could be advised about indexes, from plans and from the catalogue, and when a proof is one. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from pgtend.indexes.advice_partitions import Partition, drop_all, index_all
from pgtend.postgres.identifiers import column, relation

# Below a tenth of a millisecond a difference is noise of the machine; what writers pay is counted separately.
NOISE = 0.1
# Of a statement's first time, what a second index must take away to be worth having beside the first.
_WORTH_ANOTHER = 0.1


class Kind(StrEnum):
    """What is advised. Kept and shown as written."""

    MISSING = "missing index"
    FOREIGN_KEY = "foreign key without an index"
    DUPLICATE = "duplicate index"
    COVERED = "index covered by a longer one"
    UNUSED = "unused index"


class Status(StrEnum):
    """How far an advice has come. Kept and shown as written."""

    ADVISED = "advised"
    CANDIDATE = "candidate"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """A table, its columns with their types, and how it is filled."""

    schema: str
    name: str
    rows: int
    types: Mapping[str, str]
    size: int = 0
    only_grows: bool = False
    """Whether next to no row of it is ever changed or deleted."""
    correlations: Mapping[str, float] = field(default_factory=dict[str, float])
    """How far the rows lie in the order of a column: 1 when they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement without its values, and what it cost in the span that was looked at."""

    text: str
    role: str
    calls: int
    exec_ms: float

    @property
    def writes(self) -> bool:
        """Whether it changes rows."""
        return bool(re.match(r"\s*(insert|update|delete|merge)\b", self.text, re.IGNORECASE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change of indexes that may be worth it."""

    kind: Kind
    schema: str
    table: str
    name: str
    shape: str = ""
    """From the word USING on; empty where an index would be dropped."""
    definition: str = ""
    """Of an index to drop: how to make it again."""
    why: str = ""
    helps: tuple[Statement, ...] = field(default=())
    partitions: tuple[Partition, ...] = ()
    """Of a partitioned table, each with the index it would get."""

    @property
    def is_new(self) -> bool:
        """Whether an index would be made, and not dropped."""
        return bool(self.shape)

    @property
    def up(self) -> str:
        """The statement that would do it."""
        if not self.is_new:
            return f"DROP INDEX CONCURRENTLY {self._name};"
        if self.partitions:
            return index_all(self.schema, self.table, self.name, self.shape, self.partitions)
        table = relation(self.schema, self.table).as_string(None)
        return f"CREATE INDEX CONCURRENTLY {column(self.name).as_string(None)} ON {table} {self.shape};"

    @property
    def down(self) -> str:
        """The statement that would take it back."""
        if self.partitions:
            return drop_all(self.schema, self.name)
        if self.is_new:
            return f"DROP INDEX CONCURRENTLY {self._name};"
        again = re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", self.definition)
        return f"{again};"

    @property
    def _name(self) -> str:
        return relation(self.schema, self.name).as_string(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was measured on a copy."""

    gain: float
    """Share of its time that the statement it is for was faster by, at best."""
    worst_harm: float
    """Share of its time that the worst other statement was slower by."""
    write_cost: float
    """Seconds a day that keeping the index costs its writers."""
    saved: float
    """Seconds a day that its readers are faster by."""
    size: int
    took_to_build: timedelta
    shares: Mapping[Statement, float] = field(default_factory=dict[Statement, float], repr=False)
    """Share of its time that each statement was faster by; negative for what became slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A candidate with its verdict."""

    candidate: Candidate
    status: Status
    priority: str
    why: str
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What an advice must reach, by the rules of its database."""

    least: float
    """Share of its time that a statement must become faster by."""
    most_harm: float

    def judge(self, candidate: Candidate, proof: Proof | None, expected: float | None = None) -> Advice:
        """Call a candidate advised only when a copy proved it; refuse what even the planner does not believe in.

        `expected` is the share of its cost that the planner thinks the best of its statements would save.
        """
        if proof is None:
            return self._unproved(candidate, expected)
        refusal = self._refusal(candidate, proof)
        if refusal:
            return Advice(candidate=candidate, status=Status.REFUTED, priority="low", why=refusal, proof=proof)
        said = f"{candidate.why}; on a copy {proof.gain:.0%} faster" if candidate.is_new else candidate.why
        return Advice(candidate=candidate, status=Status.ADVISED, priority=_priority(proof), why=said, proof=proof)

    def disbelieves(self, candidate: Candidate, expected: float | None) -> bool:
        """Tell whether the planner itself expects too little; of a foreign key it is never asked."""
        return candidate.kind is Kind.MISSING and expected is not None and expected < self.least

    def _unproved(self, candidate: Candidate, expected: float | None) -> Advice:
        if self.disbelieves(candidate, expected):
            why = f"the planner expects no more than {expected:.0%} less cost from it"
            return Advice(candidate=candidate, status=Status.REFUTED, priority="low", why=why)
        said = f"; the planner expects {expected:.0%} less cost" if expected is not None else ""
        return Advice(candidate=candidate, status=Status.CANDIDATE, priority="low", why=f"{candidate.why}{said}")

    def _refusal(self, candidate: Candidate, proof: Proof) -> str:
        if proof.worst_harm > self.most_harm:
            return f"another statement became {proof.worst_harm:.0%} slower on a copy"
        if candidate.is_new and proof.gain < self.least:
            return f"the statement it is for became only {proof.gain:.0%} faster on a copy"
        if candidate.kind is Kind.MISSING and proof.saved < proof.write_cost:
            return f"it would cost its writers {proof.write_cost:.1f} s a day and save {proof.saved:.1f} s"
        return ""

    def best(self, advices: Sequence[Advice]) -> tuple[Advice, ...]:
        """Of new indexes that help the same statements keep the one that helps most; the rest would only cost.

        Of two that save the same to within a tenth the smaller one is better.
        """
        kept: list[Advice] = []
        left: dict[Statement, float] = {}
        for advice in sorted(advices, key=_usefulness):
            if advice.status is not Status.ADVISED or advice.proof is None or not advice.candidate.is_new:
                kept.append(advice)
                continue
            remains = {one: 1 - share for one, share in advice.proof.shares.items() if share >= self.least}
            if any(self._is_better(after, left.get(one, 1.0)) for one, after in remains.items()):
                left |= {one: min(after, left.get(one, 1.0)) for one, after in remains.items()}
                kept.append(advice)
            else:
                kept.append(_needless(advice))
        return tuple(kept)

    def _is_better(self, after: float, so_far: float) -> bool:
        """Tell whether a statement gains once more: what two good indexes leave of its time differs by chance."""
        return after <= so_far * (1 - self.least) and so_far - after >= _WORTH_ANOTHER


def _usefulness(advice: Advice) -> tuple[float, int]:
    if advice.proof is None:
        return math.inf, 0
    steps = round(math.log(max(advice.proof.saved, 1e-6), 1.1))
    return -steps, advice.proof.size


def _needless(advice: Advice) -> Advice:
    return Advice(
        candidate=advice.candidate,
        status=Status.REFUTED,
        priority="low",
        why="another advised index helps the same statements as much",
        proof=advice.proof,
    )


def _priority(proof: Proof) -> str:
    if proof.saved >= 60:  # noqa: PLR2004 - a minute a day
        return "high"
    return "medium" if proof.saved >= 1 else "low"


def merged(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Let the same index, wanted by several statements, be one candidate; those that help most come first."""
    helped: dict[tuple[str, str, str], list[Candidate]] = {}
    for candidate in candidates:
        helped.setdefault((candidate.schema, candidate.table, candidate.shape or candidate.name), []).append(candidate)
    made = [
        replace(same[0], helps=tuple(dict.fromkeys(statement for one in same for statement in one.helps)))
        for same in helped.values()
    ]
    return tuple(sorted(made, key=lambda c: -sum(statement.exec_ms for statement in c.helps)))
