"""Servers of a bench: one that waits for its disk, as in production, and one that does not, as in tests."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from bed.clusters import tools_of
from pgtend.postgres.throwaway import ThrowawayServer

SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB", "autovacuum": "off"}
DURABLE = {**SETTINGS, "fsync": "on", "full_page_writes": "on"}
MAJOR = 18


@contextmanager
def durable_server() -> Generator[ThrowawayServer]:
    """Start a server of the newest version on which every commit is on disk when it returns."""
    with ThrowawayServer(tools=tools_of(MAJOR), settings=DURABLE, listens_on_tcp=True) as server:
        yield server


@contextmanager
def quick_server() -> Generator[ThrowawayServer]:
    """Start one that waits for no disk: copies of whole databases are made on it between measurements."""
    with ThrowawayServer(tools=tools_of(MAJOR), settings=SETTINGS, listens_on_tcp=True) as server:
        yield server
