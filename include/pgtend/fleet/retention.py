"""Which backups of a database are kept, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self, TypeAlias

from pydantic import Field, Strict, model_validator

from pgtend.fleet.settings import Count, Fraction, Kind, Settings, Span, refusal

Slots: TypeAlias = Annotated[int, Strict(), Kind("whole number from 0 to 1000"), Field(ge=0, le=1_000)]


class RetentionRules(Settings):
    """Which backups are kept: so many days, weeks, months and years of them, and never fewer than is safe."""

    daily: Slots = Field(default=14, description="Days of which a backup is kept, counting only days that have one.")
    weekly: Slots = Field(default=8, description="Weeks of which a backup is kept, counting only weeks that have one.")
    monthly: Slots = Field(
        default=12, description="Months of which a backup is kept, counting only months that have one."
    )
    yearly: Slots = Field(default=3, description="Years of which a backup is kept, counting only years that have one.")
    at_least: Count = Field(default=7, description="The newest backups that are kept however old they are.")
    proven: Count = Field(
        default=3,
        description=(
            "The newest backups known to be good that are kept however old they are: so many of those that a drill "
            "restored, and so many of those that were read back whole."
        ),
    )
    young: Span = Field(
        default=timedelta(days=1),
        description="A backup, or what an unfinished one left, is never touched while it is younger than this.",
    )
    undelete: Span = Field(
        default=timedelta(days=30),
        description=(
            "Where a bucket keeps versions: how long what somebody deleted there can be brought back before it is "
            "removed for good."
        ),
    )
    shrunken: Fraction = Field(
        default=0.5,
        description=(
            "Nothing is removed while the newest backup has less than this share of the bytes or rows of the ones "
            "before it: something may have been lost that only an older backup still has."
        ),
    )

    @model_validator(mode="after")
    def _keeps_a_history(self) -> Self:
        if not (self.daily or self.weekly or self.monthly or self.yearly):
            raise refusal("these rules keep no history", "keep some days, weeks, months or years")
        return self


class CopyRules(Settings):
    """A second vault that every backup is copied to."""

    retention: RetentionRules = Field(
        default_factory=RetentionRules,
        description="Which copies are kept. Says nothing about the first vault, and the first vault nothing about it.",
    )
    lag: Span = Field(
        default=timedelta(hours=12),
        description="How long after a backup its copy must be there; later than that counts as a fault.",
    )
