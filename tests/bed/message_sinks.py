"""Where alerts arrive in tests: a real SMTP server and a real webhook, each keeping what it was sent."""

from __future__ import annotations

import email
import email.policy
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bed.airflow_site import free_ports


@dataclass
class MailSink:
    """Keeps every mail it accepts, as parsed messages; refuses all while `is_broken`."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    is_broken: bool = False

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it by this name
        """Take one mail."""
        if self.is_broken:
            return "451 the disk is full"
        content = cast("bytes", envelope.content)
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 OK"

    def texts(self) -> list[str]:
        """Tell every mail as subject, plain text and HTML."""
        return [
            "\n".join(
                [str(mail["Subject"]), *(str(part.get_content()) for part in mail.walk() if not part.is_multipart())]
            )
            for mail in self.mails
        ]


@dataclass
class WebhookSink:
    """Keeps every JSON message it is posted; answers 503 while `is_broken`."""

    port: int
    posts: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    is_broken: bool = False

    def texts(self) -> list[str]:
        """Tell every message as title and body."""
        return [f"{post['title']}\n{post['message']}" for post in self.posts]


@contextmanager
def mail_sink() -> Generator[MailSink]:
    """Run a real SMTP server on a free port."""
    sink = MailSink(free_ports(1)[0])
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


@contextmanager
def webhook_sink() -> Generator[WebhookSink]:
    """Run a real HTTP server on a free port."""
    sink = WebhookSink(0)

    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            content = cast("dict[str, str]", json.loads(self.rfile.read(length)))
            if not sink.is_broken:
                sink.posts.append(content)
            self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if sink.is_broken else HTTPStatus.OK)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the standard library gave it
            """Say nothing: the test reads what arrived."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
