"""When a table's statistics are renewed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, NamedTuple, TypeAlias, cast

from pydantic import BeforeValidator, Field, Strict

from pgtend.fleet.schedules import Cron, default_schedule
from pgtend.fleet.settings import Fraction, Kind, Rows, Settings, Span, Switch, refusal
from pgtend.fleet.window import Window

_PATTERN = re.compile(r"[^.\s]+\.[^.\s]+")
_COLUMN = re.compile(r"[^.\s]+\.[^.\s]+\.[^.\s]+")


def _read_pattern(value: object) -> object:
    if isinstance(value, str) and not _PATTERN.fullmatch(value):
        raise refusal(
            f"'{value[:60]}' names no table", "write schema.table, with * for any text: public.audit_* or staging.*"
        )
    return value


def _read_column(value: object) -> object:
    if isinstance(value, str) and not _COLUMN.fullmatch(value):
        raise refusal(f"'{value[:60]}' names no column", "write schema.table.column: public.health_metrics.user_id")
    return value


def _schedule_in_window(so_far: Mapping[str, object]) -> str:
    return default_schedule(cast("Window", so_far["window"]))


TablePattern: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("table pattern"),
    BeforeValidator(_read_pattern),
    Field(json_schema_extra={"pattern": f"^{_PATTERN.pattern}$"}),
]
ColumnPath: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("column"),
    BeforeValidator(_read_column),
    Field(json_schema_extra={"pattern": f"^{_COLUMN.pattern}$"}),
]
Target: TypeAlias = Annotated[int, Strict(), Kind("whole number from 0 to 10000"), Field(ge=0, le=10_000)]


class StatisticsTarget(NamedTuple):
    """How many values of a column the planner remembers."""

    schema: str
    table: str
    column: str
    target: int


class AnalyzeRules(Settings):
    """When a table's statistics are renewed."""

    enabled: Switch = Field(default=True, description="Whether statistics are renewed by schedule at all.")
    window: Window = Field(
        default_factory=Window,
        description="When it may run. Default: what the database's window says.",
    )
    schedule: Cron = Field(
        default_factory=_schedule_in_window,
        description=(
            "When it starts, in the time zone of the window; every start must lie inside it. "
            "Default: half an hour after the window opens."
        ),
    )
    time_budget: Span = Field(
        default=timedelta(hours=1),
        description="No further table is started after this long, even when the window is still open.",
    )
    deadline: Span = Field(
        default=timedelta(hours=3),
        description="People are alerted when a run has not finished this long after it was due.",
    )
    changed_fraction: Fraction = Field(
        default=0.02, description="A table is analyzed when this share of its rows changed since the last time."
    )
    changed_rows_floor: Rows = Field(
        default=50,
        description="Rows that must have changed at least, so that tiny tables are not analyzed nightly.",
    )
    changed_rows_cap: Rows = Field(
        default=1_000_000, description="Changed rows that are always enough, so that huge tables do not wait for ever."
    )
    parent_changed_fraction: Fraction = Field(
        default=0.05,
        description=(
            "A partitioned table is analyzed as a whole when this share of the rows in its partitions changed: "
            "autovacuum never does it."
        ),
    )
    statistics_targets: dict[ColumnPath, Target] = Field(
        default_factory=dict,
        description=(
            "How many values the planner remembers of a column, by `schema.table.column`, from 0 to 10000. "
            "Set with `ALTER TABLE ... SET STATISTICS` where it differs."
        ),
    )
    skip: tuple[TablePattern, ...] = Field(
        default=(), description="Tables to leave alone: `schema.table`, with `*` for any text."
    )

    def skips(self, schema: str, table: str) -> bool:
        """Tell whether a table is to be left alone."""
        return any(fnmatchcase(f"{schema}.{table}", pattern) for pattern in self.skip)

    def targets(self) -> tuple[StatisticsTarget, ...]:
        """List the statistics targets with their names taken apart."""
        return tuple(_target(name, target) for name, target in self.statistics_targets.items())


def _target(name: str, target: int) -> StatisticsTarget:
    schema, table, column = name.split(".")
    return StatisticsTarget(schema, table, column, target)
