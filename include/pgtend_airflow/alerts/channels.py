"""The ways a message takes: mail through the SMTP provider, everything else (chat, pager, webhook) through Apprise."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Final, cast

import apprise
from airflow.providers.apprise.hooks.apprise import AppriseHook
from airflow.providers.smtp.hooks.smtp import SmtpHook

from pgtend.fleet.alerts import AlertSettings, AppriseChannel, Channel, SmtpChannel
from pgtend.kernel.errors import Outage, PgtendError
from pgtend_airflow.alerts.message import Message

_LOG: Final = logging.getLogger("pgtend.alerts")
_LONGEST_LINE: Final = 900


class ChannelBroken(Outage):
    """A channel did not take an alert."""

    code = "airflow.channel_broken"


def deliver(settings: AlertSettings, message: Message) -> bool:
    """Send a message to every channel that wants its class, and tell whether any took it."""
    if not settings.channels:
        _LOG.warning("the fleet file names no alert channel, so nobody is told: %s", message.title)
        return True
    wanting = settings.wanting(wakes_somebody=message.wakes_somebody)
    taken = [_is_taken(name, channel, message) for name, channel in wanting.items()]
    return any(taken)


def deliver_to_each(settings: AlertSettings, message: Message) -> tuple[str, ...]:
    """Send a message to every channel whatever it wants, and name those that did not take it."""
    return tuple(name for name, channel in settings.channels.items() if not _is_taken(name, channel, message))


def _is_taken(name: str, channel: Channel, message: Message) -> bool:
    try:
        if channel.smtp is not None:
            send_mail(channel.smtp, message)
        if channel.apprise is not None:
            send_apprise(channel.apprise, message)
    except Exception as error:  # noqa: BLE001 - a channel that is broken in whatever way must not hide the others
        # Not the text of an error that is not ours: it may quote an address with a token in it.
        why = error.message if isinstance(error, PgtendError) else type(error).__name__
        _LOG.error("the alert channel '%s' took no message: %s", name, why)
        return False
    _LOG.info("told channel '%s': %s", name, message.title)
    return True


def send_mail(channel: SmtpChannel, message: Message) -> None:
    """Send a mail with a plain and an HTML part."""
    # A longer line than usual: a folded subject reaches some readers with a blank in front.
    mail = EmailMessage(SMTP.clone(max_line_length=_LONGEST_LINE))
    mail["Subject"] = message.title
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain="pgtend")
    # A mail program answers neither automatic mail nor with an out-of-office note.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    for page in message.attachments:
        mail.add_attachment(page.content, maintype="text", subtype="html", filename=page.name)
    connection = channel.connection
    with SmtpHook(smtp_conn_id=connection) as hook:
        sender = channel.sender or hook.from_email
        if not sender:
            raise _broken(connection, "no sender is named", "Write `from:` in the fleet file.")
        mail["From"] = sender
        # The provider connects, encrypts and signs in; its own message has no plain part, so ours goes out instead.
        client = hook._smtp_client  # noqa: SLF001 - the provider has no public way to it  # pyright: ignore[reportPrivateUsage]
        if not isinstance(client, smtplib.SMTP):
            raise _broken(connection, "the mail server did not answer", "Check the host and the port.")
        client.send_message(mail)


def send_apprise(channel: AppriseChannel, message: Message) -> None:
    """Post to every service of an Apprise connection; the provider's hook ignores whether they took it."""
    connection = channel.connection
    hook = AppriseHook(apprise_conn_id=connection)
    services = apprise.Apprise()
    hook.set_config_from_conn(conn=hook.get_connection(connection), apprise_obj=services)
    kind = apprise.NotifyType.SUCCESS if message.is_good_news else apprise.NotifyType.FAILURE
    notify = cast("Callable[..., object]", services.notify)  # pyright: ignore[reportUnknownMemberType] - half typed
    tag = channel.tag or apprise.common.MATCH_ALL_TAG
    taken = notify(title=message.title, body=message.chat, notify_type=kind, tag=tag)
    if not taken:
        raise _broken(connection, "a service did not take the message", "Check the addresses in the connection.")


def _broken(connection: str, why: str, hint: str) -> ChannelBroken:
    return ChannelBroken(f"the alert channel '{connection}' is broken", detail=f"It says: {why}.", hint=hint)
