"""Looks at the indexes of a database and says which would be rebuilt, why, and at what price; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.errors import NoSuchIndex, RightsMissing
from pgtend.indexes.estimate import estimate_new_size, read_true_sizes
from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.memory import Memory
from pgtend.indexes.model import Decision, IndexReading, Reason, RebuildPolicy, fitting, matches, worst_first
from pgtend.indexes.sampling import TrueSize
from pgtend.indexes.usage import Census, collect_indexes
from pgtend.kernel.errors import Problem
from pgtend.kernel.names import counted, suggestion
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.postgres.errors import StandbyRefused
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import Session

_MAINTAIN_SINCE = 17
_ONE_BY_ONE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildPlan:
    """What would be done in one database, why, at what price, and what stands in the way."""

    database: str
    server: str
    decisions: tuple[Decision, ...]
    late: tuple[Decision, ...]
    missing_rights: tuple[Problem, ...]
    census: Census = field(repr=False)

    @property
    def due(self) -> tuple[Decision, ...]:
        """The indexes to rebuild that fit the time there is, most worthwhile first."""
        postponed = {id(decision) for decision in self.late}
        return tuple(d for d in self.decisions if d.rebuild and id(d) not in postponed)

    @property
    def left_alone(self) -> tuple[Decision, ...]:
        """The indexes that stay as they are."""
        return tuple(decision for decision in self.decisions if not decision.rebuild)

    @property
    def invalid(self) -> tuple[Decision, ...]:
        """The indexes that nobody can use."""
        return tuple(decision for decision in self.decisions if decision.reason is Reason.INVALID)

    @property
    def gain(self) -> Bytes:
        """What the rebuilds would win back."""
        return Bytes(sum(decision.gain for decision in self.due))

    @property
    def took(self) -> timedelta:
        """How long they would take together."""
        return sum((d.price.took for d in self.due if d.price), timedelta())

    @property
    def wal(self) -> Bytes:
        """How much WAL they would write."""
        return Bytes(sum(d.price.wal for d in self.due if d.price))

    def count(self, reason: Reason) -> int:
        """Count the indexes that were judged so."""
        return sum(decision.reason is reason for decision in self.decisions)

    def raise_if_rights_are_missing(self) -> None:
        """Refuse to begin with half of the work."""
        _raise_missing(self.database, self.missing_rights)


def plan_rebuilds(  # noqa: PLR0913 - what is judged, by which rules, and what is known beforehand
    session: Session,
    rules: IndexRules,
    memory: Memory,
    *,
    only: Sequence[str] = (),
    insists: bool = False,
    room: timedelta | None = None,
    progress: Progress | None = None,
) -> RebuildPlan:
    """Judge every index of a database by its rules; builds on samples, which end with it, and changes nothing."""
    refuse_standby(session)
    census = collect_indexes(session, "")
    _refuse_unknown(census.indexes, only)
    policy = RebuildPolicy(rules=rules, only=tuple(only), now=census.read_at, insists=insists)
    decisions = worst_first(judge(session, policy, census.indexes, memory, progress))
    due = [decision for decision in decisions if decision.rebuild]
    _, late = fitting(due, rules.time_budget if room is None else room)
    return RebuildPlan(
        database=session.facts.database,
        server=session.facts.version_text,
        decisions=decisions,
        late=late,
        missing_rights=_missing_rights([d for d in decisions if d.reason is Reason.NO_RIGHT], session),
        census=census,
    )


def refuse_missing_rights(session: Session, rules: IndexRules) -> int:
    """Refuse when an index that is large enough may not be rebuilt; tell how many there are. Estimates nothing."""
    census = collect_indexes(session, "")
    policy = RebuildPolicy(rules=rules, now=census.read_at)
    lacking = [index for index in census.indexes if policy.screen(index) is Reason.NO_RIGHT]
    decisions = [Decision(index=IndexReading(facts=index), rebuild=False, reason=Reason.NO_RIGHT) for index in lacking]
    _raise_missing(session.facts.database, _missing_rights(decisions, session))
    return len(census.indexes)


def judge(
    session: Session,
    policy: RebuildPolicy,
    indexes: Sequence[IndexFacts],
    memory: Memory,
    progress: Progress | None = None,
) -> list[Decision]:
    """Judge each index; only those that may be worth it are estimated, largest first."""
    decisions: list[Decision] = []
    candidates: list[IndexFacts] = []
    for index in indexes:
        reason = policy.screen(index)
        if reason is None:
            candidates.append(index)
        else:
            decisions.append(Decision(index=IndexReading(facts=index), rebuild=False, reason=reason))
    candidates.sort(key=lambda index: -index.size)
    true = read_true_sizes(session, candidates)
    for index in candidates:
        if index.oid in true:
            decisions.append(_weigh(session, policy, index, true[index.oid], memory))
            if progress:
                progress(f"{session.facts.database}: {say_decision(decisions[-1])}")
    return decisions


def refuse_standby(session: Session) -> None:
    """Refuse a standby: an index can only be rebuilt on the primary, and reaches the standby from there."""
    if session.facts.is_standby:
        raise StandbyRefused(
            "this server is a standby, and indexes can only be rebuilt on the primary",
            detail=f"This was {session.address.place}.",
            hint="Point the connection at the primary, for example with target_session_attrs=read-write.",
        )


def say_plan(plan: RebuildPlan) -> str:
    """Say in one line what is going to happen."""
    seen = counted(len(plan.decisions), "index")
    if not plan.due:
        return f"{plan.database}: nothing to rebuild in {seen}{_say_late(plan)}"
    return (
        f"{plan.database}: {len(plan.due):,} of {seen} to rebuild, about {plan.gain} to win in {say_span(plan.took)} "
        f"with {plan.wal} of WAL{_say_late(plan)}"
    )


def say_decision(decision: Decision) -> str:
    """Say what is done about an index and why."""
    verdict = "rebuild" if decision.rebuild else "leave alone"
    why = f" ({decision.explanation})" if decision.explanation else ""
    return f"{verdict} {decision.name}: {decision.reason}{why}"


def _say_late(plan: RebuildPlan) -> str:
    return f"; {len(plan.late):,} more need a longer window" if plan.late else ""


def _weigh(session: Session, policy: RebuildPolicy, index: IndexFacts, true: TrueSize, memory: Memory) -> Decision:
    facts = replace(index, size=true.size, table_size=true.table_size, table_rows=max(true.table_rows, 0))
    known = memory.of(facts)
    rules = policy.rules
    estimate = estimate_new_size(session, facts, true, memory, read_budget=rules.read_budget, build_memory=rules.memory)
    return policy.decide(IndexReading(facts=facts, estimate=estimate, memory=known), memory.speed)


def _refuse_unknown(indexes: Sequence[IndexFacts], only: Sequence[str]) -> None:
    for pattern in only:
        if not any(matches(index, (pattern,)) for index in indexes):
            known = {name for index in indexes for name in (index.full_name, index.full_table)}
            raise NoSuchIndex(
                f"no index is called '{pattern}', and no table with an index is",
                detail=suggestion(pattern, known),
                hint="Write schema.index or schema.table, with * for any text; `pgtend plan reindex` lists them.",
            )


def _raise_missing(database: str, problems: tuple[Problem, ...]) -> None:
    RightsMissing.raise_if_any(
        "the role lacks rights that rebuilding indexes needs",
        problems,
        hint=f"Run these statements in database {database} as a superuser or as the owner. Then run "
        "`pgtend doctor`; see docs/runbooks/missing-right.md.",
    )


def _missing_rights(decisions: Sequence[Decision], session: Session) -> tuple[Problem, ...]:
    """Give a right by MAINTAIN where there is one, and by membership in the owner elsewhere."""
    role, tables = session.facts.role, defaultdict[str, set[str]](set)
    for decision in decisions:
        facts = decision.index.facts
        tables[facts.owner].add(relation(facts.schema, facts.table_name).as_string(None))
    if session.facts.major >= _MAINTAIN_SINCE and sum(map(len, tables.values())) > _ONE_BY_ONE:
        what = f"{role} may not rebuild its indexes"
        names = ", ".join(sorted(name for some in tables.values() for name in some)[:_ONE_BY_ONE])
        return (Problem(f"{names} and more", what, f'GRANT pg_maintain TO "{role}";'),)
    return tuple(_grant(owner, names, role, session.facts.major) for owner, names in sorted(tables.items()))


def _grant(owner: str, tables: set[str], role: str, major: int) -> Problem:
    what = f"{role} may not rebuild the indexes"
    if major >= _MAINTAIN_SINCE:
        grants = " ".join(f'GRANT MAINTAIN ON TABLE {name} TO "{role}";' for name in sorted(tables))
        return Problem(", ".join(sorted(tables)), what, grants)
    return Problem(", ".join(sorted(tables)), what, f'GRANT "{owner}" TO "{role}";')
