"""Which rows leave their tables when they are old, where they go, and how gently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from enum import StrEnum
from typing import Annotated, Self, TypeAlias, cast

from pydantic import BeforeValidator, Field, Strict, model_validator

from pgtend.fleet.schedules import Cron, default_schedule
from pgtend.fleet.settings import Kind, Settings, Size, Span, Switch, Text, Zone, refusal
from pgtend.fleet.window import Window
from pgtend.kernel.sizes import Bytes

_TABLE = re.compile(r"[^.\s*]+\.[^.\s*]+")
_USUAL_START = time(3)


class ArchiveMode(StrEnum):
    """How months leave the table."""

    AUTO = "auto"
    MOVE = "move"
    DETACH = "detach"
    CONVERT = "convert"


class Referenced(StrEnum):
    """What becomes of old rows that other tables point at."""

    REFUSE = "refuse"
    KEEP = "keep"


class Tier(StrEnum):
    """Where archived months stay."""

    TABLE = "table"
    PACKED = "packed"
    COLD = "cold"


def _read_table(value: object) -> object:
    if isinstance(value, str) and not _TABLE.fullmatch(value):
        raise refusal(f"'{value[:60]}' names no table", "write schema.table: public.health_metrics")
    return value


TableName: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("table"),
    BeforeValidator(_read_table),
    Field(json_schema_extra={"pattern": f"^{_TABLE.pattern}$"}),
]


def _sunday_in_window(so_far: Mapping[str, object]) -> str:
    window = cast("Window", so_far["window"])
    if window.covers(_USUAL_START):
        return "0 3 * * 0"
    minute, hour = default_schedule(window).split()[:2]
    return f"{minute} {hour} * * 0"


class TableArchive(Settings):
    """What becomes of the old rows of one table."""

    by: Text = Field(description="Column that says how old a row is: a timestamp, a timestamptz or a date.")
    keep: Span = Field(
        default=timedelta(days=365),
        description="Rows stay for at least this long; whole months leave when all of a month is older.",
    )
    zone: Zone = Field(
        default="UTC",
        description="Time zone in which months of a timestamptz begin. Other columns have the months they show.",
    )
    mode: ArchiveMode = Field(
        default=ArchiveMode.AUTO,
        description=(
            "`move`: row by row in small batches. `detach`: whole partitions, where the table has one for each month. "
            "`auto`: detach where that is possible. `convert`: make the table partitioned once, then as `auto`, and "
            "keep the partitions of a year to come."
        ),
    )
    referenced: Referenced = Field(
        default=Referenced.REFUSE,
        description=(
            "What to do when other tables point at this one. `refuse`: archive nothing. `keep`: a row stays until "
            "nothing points at it any more."
        ),
    )
    after: tuple[TableName, ...] = Field(
        default=(), description="Tables whose old rows leave before those of this one, such as its children."
    )
    person: Text | None = Field(
        default=None, description="Column that says whom a row is about; erasing a person needs it."
    )
    tier: Tier = Field(
        default=Tier.TABLE,
        description=(
            "Where archived months stay: `table`: in the database. `packed`: in the database, written again so that "
            "they are small. `cold`: as Parquet in the vault, sealed."
        ),
    )
    grace: Span = Field(
        default=timedelta(days=7),
        description="How long a month stays in the database after its copy in the vault was proven.",
    )
    forget_after: Span | None = Field(
        default=None, description="Archived months older than this are destroyed. Default: never."
    )

    @model_validator(mode="after")
    def _forgets_no_living_row(self) -> Self:
        if self.forget_after is not None and self.forget_after <= self.keep:
            raise refusal("forget_after is not longer than keep", "rows are archived first and destroyed later")
        return self


class ArchiveRules(Settings):
    """When and how gently old rows leave their tables."""

    enabled: Switch = Field(default=True, description="Whether old rows are archived by schedule at all.")
    window: Window = Field(
        default_factory=Window,
        description="When it may run. Default: what the database's window says.",
    )
    schedule: Cron = Field(
        default_factory=_sunday_in_window,
        description=(
            "When it starts, in the time zone of the window; every start must lie inside it. Default: on Sunday at "
            "03:00, or half an hour after a window opens that is closed then."
        ),
    )
    time_budget: Span = Field(
        default=timedelta(minutes=45),
        description="Nothing new is begun after this long; the next run goes on where this one stopped.",
    )
    deadline: Span = Field(
        default=timedelta(hours=6),
        description="People are alerted when a run has not finished this long after it was due.",
    )
    batch: Span = Field(
        default=timedelta(milliseconds=100),
        description="How long one batch should take: nobody waits much longer for a row that is being moved.",
    )
    yield_after: Span = Field(
        default=timedelta(milliseconds=100),
        description="A batch that keeps somebody waiting for longer than this is cancelled, and tried smaller.",
    )
    replica_lag: Span = Field(
        default=timedelta(seconds=10), description="Pause while a replica is further behind than this."
    )
    wal_backlog: Size = Field(
        default=Bytes.parse("4 GB"),
        description="Pause while a slot or the archiver holds back more write-ahead log than this.",
    )
    tables: dict[TableName, TableArchive] = Field(
        default_factory=dict, description="The tables with old rows, by `schema.table`. Default: none."
    )
