"""Decides which tables need fresh statistics, why, and in which order. Pure: no clock, no connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from pgtend.fleet.analyze import AnalyzeRules
from pgtend.planner.facts import MissingStatistics, TableFacts

# A partition we analyzed ourselves hides how much of it had changed, so no parent waits longer than this for its turn.
PARENT_REST = timedelta(days=7)
SERVER_DEFAULT = -1
_SHOWN = 3


class Reason(StrEnum):
    """Why a table is analyzed or left alone. Shown to people as written."""

    TARGET = "a statistics target differs from the fleet file"
    MISSING = "the planner has no statistics for a part of it"
    FORGOTTEN = "the server lost its counters, so nobody knows what changed"
    PARENT_CHANGED = "its partitions changed, and autovacuum never analyzes the whole"
    PARENT_RESTED = "its partitions changed, and the whole was last analyzed over a week ago"
    CHANGED = "more rows changed than the limit"
    COVERED = "analyzed together with its partitioned table"
    FRESH = "few rows changed"
    EMPTY = "empty"
    EXCLUDED = "left alone by the fleet file"
    NOT_ASKED = "not asked for"
    FOREIGN = "a foreign table: its own server knows it better"
    TEMPORARY = "a temporary table of somebody's session"
    NO_RIGHT = "the role lacks a right"


_URGENCY = (
    Reason.TARGET,
    Reason.MISSING,
    Reason.FORGOTTEN,
    Reason.PARENT_CHANGED,
    Reason.PARENT_RESTED,
    Reason.CHANGED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChange:
    """A column whose statistics target is not what the fleet file wants."""

    column: str
    current: int
    wanted: int

    def __str__(self) -> str:
        current = "the default" if self.current == SERVER_DEFAULT else str(self.current)
        return f"{self.column}: {current} -> {self.wanted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """Everything known about one table at the moment of the decision."""

    facts: TableFacts
    missing: MissingStatistics | None = None
    targets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    wanted_targets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    statistics_visible: bool = True

    @property
    def name(self) -> str:
        """The table's name with its schema, as people write it in the fleet file."""
        return f"{self.facts.schema}.{self.facts.name}"

    @property
    def rows(self) -> int:
        """The rows ANALYZE would draw its sample from."""
        return (self.facts.rows or 0) + self.facts.children_rows

    @property
    def changes(self) -> tuple[TargetChange, ...]:
        """The statistics targets to set before its next ANALYZE."""
        return tuple(
            TargetChange(column=column, current=self.targets.get(column, SERVER_DEFAULT), wanted=wanted)
            for column, wanted in self.wanted_targets.items()
            if self.targets.get(column, SERVER_DEFAULT) != wanted
        )

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the planner knows nothing about, although there are rows to learn it from."""
        missing = self.missing
        if missing is None:
            return ()
        own = (
            *(f"column {name}" for name in missing.columns),
            *(f"index {name}" for name in missing.expressions),
            *(f"statistics {name}" for name in missing.extended if not self.facts.is_partitioned),
        )
        whole = (
            *(f"column {name} over all partitions" for name in missing.inherited),
            *(f"statistics {name}" for name in missing.extended if self.facts.is_partitioned),
        )
        return (*(own if self.facts.holds_rows else ()), *(whole if self.facts.children_hold_rows else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done about a table, and why."""

    table: TableReading
    analyze: bool
    reason: Reason
    explanation: str = ""
    changes: tuple[TargetChange, ...] = ()

    @property
    def urgency(self) -> tuple[int, int, str]:
        """Sort key: the reason first, then how many rows the planner is wrong about, most first."""
        facts = self.table.facts
        stale = facts.modified + facts.children_modified + facts.children_reanalyzed
        weight = self.table.rows if self.reason in _URGENCY[:3] else stale
        return (_URGENCY.index(self.reason) if self.analyze else len(_URGENCY), -weight, self.table.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzePolicy:
    """When ANALYZE is worth its price."""

    rules: AnalyzeRules
    recurses: bool = False
    only: tuple[str, ...] = ()

    def decide(self, table: TableReading) -> Decision:
        """Judge one table. The first rule that applies wins."""
        excluded = self.excluded(table)
        if excluded is not None:
            return Decision(table=table, analyze=False, reason=excluded)
        if not may_tend(table):
            return Decision(table=table, analyze=False, reason=Reason.NO_RIGHT)
        if table.changes:
            said = ", ".join(str(change) for change in table.changes)
            return _analyze(table, Reason.TARGET, said)
        if table.lacks:
            return _analyze(table, Reason.MISSING, _few(table.lacks))
        if _is_forgotten(table.facts):
            return _analyze(
                table, Reason.FORGOTTEN, f"no ANALYZE on record since {table.facts.server_started_at:%Y-%m-%d %H:%M}"
            )
        return self._weigh(table)

    def decide_all(self, tables: Iterable[TableReading]) -> tuple[Decision, ...]:
        """Judge every table, most urgent first; a partition is not analyzed twice where its parent takes it along."""
        decisions = [self.decide(table) for table in tables]
        if self.recurses:
            taken = frozenset(d.table.facts.oid for d in decisions if d.analyze and d.table.facts.is_partitioned)
            decisions = [_cover(decision, taken) for decision in decisions]
        return tuple(sorted(decisions, key=lambda decision: decision.urgency))

    def limit(self, rows: int, fraction: float) -> int:
        """Count how many rows may change before the planner is misled."""
        return self.rules.changed_rows_floor + min(int(rows * fraction), self.rules.changed_rows_cap)

    def excluded(self, table: TableReading) -> Reason | None:
        """Tell why a table is none of our business, or None when it is ours to judge."""
        facts = table.facts
        if facts.is_temporary:
            return Reason.TEMPORARY
        if facts.kind == "foreign table":
            return Reason.FOREIGN
        if self.rules.skips(facts.schema, facts.name):
            return Reason.EXCLUDED
        if self.only and not matches(table.name, self.only):
            return Reason.NOT_ASKED
        return None

    def _weigh(self, table: TableReading) -> Decision:
        facts = table.facts
        if facts.children_hold_rows:
            stale = self._weigh_children(table)
            if stale is not None:
                return stale
        limit = self.limit(facts.rows or 0, self.rules.changed_fraction)
        said = f"{facts.modified:,} of {facts.rows or 0:,} rows changed, limit {limit:,}"
        if facts.modified > limit:
            return _analyze(table, Reason.CHANGED, said)
        if not (facts.holds_rows or facts.children_hold_rows):
            return Decision(table=table, analyze=False, reason=Reason.EMPTY)
        said = self._say_children(facts) if facts.is_partitioned else said
        return Decision(table=table, analyze=False, reason=Reason.FRESH, explanation=said)

    def _weigh_children(self, table: TableReading) -> Decision | None:
        facts = table.facts
        if facts.changed_below > self.limit(facts.children_rows, self.rules.parent_changed_fraction):
            return _analyze(table, Reason.PARENT_CHANGED, self._say_children(facts))
        if facts.analyzed_at is None or facts.read_at - facts.analyzed_at <= PARENT_REST:
            return None
        if facts.children_changed_since:
            return _analyze(table, Reason.PARENT_RESTED, f"last analyzed {facts.analyzed_at:%Y-%m-%d}")
        return None

    def _say_children(self, facts: TableFacts) -> str:
        limit = self.limit(facts.children_rows, self.rules.parent_changed_fraction)
        return f"{facts.changed_below:,} of {facts.children_rows:,} rows changed, limit {limit:,}"


def may_tend(table: TableReading) -> bool:
    """Tell whether our role has every right the work on this table needs."""
    facts = table.facts
    usual = facts.may_use_schema and facts.may_analyze and table.statistics_visible
    return usual and (facts.may_alter or not table.changes)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a table was asked for: as `schema.table`, or `table` alone, with * for any text."""
    alone = name.split(".", 1)[-1]
    return any(fnmatchcase(name if "." in pattern else alone, pattern) for pattern in patterns)


def _analyze(table: TableReading, reason: Reason, explanation: str) -> Decision:
    return Decision(table=table, analyze=True, reason=reason, explanation=explanation, changes=table.changes)


def _cover(decision: Decision, taken: frozenset[int]) -> Decision:
    if decision.analyze and taken.intersection(decision.table.facts.ancestor_oids):
        return replace(decision, analyze=False, reason=Reason.COVERED)
    return decision


def _is_forgotten(facts: TableFacts) -> bool:
    return facts.analyzed_at is None and (facts.holds_rows or facts.children_hold_rows)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
