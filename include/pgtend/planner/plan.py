"""Looks at a database and says what would be done and why; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgtend.fleet.analyze import AnalyzeRules, StatisticsTarget
from pgtend.kernel.errors import Problem
from pgtend.kernel.names import did_you_mean, suggestion
from pgtend.planner.errors import NoSuchTable, RightsMissing, UnknownColumns
from pgtend.planner.facts import (
    FIND_MISSING_STATISTICS,
    FIND_MISSING_VISIBLE_STATISTICS,
    READ_OWN_RIGHTS,
    READ_STATISTICS_TARGETS,
    READ_TABLES,
    MissingStatistics,
    OwnRights,
    TableFacts,
)
from pgtend.planner.model import AnalyzePolicy, Decision, Reason, TableReading, matches
from pgtend.planner.rights import missing_rights
from pgtend.postgres.errors import StandbyRefused
from pgtend.postgres.session import Session

# From this version on a partitioned table can be analyzed without all of its partitions.
ONLY_SINCE = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzePlan:
    """What would be done in one database, why, and what stands in the way."""

    database: str
    server: str
    decisions: tuple[Decision, ...]
    missing_rights: tuple[Problem, ...]
    read_at: datetime

    @property
    def due(self) -> tuple[Decision, ...]:
        """The tables to analyze, most urgent first."""
        return tuple(decision for decision in self.decisions if decision.analyze)

    @property
    def left_alone(self) -> tuple[Decision, ...]:
        """The tables that stay as they are."""
        return tuple(decision for decision in self.decisions if not decision.analyze)

    def count(self, reason: Reason) -> int:
        """Count the tables that were judged so."""
        return sum(decision.reason is reason for decision in self.decisions)

    def raise_if_rights_are_missing(self) -> None:
        """Refuse to begin with half of the work."""
        RightsMissing.raise_if_any(
            "the role lacks rights that ANALYZE needs",
            self.missing_rights,
            hint=f"Run these statements in database {self.database} as a superuser or as the owner; on a managed "
            "server, membership in the owners of the tables is enough. Then run `pgtend doctor`; see "
            "docs/runbooks/missing-right.md.",
        )


def plan_analyze(session: Session, rules: AnalyzeRules, *, only: Sequence[str] = ()) -> AnalyzePlan:
    """Judge every table of a database by its rules; changes nothing."""
    refuse_standby(session)
    facts = session.facts
    rights = session.row(READ_OWN_RIGHTS)
    tables = read_tables(session, rules, rights)
    _refuse_unknown_tables(tables, only)
    policy = AnalyzePolicy(rules=rules, recurses=facts.major < ONLY_SINCE, only=tuple(only))
    decisions = policy.decide_all(tables)
    asked = [decision.table for decision in decisions if policy.excluded(decision.table) is None]
    return AnalyzePlan(
        database=facts.database,
        server=facts.version_text,
        decisions=decisions,
        missing_rights=missing_rights(asked, rights, facts.major),
        read_at=max((table.facts.read_at for table in tables), default=facts.started_at),
    )


def refuse_standby(session: Session) -> None:
    """Refuse a standby: it can keep no statistics of its own, and its counters say nothing about changes."""
    if session.facts.is_standby:
        raise StandbyRefused(
            "this server is a standby, and statistics can only be made on the primary",
            detail=f"This was {session.address.place}; what ANALYZE finds on the primary reaches it by itself.",
            hint="Point the connection at the primary, for example with target_session_attrs=read-write.",
        )


def read_tables(session: Session, rules: AnalyzeRules, rights: OwnRights) -> tuple[TableReading, ...]:
    """Gather everything the policy needs about every table."""
    facts = session.rows(READ_TABLES)
    missing = {found.oid: found for found in find_missing(session, rights)}
    wanted = wanted_targets(facts, rules.targets())
    current = read_targets(session, list(wanted))
    _refuse_unknown(facts, rules.targets(), current)
    return tuple(
        TableReading(
            facts=table,
            missing=missing.get(table.oid),
            targets=current.get(table.oid, {}),
            wanted_targets=wanted.get(table.oid, {}),
            statistics_visible=rights.may_read_keys or table.may_see_statistics or not table.can_have_statistics,
        )
        for table in facts
    )


def find_missing(session: Session, rights: OwnRights, tables: Sequence[int] | None = None) -> list[MissingStatistics]:
    """Find what has no statistics, in some tables or in all, by the best way our rights allow."""
    query = FIND_MISSING_STATISTICS if rights.may_read_keys else FIND_MISSING_VISIBLE_STATISTICS
    return session.rows(query, {"tables": None if tables is None else list(tables)})


def read_targets(session: Session, tables: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """Read the statistics targets of all columns of some tables."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for column in session.rows(READ_STATISTICS_TARGETS, {"tables": list(tables)}) if tables else ():
        found[column.oid][column.column_name] = column.target
    return found


def wanted_targets(
    tables: Iterable[TableFacts], targets: Sequence[StatisticsTarget]
) -> Mapping[int, Mapping[str, int]]:
    """Tell which targets the fleet file wants of each table; of a partition, those of the whole too."""
    wanted: dict[int, dict[str, int]] = defaultdict(dict)
    for table in tables:
        names = {*table.ancestor_names, f"{table.schema}.{table.name}"}
        for target in targets:
            if f"{target.schema}.{target.table}" in names:
                wanted[table.oid][target.column] = target.target
    return wanted


def _refuse_unknown_tables(tables: Sequence[TableReading], only: Sequence[str]) -> None:
    for pattern in only:
        if not any(matches(table.name, (pattern,)) for table in tables):
            raise NoSuchTable(
                f"no table is called '{pattern}'",
                detail=suggestion(pattern, {table.name for table in tables}),
                hint="Write schema.table, or table alone, with * for any text; `pgtend plan analyze` lists them.",
            )


def _refuse_unknown(
    tables: Sequence[TableFacts], targets: Sequence[StatisticsTarget], current: Mapping[int, Mapping[str, int]]
) -> None:
    oids = {f"{table.schema}.{table.name}": table.oid for table in tables}
    problems: list[Problem] = []
    for schema, table, column, _ in targets:
        where, name = f"analyze.statistics_targets.{schema}.{table}.{column}", f"{schema}.{table}"
        if name not in oids:
            problems.append(Problem(where, f"there is no table {name}", did_you_mean(name, oids)))
        elif column not in current[oids[name]]:
            problems.append(Problem(where, f"{name} has no column {column}", did_you_mean(column, current[oids[name]])))
    UnknownColumns.raise_if_any(
        "the fleet file wants statistics targets for columns that do not exist",
        tuple(problems),
        hint="Correct analyze.statistics_targets in the fleet file; `pgtend plan analyze` shows the tables there are.",
    )
