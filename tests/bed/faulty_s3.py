"""An S3 server that fails on demand: an HTTP proxy that answers, loses, stalls or alters the requests it is told to."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


class Act(Enum):
    """What happens to a request."""

    ANSWER = auto()
    """It is answered with an error and never reaches the server."""
    LOSE_ANSWER = auto()
    """The server does it, and the line is cut before the answer."""
    STALL = auto()
    """Nothing happens for ever."""
    ALTER = auto()
    """The server does it and the answer is altered on its way."""


@dataclass(slots=True)
class Fault:
    """Which requests fail, and how."""

    act: Act
    method: str
    mark: str = ""
    """Part of the request's path and query, such as `partNumber=2`."""
    skip: int = 0
    times: int = 1
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def strikes(self, method: str, path: str) -> bool:
        """Say whether this request is hit, and count it."""
        if method != self.method or self.mark not in path or self.times <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


def error_body(code: str, message: str = "made to fail") -> str:
    """Write an error the way S3 does."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'


@dataclass(slots=True)
class FaultyS3:
    """Stands between a client and an S3 server."""

    upstream: str
    endpoint: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Note a request, and find what is to happen to it."""
        with self._lock:
            self.requests.append((method, path))
            return next((fault for fault in self.faults if fault.strikes(method, path)), None)

    def count(self, method: str, mark: str = "") -> int:
        """Count the requests that came."""
        return sum(1 for done, path in self.requests if done == method and mark in path)


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: FaultyS3

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fault = self.site.fault_for(self.command, self.path)
        if fault is None:
            self._answer(*self._forward(body))
        elif fault.act is Act.ANSWER:
            self._answer(fault.status, [("Content-Type", "application/xml")], fault.body.encode())
        elif fault.act is Act.LOSE_ANSWER:
            self._forward(body)
            self._cut()
        elif fault.act is Act.STALL:
            self.site.over.wait(30)
            self._cut()
        else:
            status, headers, answer = self._forward(body)
            kept = [(name, value) for name, value in headers if name.lower() not in fault.headers]
            self._answer(status, [*kept, *fault.headers.items()], fault.body.encode() or answer)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve  # noqa: N815 - the names http.server calls

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        with closing(http.client.HTTPConnection(urlsplit(self.site.upstream).netloc, timeout=60)) as server:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"expect", "connection"}:
                    server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            return answer.status, headers, answer.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD" or "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Keep quiet: the test says what it expects."""


@contextmanager
def faulty_s3(upstream: str) -> Generator[FaultyS3]:
    """Run a faulty S3 in front of a real one."""
    site = FaultyS3(upstream)
    door = type("Door", (_Door,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), door) as server:
        server.daemon_threads = True
        site.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()
            thread.join(timeout=10)
