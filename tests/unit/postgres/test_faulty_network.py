"""The network that fails on demand does to a client what a real one would do."""

from __future__ import annotations

import socket
import struct

from bed.faulty_network import faulty_network


def test_a_reset_by_the_server_reaches_the_client() -> None:
    """A client that waits for an answer learns that there is nobody left to give one."""
    with socket.create_server(("127.0.0.1", 0)) as listener, faulty_network(listener.getsockname()[1]) as network:
        with socket.create_connection(("127.0.0.1", network.port), timeout=20) as client:
            server, _ = listener.accept()
            client.sendall(b"a question")
            assert server.recv(100) == b"a question"
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.close()
            try:
                heard = client.recv(100)
            except ConnectionResetError:
                heard = b""
        assert heard == b""
