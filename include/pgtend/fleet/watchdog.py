"""What the watchdog outside Airflow looks at, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from pgtend.fleet.schedules import Cron
from pgtend.fleet.settings import Settings, Span, Text


class WatchdogRules(Settings):
    """What watches from outside Airflow."""

    every: Span = Field(
        default=timedelta(minutes=5), description="How often the watchdog looks: what broke is told within this time."
    )
    grace: Span = Field(
        default=timedelta(minutes=15),
        description="How much later than a pipeline's own deadline its result may be before people are told.",
    )
    airflow: Annotated[str, Field(strict=True, pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$")] | None = Field(
        default=None,
        description=(
            "Address of Airflow's api-server as the watchdog reaches it, such as `http://localhost:8080`. Its public "
            "health page tells of the scheduler too. Default: Airflow itself is not watched, only what it should do."
        ),
    )
    heartbeat: Text | None = Field(
        default=None,
        description=(
            "Connection of type `http` whose address is asked after each round in which nobody was left untold: a "
            "dead-man's switch elsewhere, which speaks up when the watchdog is dead. Its host is the whole address."
        ),
    )
    all_is_well: Cron = Field(
        default="0 8 * * 1",
        description=(
            "When the summary goes to every channel, in the fleet's time zone, also when all is well: its absence is "
            "the signal. Default: Mondays at 08:00."
        ),
    )
