"""A connection pooler reduced to what gives one away: startup parameters dropped, a cancel key of its own.

PgBouncer with `ignore_startup_parameters = options` does both; which one is wanted can be chosen.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_SSL_REQUEST = 80877103


@dataclass(frozen=True, slots=True, kw_only=True)
class PretendedPooler:
    """What this pooler does to a connection, and where it listens."""

    upstream: tuple[str, int]
    listener: socket.socket
    drops_options: bool
    invents_keys: bool

    @property
    def port(self) -> int:
        """Where to connect to."""
        return self.listener.getsockname()[1]

    def live(self) -> None:
        """Serve one connection after the other until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client, socket.create_connection(self.upstream) as server, suppress(OSError):
                    self._serve(client, server)

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        server.sendall(self._startup(client))
        answers = threading.Thread(target=self._carry_answers, args=(server, client), daemon=True)
        answers.start()
        while chunk := client.recv(65536):
            server.sendall(chunk)
        server.shutdown(socket.SHUT_RDWR)
        answers.join()

    def _startup(self, client: socket.socket) -> bytes:
        body = _packet(client)
        if struct.unpack("!I", body[:4])[0] == _SSL_REQUEST:
            client.sendall(b"N")
            body = _packet(client)
        words = body[4:].rstrip(b"\0").split(b"\0")
        params = dict(zip(words[::2], words[1::2], strict=True))
        if self.drops_options:
            params.pop(b"options", None)
        content = body[:4] + b"".join(key + b"\0" + value + b"\0" for key, value in params.items()) + b"\0"
        return struct.pack("!I", len(content) + 4) + content

    def _carry_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while kind := server.recv(1):
                body = _packet(server)
                if kind == b"K" and self.invents_keys:
                    body = struct.pack("!I", 4242424) + body[4:]
                client.sendall(kind + struct.pack("!I", len(body) + 4) + body)


@contextmanager
def pretended_pooler(
    port: int, *, drops_options: bool = False, invents_keys: bool = False
) -> Generator[PretendedPooler]:
    """Stand in front of the server on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pooler = PretendedPooler(
            upstream=("127.0.0.1", port), listener=listener, drops_options=drops_options, invents_keys=invents_keys
        )
        thread = threading.Thread(target=pooler.live, daemon=True)
        thread.start()
        try:
            yield pooler
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)


def _packet(source: socket.socket) -> bytes:
    """Read what follows a length that counts itself."""
    (length,) = struct.unpack("!I", _exactly(source, 4))
    return _exactly(source, length - 4)


def _exactly(source: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        chunk = source.recv(size - len(content))
        if not chunk:
            raise ConnectionError("the connection ended in the middle of a message")
        content += chunk
    return content
