"""What a run leaves in the ledger of the fleet: plans, steps of months, and what others may make smaller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from pgtend.archive.facts import LeafFacts
from pgtend.archive.model import Unit
from pgtend.archive.names import Names
from pgtend.archive.plan import ArchivePlan, TablePlan
from pgtend.ledger.model import Run
from pgtend.sqlfiles import command

RECORD_ARCHIVE_PLAN = command(__package__ or "", "record_archive_plan")
RECORD_ARCHIVE_STEP = command(__package__ or "", "record_archive_step")
RECORD_ARCHIVE_RECLAIM = command(__package__ or "", "record_archive_reclaim")


class Step(StrEnum):
    """What became of a month. Kept as written."""

    CONVERTED = "converted"
    MOVED = "moved"
    DETACHED = "detached"
    SEALED = "sealed"
    PACKED = "packed"
    STORED = "stored"
    PROVEN = "proven"
    DROPPED = "dropped"
    DESTROYED = "destroyed"
    RESTORED = "restored"
    HELD = "held"
    RELEASED = "released"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEvidence:
    """What was found to do with one table."""

    database: str
    schema_name: str
    table_name: str
    mode: str
    cutoff: str
    months: int
    planned_rows: int
    wal_bytes: int
    disk_bytes: int
    approved_by: str
    refusals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvidence:
    """One step of one month, or of a table."""

    database: str
    schema_name: str
    table_name: str
    month: str | None
    generation: int | None
    step: str
    row_count: int | None
    bytes: int | None
    checksum: str
    took: timedelta | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclaimEvidence:
    """What is left of a table that rows were moved out of."""

    database: str
    schema_name: str
    table_name: str
    removed_rows: int
    heap_bytes: int
    index_bytes: int


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes down what happens to one database, as it happens."""

    run: Run
    database: str
    counted: dict[Step, int] = field(default_factory=dict[Step, int])

    def plan(self, plan: ArchivePlan) -> None:
        """Keep what was found to do."""
        self.run.add(RECORD_ARCHIVE_PLAN, [self._planned(table) for table in plan.tables])

    def left(self, table: TablePlan) -> None:
        """Keep what still waits to leave a table that was worked on: what was planned waits no more."""
        self.run.add(RECORD_ARCHIVE_PLAN, [self._planned(table)])

    def step(  # noqa: PLR0913 - a step has this many sides, and all but the first are named
        self,
        names: Names,
        step: Step,
        *,
        unit: Unit | None = None,
        rows: int | None = None,
        size: int | None = None,
        took: timedelta | None = None,
        detail: str = "",
    ) -> None:
        """Keep what became of a month, or of a table."""
        self.counted[step] = self.counted.get(step, 0) + 1
        evidence = StepEvidence(
            **self._of(names),
            month=unit.month.isoformat() if unit else None,
            generation=unit.gen if unit else None,
            step=step.value,
            row_count=rows,
            bytes=size,
            checksum=unit.checksum if unit else "",
            took=took,
            detail=detail,
        )
        self.run.add(RECORD_ARCHIVE_STEP, [evidence])

    def reclaim(self, leaf: LeafFacts, removed: int) -> None:
        """Hand over what was left behind."""
        evidence = ReclaimEvidence(
            database=self.database,
            schema_name=leaf.schema,
            table_name=leaf.name,
            removed_rows=removed,
            heap_bytes=leaf.size,
            index_bytes=leaf.index_size,
        )
        self.run.add(RECORD_ARCHIVE_RECLAIM, [evidence])

    def _planned(self, table: TablePlan) -> PlanEvidence:
        cost = table.estimate
        return PlanEvidence(
            **self._of(table.names),
            mode=table.mode.value,
            cutoff=table.cutoff.isoformat(),
            months=len(table.months),
            planned_rows=table.rows,
            wal_bytes=int(cost.wal),
            disk_bytes=int(cost.disk),
            approved_by=table.approval.approved_by if table.approval and table.is_approved else "",
            refusals="; ".join(problem.what for problem in table.problems),
        )

    def _of(self, names: Names) -> Mapping[str, str]:
        return {"database": self.database, "schema_name": names.schema, "table_name": names.table}
