"""A network that fails on demand: a TCP proxy that delays, throttles, swallows, cuts or refuses."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

_CHUNK = 64 * 1024
Direction = Literal["up", "down"]


class Ending(Enum):
    """How a cut connection ends."""

    RESET = "reset"
    CLOSED = "closed"


@dataclass(slots=True)
class FaultyNetwork:
    """Stands between a client and a server; its fields may be changed while bytes flow.

    `cut_after` counts the bytes of one connection in the direction `cut_direction` ("down" is towards the client).
    """

    host: str
    upstream_port: int
    port: int = 0
    latency: float = 0.0
    bytes_per_second: float | None = None
    cut_after: int | None = None
    cut_direction: Direction = "down"
    ending: Ending = Ending.RESET
    is_black_hole: bool = False
    refuses: bool = False
    connections: int = 0
    sides: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    carried: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self.connections += 1
        if self.refuses:
            _reset(answer)
            return
        try:
            server, request = await asyncio.open_connection(self.host, self.upstream_port)
        except OSError:
            _reset(answer)
            return
        both = (answer, request)
        self.sides.update(both)
        try:
            await asyncio.gather(self._carry(client, request, "up", both), self._carry(server, answer, "down", both))
        finally:
            for side in both:
                side.close()
            self.sides.difference_update(both)
        for side in both:
            with suppress(OSError):
                await side.wait_closed()

    async def end_all(self) -> None:
        """Break every connection, and wait until each has noticed by itself: a cancelled one leaves noise behind."""
        self.is_black_hole, self.latency, self.bytes_per_second = False, 0.0, None
        deadline = asyncio.get_running_loop().time() + 10
        while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            for side in tuple(self.sides):
                side.transport.abort()
            await asyncio.wait(others, timeout=0.2)
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{len(others)} connections did not end")

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        direction: Direction,
        both: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        carried = 0
        # Either side may be gone at any moment: that is what this proxy is for. One that broke breaks the other too.
        with _passing_a_break_on(both):
            while chunk := await source.read(_CHUNK):
                await self._hold_up(len(chunk))
                left = self._left(direction, carried)
                target.write(chunk if left is None else chunk[:left])
                await target.drain()
                carried += len(chunk)
                self.carried[direction] += len(chunk)
                if left is not None and len(chunk) >= left:
                    self._cut(both)
                    return
            target.write_eof()

    async def _hold_up(self, size: int) -> None:
        while self.is_black_hole:  # noqa: ASYNC110 - the field is set from another thread, where no asyncio.Event may be
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.latency + (size / self.bytes_per_second if self.bytes_per_second else 0))

    def _left(self, direction: Direction, carried: int) -> int | None:
        if self.cut_after is None or direction != self.cut_direction:
            return None
        return max(0, self.cut_after - carried)

    def _cut(self, both: tuple[asyncio.StreamWriter, ...]) -> None:
        for side in both:
            if self.ending is Ending.RESET:
                _reset(side)
            else:
                side.close()


@contextmanager
def faulty_network(port: int, host: str = "127.0.0.1") -> Generator[FaultyNetwork]:
    """Run a faulty network in front of a server; connect to its `port` instead of the server's."""
    network = FaultyNetwork(host, port)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live() -> None:
        listener = await asyncio.start_server(network.serve, "127.0.0.1", 0)
        network.port = listener.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        listener.close()
        await network.end_all()
        # The transports of connections that were cancelled let go of their sockets in the next rounds of the loop.
        for _ in range(3):
            await asyncio.sleep(0)

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),), daemon=True)
    thread.start()
    ready.wait(timeout=10)
    try:
        yield network
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
        loop.close()


@contextmanager
def _passing_a_break_on(both: tuple[asyncio.StreamWriter, ...]) -> Generator[None]:
    """Break both sides when one breaks, as a network passes a reset on; otherwise the other side waits for ever."""
    try:
        yield
    except OSError:
        for side in both:
            side.transport.abort()


def _reset(side: asyncio.StreamWriter) -> None:
    """End a connection by RST, as a crashed machine or a firewall does."""
    connection: socket.socket = side.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.transport.abort()
