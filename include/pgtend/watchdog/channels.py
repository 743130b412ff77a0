"""The ways out of the house, with nothing of Airflow: mail by smtplib, webhooks by a POST, each tried by itself.

Of an Apprise connection the addresses `json://` and `jsons://` are used, and posted to as Apprise does it. Other
services are Apprise's to know, and it lives inside Airflow.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final, cast
from urllib.parse import urlsplit

from pgtend.fleet.alerts import AppriseChannel, Channel, SmtpChannel
from pgtend.kernel.errors import PgtendError
from pgtend.watchdog.asking import PATIENCE, ask
from pgtend.watchdog.connections import Connections, Known
from pgtend.watchdog.errors import BadConnectionFile, ChannelDown

_WEBHOOKS: Final = {"json": "http", "jsons": "https"}
_RUNBOOK: Final = "Follow docs/runbooks/alert-channel-broken.md."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message, for a mail and for a chat."""

    title: str
    text: str
    is_good_news: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of the fleet file, reached without Airflow."""

    name: str
    channel: Channel
    connections: Connections

    def send(self, letter: Letter) -> None:
        """Send a message, or say why it was not taken."""
        with self._translated():
            if self.channel.smtp is not None:
                _mail(self.channel.smtp, self.connections.require(self.channel.smtp.connection), letter)
            if self.channel.apprise is not None:
                for address in self._addresses(self.channel.apprise):
                    _post(address, letter)

    def probe(self) -> None:
        """Find out whether it would take a message, without sending one."""
        with self._translated():
            if self.channel.smtp is not None:
                with _signed_in(self.connections.require(self.channel.smtp.connection)) as server:
                    server.noop()
            if self.channel.apprise is not None:
                for address in self._addresses(self.channel.apprise):
                    _knock(address)

    def _addresses(self, channel: AppriseChannel) -> Sequence[str]:
        """List the webhooks of an Apprise connection, by their tag as Apprise does."""
        known = self.connections.require(channel.connection)
        found = [address for address, tags in _configured(known) if channel.tag in {None, *tags}]
        usable = [address for address in map(_webhook, found) if address]
        if not usable:
            kinds = ", ".join(sorted({urlsplit(one).scheme for one in found})) or "nothing"
            raise BadConnectionFile(
                f"the watchdog cannot use the channel '{self.name}'",
                detail=f"Its connection names {kinds}; outside Airflow only json:// and jsons:// are known.",
                hint="Add a json:// address to the connection, or a channel by mail to the fleet file.",
            )
        return usable

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # Not the text of the error: it may quote an address with a token in it.
            raise ChannelDown(
                f"the alert channel '{self.name}' takes no message",
                detail=f"Trying it ended in {type(error).__name__}.",
                hint=_RUNBOOK,
            ) from error


def ways_of(channels: dict[str, Channel], connections: Connections) -> tuple[Way, ...]:
    """List the channels of a fleet."""
    return tuple(Way(name, channel, connections) for name, channel in channels.items())


def send_to_all(ways: Sequence[Way], letter: Letter) -> tuple[tuple[str, ...], tuple[PgtendError, ...]]:
    """Send a message to every channel: which took it, and what was wrong with the others."""
    took: list[str] = []
    wrong: list[PgtendError] = []
    for way in ways:
        try:
            way.send(letter)
        except PgtendError as error:
            wrong.append(error)
        else:
            took.append(way.name)
    return tuple(took), tuple(wrong)


def beat(known: Known) -> None:
    """Tell a dead-man's switch elsewhere that the watchdog lives."""
    try:
        ask(known.host)
    except (OSError, ValueError) as error:
        raise ChannelDown(
            "the dead-man's switch does not answer",
            detail=f"Its connection is '{known.name}'; asking it ended in {type(error).__name__}.",
            hint="It will say that the watchdog is dead; check the address in the connection.",
        ) from error


def _mail(channel: SmtpChannel, known: Known, letter: Letter) -> None:
    mail = EmailMessage()
    mail["Subject"] = letter.title
    mail["To"] = ", ".join(channel.to)
    mail["From"] = channel.sender or str(known.extra.get("from_email") or known.login or channel.to[0])
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain="pgtend")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text)
    with _signed_in(known) as server:
        server.send_message(mail)


@contextmanager
def _signed_in(known: Known) -> Generator[smtplib.SMTP]:
    """Connect as Airflow's provider does: TLS from the start, or STARTTLS, unless the connection says otherwise."""
    context = ssl.create_default_context()
    at_once, later = not known.extra.get("disable_ssl"), not known.extra.get("disable_tls")
    port = known.port or 0
    server = (
        smtplib.SMTP_SSL(known.host, port, timeout=PATIENCE, context=context)
        if at_once
        else smtplib.SMTP(known.host, port, timeout=PATIENCE)
    )
    with server:
        if later and not at_once:
            server.starttls(context=context)
        secret = known.password.get_secret_value()
        if known.login and secret:
            server.login(known.login, secret)
        yield server


def _configured(known: Known) -> Generator[tuple[str, set[str]]]:
    config = known.extra.get("config")
    config = cast("object", json.loads(config)) if isinstance(config, str) else config
    for one in cast("list[object]", config) if isinstance(config, list) else [config]:
        block = cast("dict[str, object]", one) if isinstance(one, dict) else {}
        tag = block.get("tag")
        tags = set(cast("list[str]", tag)) if isinstance(tag, list) else {str(tag)} if tag else set[str]()
        yield str(block.get("path") or ""), tags


def _webhook(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{_WEBHOOKS[scheme]}://{rest}" if scheme in _WEBHOOKS else ""


def _post(address: str, letter: Letter) -> None:
    kind = "success" if letter.is_good_news else "failure"
    body: dict[str, str | list[str]] = {"version": "1.0", "title": letter.title, "message": letter.text, "type": kind}
    ask(address, method="POST", content=json.dumps(body).encode())


def _knock(address: str) -> None:
    """Ask whether somebody listens; what the answer is does not matter, because nothing was posted."""
    try:
        ask(address, method="HEAD")
    except urllib.error.HTTPError as answer:
        # Many webhooks refuse HEAD. A gateway without anybody behind it is another matter.
        if answer.code in {502, 503, 504}:
            raise
