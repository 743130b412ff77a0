"""Who is told when something breaks, and how."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from pgtend.fleet.settings import Kind, Settings, Slug, Span, Text, refusal


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Address: TypeAlias = Annotated[str, Kind("mail address"), Field(strict=True, pattern=r"^[^@\s]+@[^@\s]+$")]
Addresses: TypeAlias = Annotated[
    tuple[Address, ...],
    Kind("mail address, or a list of them"),
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+$"},
                {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+$"}},
            ]
        }
    ),
]


class SmtpChannel(Settings):
    """Alerts by mail."""

    # 'from' is a word of Python, so the model calls it sender.
    model_config = ConfigDict(populate_by_name=True)

    connection: Text = Field(description="Airflow connection of type `smtp`: the mail server and its login.")
    to: Addresses = Field(description="Who gets the mail: one address or a list.")
    sender: Address | None = Field(
        default=None, alias="from", description="Address the mail comes from. Default: the connection's."
    )


class AppriseChannel(Settings):
    """Alerts through Apprise: Slack, Teams, PagerDuty, webhooks and a hundred more."""

    connection: Text = Field(description="Airflow connection of type `apprise`: the services to notify.")
    tag: Text | None = Field(
        default=None,
        description="Notify only the services of the connection that carry this tag. Default: all of them.",
    )


class Takes(StrEnum):
    """Which alerts a channel wants."""

    ALL = "all"
    PAGES = "pages"
    TICKETS = "tickets"


class Channel(Settings):
    """One way to reach people."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["smtp"]}, {"required": ["apprise"]}]})

    smtp: SmtpChannel | None = Field(default=None, description="Reach them by mail.")
    apprise: AppriseChannel | None = Field(default=None, description="Reach them through Apprise.")
    takes: Takes = Field(
        default=Takes.ALL,
        description=(
            "Which alerts it wants: `pages` wake somebody (broken evidence, a metric that is critical), `tickets` can "
            "wait for the morning, and `all` are both. What no channel wants goes to all of them."
        ),
    )

    @model_validator(mode="after")
    def _is_exactly_one_kind(self) -> Self:
        if (self.smtp is None) == (self.apprise is None):
            raise refusal(
                "a channel is either smtp or apprise" + (", and this is both" if self.smtp else ""),
                "write one of 'smtp:' and 'apprise:' below the channel's name",
            )
        return self


class AlertSettings(Settings):
    """Who is told when something breaks, and how."""

    channels: dict[Slug, Channel] = Field(
        default_factory=dict, description="The ways to reach people, by name. An alert goes to all that want its class."
    )
    runbooks: Text | None = Field(
        default=None,
        description=(
            "Web address of the folder that holds the runbooks, for links in alerts and in the Airflow UI. "
            "Default: alerts name the file, `docs/runbooks/<name>.md`."
        ),
    )
    remind_every: Span = Field(
        default=timedelta(days=1), description="How often people are reminded of what is still broken."
    )

    def wanting(self, *, wakes_somebody: bool) -> dict[Slug, Channel]:
        """Choose the channels that want a page or a ticket; nothing is told to nobody while there is a channel."""
        unwanted = Takes.TICKETS if wakes_somebody else Takes.PAGES
        return {name: one for name, one in self.channels.items() if one.takes is not unwanted} or self.channels
