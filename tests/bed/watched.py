"""What a watchdog watches, to be stopped and started again: an Airflow's health page, a mailer, a webhook, a switch."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

from bed.airflow_site import free_ports
from bed.message_sinks import MailSink

HEALTHY = {"metadatabase": "healthy", "scheduler": "healthy", "triggerer": "healthy", "dag_processor": "healthy"}


class Listener(ThreadingHTTPServer):
    """An HTTP server whose port can be had again at once."""

    allow_reuse_address = True
    daemon_threads = True


@dataclass
class Site:
    """A web server on one port: answers health like Airflow, and keeps what it is posted and asked."""

    port: int = field(default_factory=lambda: free_ports(1)[0])
    health: dict[str, str] = field(default_factory=lambda: dict(HEALTHY))
    posts: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    asked: list[str] = field(default_factory=list[str])
    status: HTTPStatus = HTTPStatus.OK
    _server: Listener | None = None

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        site = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                self._answer(json.dumps({name: {"status": status} for name, status in site.health.items()}).encode())

            def do_HEAD(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if site.status is HTTPStatus.OK:
                    site.posts.append(content)
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(site.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing: the test reads what arrived."""

        self._server = Listener(("127.0.0.1", self.port), Answers)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be gone, as after a crash: nobody listens."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@dataclass
class Mailer:
    """A real SMTP server that can be stopped and started again where it was."""

    sink: MailSink = field(default_factory=lambda: MailSink(free_ports(1)[0]))
    _controller: Controller | None = None

    def start(self) -> None:
        """Begin to take mail."""
        self._controller = Controller(self.sink, hostname="127.0.0.1", port=self.sink.port)
        self._controller.start()

    def stop(self) -> None:
        """Be gone."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
