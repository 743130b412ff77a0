"""How the cost of statements is read every night, and when a change in it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, TypeAlias, cast

from pydantic import Field, Strict

from pgtend.fleet.schedules import Cron, default_schedule
from pgtend.fleet.settings import Count, Fraction, Kind, Settings, Slug, Span, Switch, Text
from pgtend.fleet.window import Window

_END_OF_DAY = time(0, 5)
Factor: TypeAlias = Annotated[float, Kind("number above 1"), Field(gt=1, le=1000)]
Plans: TypeAlias = Annotated[int, Strict(), Kind("whole number from 0 to 1000"), Field(ge=0, le=1000)]


def _schedule_in_window(so_far: Mapping[str, object]) -> str:
    window = cast("Window", so_far["window"])
    return "5 0 * * *" if window.covers(_END_OF_DAY) else default_schedule(window)


class ReplicaSettings(Settings):
    """A replica whose statements are read too: the primary knows nothing of what is asked there."""

    connection: Text = Field(description="Airflow connection, or libpq service, that leads to the replica.")


class RegressionRules(Settings):
    """When a statement counts as worse than it was, and when people are told."""

    nights: Count = Field(default=28, description="Nights before that a statement is compared with.")
    least_calls: Count = Field(default=20, description="Calls in a night below which a statement is not judged.")
    deviations: Factor = Field(
        default=3.5,
        description="How many of its own usual deviations a statement must be from its usual time.",
    )
    ratio: Factor = Field(default=1.3, description="How many times slower than usual a statement must be besides.")
    alert_share: Fraction = Field(
        default=0.005, description="People are told when the extra time is at least this share of the whole night's."
    )
    alert_time: Span = Field(
        default=timedelta(seconds=60), description="People are told in any case when the extra time is at least this."
    )
    alert_least: Span = Field(
        default=timedelta(seconds=1),
        description="Nobody is told when the extra time of the whole night is below this, whatever share it is.",
    )


class SlowLogRules(Settings):
    """What the server should log about slow statements. Logs hold literals: whoever reads them reads data."""

    statements_from: Span | None = Field(
        default=None,
        description="The server should log statements that take this long (`log_min_duration_statement`).",
    )
    plans_from: Span | None = Field(
        default=None,
        description="The server should log the plans of statements that take this long (`auto_explain`).",
    )
    apply: Switch = Field(
        default=False,
        description=(
            "Set it, for the database alone, where the role may: it owns the database and was given the right to set "
            "these parameters. Otherwise a run only says what differs."
        ),
    )


class StatementsRules(Settings):
    """How the cost of statements is read every night."""

    enabled: Switch = Field(default=True, description="Whether statements are read by schedule at all.")
    window: Window = Field(
        default_factory=Window, description="When it may run. Default: what the database's window says."
    )
    schedule: Cron = Field(
        default_factory=_schedule_in_window,
        description=(
            "When it starts, in the time zone of the window; every start must lie inside it. Default: at 00:05, when "
            "a day is over, or half an hour after a window opens that is closed then."
        ),
    )
    deadline: Span = Field(
        default=timedelta(hours=1),
        description="People are alerted when a run has not finished this long after it was due.",
    )
    replicas: dict[Slug, ReplicaSettings] = Field(
        default_factory=dict, description="Replicas of the database by name, each read as a target of its own."
    )
    slow_from: Span = Field(
        default=timedelta(milliseconds=100), description="Mean time from which a statement counts as slow."
    )
    plans: Plans = Field(
        default=20,
        description=(
            "How many of the dearest and of the slow statements have their plan asked each night, by EXPLAIN and "
            "without ever running them."
        ),
    )
    regressions: RegressionRules = Field(
        default_factory=RegressionRules, description="When a statement counts as worse than it was."
    )
    slow_log: SlowLogRules = Field(
        default_factory=SlowLogRules, description="What the server should log about slow statements."
    )
