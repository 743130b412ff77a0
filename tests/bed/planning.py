"""Tables for tests of the planner: readings made by hand, and jobs run against real servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bed.clusters import LiveDatabase
from pgtend.fleet.model import AnalyzeRules, Database
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.planner.facts import TableFacts
from pgtend.planner.job import analyze_database
from pgtend.planner.model import Decision
from pgtend.planner.plan import AnalyzePlan, plan_analyze
from pgtend.planner.report import AnalyzeReport
from pgtend.postgres.address import Address

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
YESTERDAY = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
_FACTS: Mapping[str, object] = {
    "oid": 16400,
    "schema": "public",
    "name": "visits",
    "sql_name": "public.visits",
    "sql_schema": "public",
    "owner": "clinic_owner",
    "sql_owner": "clinic_owner",
    "owner_is_superuser": False,
    "kind": "table",
    "is_temporary": False,
    "rows": 10_000,
    "size": 1_000_000,
    "holds_rows": True,
    "modified": 0,
    "analyzed_at": YESTERDAY,
    "has_children": False,
    "children_rows": 0,
    "children_size": 0,
    "children_hold_rows": False,
    "children_modified": 0,
    "children_reanalyzed": 0,
    "children_analyzed_at": None,
    "ancestor_oids": (),
    "ancestor_names": (),
    "hides_rows_from_owner": False,
    "may_use_schema": True,
    "may_alter": True,
    "may_analyze": True,
    "may_see_statistics": True,
    "autovacuum_fraction": 0.1,
    "server_started_at": datetime(2026, 11, 1, tzinfo=UTC),
    "read_at": NOW,
}


def table_facts(**different: object) -> TableFacts:
    """Describe an ordinary, fresh table of 10,000 rows, apart from what the test says."""
    return TableFacts(**{**_FACTS, **different})  # type: ignore[arg-type]


@dataclass(slots=True)
class Night:
    """One database, the rules it is tended by, and the memory of it."""

    live: LiveDatabase
    folder: Path
    address: Address
    rules: Mapping[str, object] = field(default_factory=dict[str, object])
    limits: Mapping[str, object] = field(default_factory=lambda: {"lock_timeout": "300 ms", "sessions": 2})
    lines: list[str] = field(default_factory=list[str])

    @property
    def database(self) -> Database:
        """The database as the fleet file would describe it, with a window that is always open."""
        always = {"start": "00:00", "end": "00:00"}
        return Database.model_validate(
            {
                "name": "clinic",
                "connection": "clinic",
                "limits": dict(self.limits),
                "window": always,
                "analyze": dict(self.rules),
            }
        )

    @property
    def ledger(self) -> FolderLedger:
        """The memory of these nights."""
        return FolderLedger(self.folder)

    def plan(self, *, only: Sequence[str] = ()) -> AnalyzePlan:
        """Judge every table."""
        rules: AnalyzeRules = self.database.analyze
        with self.live.session(self.address) as session:
            return plan_analyze(session, rules, only=only)

    def decision(self, table: str) -> Decision:
        """Judge one table."""
        return next(decision for decision in self.plan().decisions if decision.table.name == table)

    def work(self, *, only: Sequence[str] = ()) -> AnalyzeReport:
        """Make statistics fresh."""
        subject = Subject("clinic", "analyze", "test")
        return analyze_database(self.database, self.address, self.ledger, subject, self.lines.append, only=only)
