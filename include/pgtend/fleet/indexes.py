"""How a database's indexes are cared for: when they are looked at, rebuilt and thought about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, TypeAlias, cast

from pydantic import Field, Strict

from pgtend.fleet.analyze import TablePattern
from pgtend.fleet.schedules import Cron, default_schedule
from pgtend.fleet.settings import Count, Fraction, Kind, Settings, Size, Span, Switch
from pgtend.fleet.window import Window
from pgtend.kernel.sizes import Bytes

Times: TypeAlias = Annotated[float, Strict(), Kind("number above 1"), Field(gt=1)]
Workers: TypeAlias = Annotated[int, Strict(), Kind("whole number from 0 to 16"), Field(ge=0, le=16)]


def _nightly(so_far: Mapping[str, object]) -> str:
    return default_schedule(cast("Window", so_far["window"]))


def _on_saturdays(so_far: Mapping[str, object]) -> str:
    return f"{_nightly(so_far).removesuffix('*')}6"


def _on_sundays(so_far: Mapping[str, object]) -> str:
    return f"{_nightly(so_far).removesuffix('*')}0"


class IndexRules(Settings):
    """How indexes are cared for."""

    enabled: Switch = Field(default=True, description="Whether indexes are looked at and rebuilt by schedule at all.")
    window: Window = Field(
        default_factory=Window,
        description="When an index may be rebuilt. Default: what the database's window says.",
    )
    schedule: Cron = Field(
        default_factory=_on_saturdays,
        description=(
            "When rebuilding starts, in the time zone of the window; every start must lie inside it. "
            "Default: on Saturdays, half an hour after the window opens."
        ),
    )
    usage_schedule: Cron = Field(
        default_factory=_nightly,
        description="When size and use of every index are written down. Default: nightly, with the window.",
    )
    advice_schedule: Cron = Field(
        default_factory=_on_sundays,
        description="When advice on indexes is worked out. Default: on Sundays, half an hour after the window opens.",
    )
    time_budget: Span = Field(
        default=timedelta(hours=2),
        description="No rebuild is started that is predicted to end later than this after the run began.",
    )
    deadline: Span = Field(
        default=timedelta(hours=5),
        description="People are alerted when a run has not finished this long after it was due.",
    )
    smallest: Size = Field(
        default=Bytes.parse("10 MB"), description="Indexes below this size are left alone, however bloated."
    )
    least_gain: Size = Field(
        default=Bytes.parse("64 MB"), description="What a rebuild must win back, beside exceeding `bloat_limit`."
    )
    bloat_limit: Times = Field(
        default=1.5, description="An index is rebuilt when it is this many times larger than it would be if new."
    )
    always_from: Times = Field(
        default=3.0, description="From this many times on it is rebuilt, however little that wins back."
    )
    read_budget: Size = Field(
        default=Bytes.parse("512 MB"), description="How much of a table may be read to estimate the size of one index."
    )
    oldest_transaction: Span = Field(
        default=timedelta(minutes=1),
        description="No rebuild starts while a transaction is older than this: the rebuild would have to wait for it.",
    )
    longest_wait: Span = Field(
        default=timedelta(minutes=2),
        description="A rebuild that waits this long for other sessions is given up, and who was in the way is said.",
    )
    replica_lag: Span = Field(
        default=timedelta(seconds=30),
        description="A rebuild waits, or is given up, while a standby lags more than this.",
    )
    workers: Workers = Field(
        default=2,
        description="Parallel workers of the server for one rebuild inside the window; outside it none is used.",
    )
    memory: Size = Field(
        default=Bytes.parse("256 MB"),
        description="`maintenance_work_mem` of a rebuild; what does not fit is sorted on disk.",
    )
    storage: Size | None = Field(
        default=None,
        description=(
            "How large the databases of this server may become together. A rebuild that would exceed it is not begun. "
            "Default: on this machine the free space of the disk decides; of a server elsewhere it is not known."
        ),
    )
    check: Switch = Field(
        default=True,
        description="Whether the structure of indexes is verified weekly, where the extension amcheck is installed.",
    )
    unused_after: Span = Field(
        default=timedelta(days=35),
        ge=timedelta(days=7),
        description="An index counts as unused after this long without a scan on any server, watched without a gap.",
    )
    statements: Count = Field(
        default=50, description="How many statements, those that cost most, are looked at when advice is worked out."
    )
    least_improvement: Fraction = Field(
        default=0.3, description="How much faster a statement must have become on a copy for an index to be advised."
    )
    most_harm: Fraction = Field(
        default=0.05, description="How much slower any other statement may have become on that copy."
    )
    skip: tuple[TablePattern, ...] = Field(
        default=(), description="Tables whose indexes are left alone: `schema.table`, with `*` for any text."
    )

    def skips(self, schema: str, table: str) -> bool:
        """Tell whether the indexes of a table are to be left alone."""
        return bool(self.skip) and any(fnmatchcase(f"{schema}.{table}", pattern) for pattern in self.skip)
