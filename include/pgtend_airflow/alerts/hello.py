"""Says hello through every channel once a month: a channel that was never used is one that nobody knows to work."""

from __future__ import annotations

import html
from typing import Final

from pgtend.fleet.model import Fleet
from pgtend.kernel.errors import Misconfigured
from pgtend.ledger.model import Ledger, Subject
from pgtend_airflow.alerts.channels import deliver_to_each
from pgtend_airflow.alerts.message import Message

_SAYS: Final = (
    "This is a test: nothing is wrong. It comes once a month through every channel, so that the day on which something "
    "is wrong is not the first on which this channel is used. When it stops coming, the channel is broken."
)


class ChannelSilent(Misconfigured):
    """A channel did not take the monthly test message."""

    code = "airflow.channel_silent"


def say_hello(fleet: Fleet, ledger: Ledger, subject: Subject) -> None:
    """Send a test message through each channel, whatever it wants otherwise; fail when one did not take it."""
    message = _hello(fleet, subject.run_url)
    refused = deliver_to_each(fleet.alerts, message)
    took = [name for name in fleet.alerts.channels if name not in refused]
    ledger.audit(
        actor=subject.actor,
        action="alerts.tested",
        target="fleet/channels",
        detail={"took": ", ".join(took), "refused": ", ".join(refused)},
    )
    if refused:
        # Not tried again by itself: the others would get the same message four times.
        raise ChannelSilent(
            f"channels that did not take the test message: {', '.join(refused)}",
            detail=f"Others took it: {', '.join(took)}." if took else "No channel took it.",
            hint="Follow docs/runbooks/alert-channel-broken.md; the task log says what each of them answered.",
        )


def _hello(fleet: Fleet, run_url: str) -> Message:
    channels = ", ".join(fleet.alerts.channels)
    text = f"{_SAYS}\n\nThe channels of this fleet: {channels}.\nThe run: {run_url}\n"
    return Message(
        title=f"[{fleet.fleet} {fleet.environment}] test of the alert channels: all is well",
        text=text,
        html="".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line),
        chat=f"{_SAYS}\n{run_url}",
        is_good_news=True,
        wakes_somebody=False,
    )
