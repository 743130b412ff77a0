"""Who holds a lock: named by process and application, never by the text of a query."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from pgtend.kernel.times import say_span
from pgtend.sqlfiles import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Whether a lock is ours."""

    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """A session that holds an advisory lock."""

    pid: int
    application: str
    state: str
    since: timedelta

    def __str__(self) -> str:
        return f'process {self.pid} ("{self.application}", {self.state}, connected for {say_span(self.since)})'


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A session whose lock on a relation keeps others out, or stands in the queue before them."""

    pid: int
    application: str
    state: str
    since: timedelta
    relation: str
    mode: str
    is_granted: bool

    def __str__(self) -> str:
        verb = "holds" if self.is_granted else "waits for"
        who = f'process {self.pid} ("{self.application}", {self.state} for {say_span(self.since)})'
        return f"{who} {verb} {self.mode} on {self.relation}"


TAKE_ADVISORY_LOCK = query(__package__ or "", "take_advisory_lock", Attempt)
RELEASE_ADVISORY_LOCK = query(__package__ or "", "release_advisory_lock", Attempt)
READ_LOCK_HOLDER = query(__package__ or "", "read_lock_holder", LockHolder)
READ_BLOCKERS = query(__package__ or "", "read_blockers", Blocker)


def lock_key(name: str) -> int:
    """Derive the 64-bit key of a named advisory lock: the same on every machine and in every release."""
    return int.from_bytes(hashlib.sha256(f"pgtend:{name}".encode()).digest()[:8], signed=True)
