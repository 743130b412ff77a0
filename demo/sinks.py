"""Where the demo's alerts arrive: a mail server and a webhook that keep what they get, and a page to read it.

Mails become files in the folder `mail`, webhooks lines in `webhooks.jsonl`. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import html
import json
import signal
import threading
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>pgtend demo: alerts</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color-scheme:light dark}}
pre{{white-space:pre-wrap;border-left:3px solid #888;padding-left:1em}}</style>
<h1>Alerts</h1><h2>Mails</h2>{mails}<h2>Webhooks</h2>{webhooks}</html>"""
NOTHING = "<p>None so far. Stop the database and run a pipeline to see one.</p>"
SHOWN = 50


class MailKeeper:
    """Keeps every mail as a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Write one mail down."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.eml"
        (self.folder / name).write_bytes(envelope.original_content or b"")
        return "250 kept"


class WebPage(BaseHTTPRequestHandler):
    """Takes webhooks by POST and shows everything by GET."""

    def __init__(self, *arguments: object, folder: Path) -> None:
        self.folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        """Keep one webhook."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        line = {"at": datetime.now(UTC).isoformat(), "path": self.path, "body": parsed(body)}
        with (self.folder / "webhooks.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.answer("text/plain", "kept\n")

    def do_GET(self) -> None:
        """Show what arrived, newest first."""
        mails = "".join(show_mail(file) for file in sorted(self.folder.glob("mail/*.eml"), reverse=True)[:SHOWN])
        kept = self.folder / "webhooks.jsonl"
        lines = kept.read_text().splitlines()[::-1][:SHOWN] if kept.exists() else []
        webhooks = "".join(f"<pre>{html.escape(json.dumps(json.loads(line), indent=1))}</pre>" for line in lines)
        self.answer("text/html", PAGE.format(mails=mails or NOTHING, webhooks=webhooks or NOTHING))

    def answer(self, kind: str, text: str) -> None:
        """Send a page."""
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
        """Keep the log free of a line for each look at the page."""


def parsed(body: str) -> object:
    """Read a body as JSON if it is JSON."""
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return body


def show_mail(file: Path) -> str:
    """Draw one mail."""
    mail = message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    text = body.get_content() if body is not None else ""
    head = f"{mail['Subject']} (to {mail['To']}, {file.stem})"
    return f"<h3>{html.escape(head)}</h3><pre>{html.escape(text)}</pre>"


def main() -> None:
    """Listen until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    wanted = parser.parse_args()
    (wanted.folder / "mail").mkdir(parents=True, exist_ok=True)
    mail = Controller(MailKeeper(wanted.folder / "mail"), hostname="127.0.0.1", port=wanted.smtp_port)
    web = ThreadingHTTPServer(("127.0.0.1", wanted.http_port), partial(WebPage, folder=wanted.folder))
    mail.start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=web.shutdown).start())
    web.serve_forever()
    mail.stop()


if __name__ == "__main__":
    main()
