"""How backups of a database are proven: how often which one, what its application is asked, and how fast it must be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self, TypeAlias, cast

from pydantic import Field, Strict, model_validator

from pgtend.fleet.schedules import Cron, fire_times
from pgtend.fleet.settings import Count, Fraction, Kind, Settings, Span, Switch, Text, refusal
from pgtend.fleet.window import Window

Number: TypeAlias = Annotated[int, Strict()] | Annotated[float, Strict()]
Answer: TypeAlias = Annotated[bool, Strict()] | Number | Text
# What the PostgreSQL project itself ships, and the three that nearly everybody adds.
_USUAL_EXTENSIONS = (
    "amcheck",
    "autoinc",
    "bloom",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "file_fdw",
    "fuzzystrmatch",
    "hstore",
    "insert_username",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "moddatetime",
    "pageinspect",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_trgm",
    "pg_visibility",
    "pg_walinspect",
    "pgcrypto",
    "pgrowlocks",
    "pgstattuple",
    "plpgsql",
    "postgis",
    "postgres_fdw",
    "refint",
    "seg",
    "sslinfo",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
    "vector",
    "xml2",
    "pgaudit",
)


class LeastIsolation(StrEnum):
    """How far a restored copy must be shut in at least."""

    NAMESPACES = "namespaces"
    CONTAINER = "container"
    ACCOUNT = "account"


class DrillCadence(Settings):
    """How often a backup is drilled by which rule."""

    newest: Span = Field(default=timedelta(days=7), description="The newest backup.")
    random: Span = Field(default=timedelta(days=30), description="A random backup of the last 30 days.")
    oldest: Span = Field(default=timedelta(days=91), description="The oldest backup that is kept.")
    second_vault: Span = Field(
        default=timedelta(days=30),
        description="The newest copy in each second vault, where `backup.copies` names any; they take turns.",
    )
    escrow_key: Span = Field(
        default=timedelta(days=91),
        description="The newest backup, opened with the key in escrow, where `escrow_recipient` names it.",
    )


class SmokeQuery(Settings):
    """A question of the application to the restored copy, and the answer that it must get."""

    name: Text = Field(description="What it asks, in a few words; shown with its answer.")
    sql: Annotated[str, Strict(), Kind("SQL"), Field(min_length=1, max_length=10_000)] = Field(
        description=(
            "One query with one row of one column. It runs read-only. An answer that is a number or true or false is "
            "kept and shown; of any other only a digest."
        )
    )
    role: Text = Field(
        default="",
        validate_default=False,
        description="Role of the application that asks, row-level security included. Default: the database's owner.",
    )
    settings: dict[Text, Text] = Field(
        default_factory=dict,
        description="Settings of the session, such as the one in which row-level security finds who is asking.",
    )
    expect: Answer | None = Field(default=None, description="The exact answer.")
    at_least: Number | None = Field(default=None, description="The smallest answer that is good.")
    at_most: Number | None = Field(default=None, description="The largest answer that is good.")
    within: Fraction | None = Field(
        default=None,
        description="How far the answer may be from that of the last drill, as a share of it. The first has none.",
    )

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self.expect is None and self.at_least is None and self.at_most is None and self.within is None:
            raise refusal(
                f"smoke query '{self.name}' expects nothing", "say one of expect, at_least, at_most and within"
            )
        if self.expect is not None and not (self.at_least is None and self.at_most is None and self.within is None):
            raise refusal(f"smoke query '{self.name}' expects an exact answer and a range", "remove one of the two")
        return self


def _schedule_in_window(so_far: Mapping[str, object]) -> str:
    """Start on Sunday, two hours after a usual backup, or as soon as the window opens."""
    window = cast("Window", so_far["window"])
    usual = next(fire_times("30 4 * * *"))
    if window.covers(usual):
        return "30 4 * * 0"
    return f"{window.start.minute} {window.start.hour} * * 0"


class DrillRules(Settings):
    """How backups of a database are proven."""

    enabled: Switch = Field(default=True, description="Whether backups are drilled by schedule at all.")
    window: Window = Field(
        default_factory=Window, description="When a drill may start. Default: what the database's window says."
    )
    schedule: Cron = Field(
        default_factory=_schedule_in_window,
        description=(
            "When it is asked which drill is due, in the time zone of the window; every start must lie inside it. The "
            "rule that is most overdue is drilled. Default: Sundays at 04:30, or when the window opens."
        ),
    )
    deadline: Span = Field(
        default=timedelta(hours=12),
        description="People are alerted when a drill has not finished this long after it was due.",
    )
    every: DrillCadence = Field(default_factory=DrillCadence, description="How often which backup is drilled.")
    second_generation: Span = Field(
        default=timedelta(days=91),
        description="How often the restored copy is backed up and restored again, and compared once more.",
    )
    negative_control: Span = Field(
        default=timedelta(days=91),
        description="How often a copy is damaged on purpose: a drill that lets it pass is blind, and fails.",
    )
    escrow_recipient: Text = Field(
        default="",
        validate_default=False,
        description="Name of the recipient whose private key lies in escrow, for drills by the rule `escrow_key`.",
    )
    key_connection: Text = Field(
        default="",
        validate_default=False,
        description=(
            "Airflow connection whose password is the private key that drills open backups with, one key a line. "
            "Default: the file that PGTEND_KEY_FILE names on the worker."
        ),
    )
    rto: Span = Field(
        default=timedelta(hours=4),
        description="How long it may take to bring the database back. Taking longer, or growing so, fails a drill.",
    )
    rpo: Span = Field(default=timedelta(hours=26), description="How old the newest backup may be when a drill looks.")
    warn_before: Span = Field(
        default=timedelta(days=30),
        description="People are told when the database grows so that its recovery will miss `rto` within this time.",
    )
    jobs: Count = Field(default=2, description="Streams, index builds and comparisons at the same time.")
    extensions: tuple[Text, ...] = Field(
        default=_USUAL_EXTENSIONS,
        description=(
            "Extensions that a drill may install for a backup that needs them. They run as superuser between the walls "
            "of the sandbox. Default: those that come with PostgreSQL, PostGIS, pgvector and pgaudit."
        ),
    )
    isolation: LeastIsolation = Field(
        default=LeastIsolation.CONTAINER,
        description=(
            "How far a copy must be shut in at least: `namespaces` (its own files, network, processes and users), "
            "`container` (the worker is in a container without a network) or `account` (nothing but another account, "
            "which makes every verdict partial)."
        ),
    )
    allow_drift: Switch = Field(
        default=False,
        description=(
            "Accept that the worker sorts by another version of its collations than production does. Every verdict is "
            "then partial and says so."
        ),
    )
    smoke: tuple[SmokeQuery, ...] = Field(
        default=(), description="What the application asks of the restored copy, and which answers are good."
    )

    @model_validator(mode="after")
    def _names_each_question_once(self) -> Self:
        names = [one.name for one in self.smoke]
        doubled = next((name for name in names if names.count(name) > 1), "")
        if doubled:
            raise refusal(f"two smoke queries are called '{doubled}'", "give each a name of its own")
        return self
