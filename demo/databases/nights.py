"""A month of nights for a database that is new: what its statements would have cost, written as a reading writes it.

The statements, their texts and what one call costs are real: they come from the server after the application worked for
a while. How often each was called in each night is made up, and two things went wrong on purpose: one statement reads
many times the blocks it used to since three nights ago, and in one night the whole server was slow.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.identifiers import database as identifier
from pgtend.postgres.session import Session
from pgtend.statements.columns import sources
from pgtend.statements.readiness import Counting, require_counting
from pgtend.statements.snapshot import (
    ADD_TEXTS,
    BEGIN_STATEMENTS,
    COPY_COUNTERS_IN,
    COPY_COUNTERS_OUT,
    FINISH_STATEMENTS,
    READ_TEXTS,
    TIDY_STATEMENTS,
    Target,
)
from pgtend.statements.texts import scrubbed_texts

NIGHTS = 35
BAD_NIGHTS = 3
SLOW_NIGHT = 12
_KEYS, _CALLS, _FIRST_TIME, _LAST_COUNTER = 4, 4, 7, 36
_TIMES = frozenset({7, 9, *range(20, 26), 31})
_BLOCKS = frozenset({10, 11})
_SQUARES = 8
_NOTHING = "\\N"


@dataclass(slots=True)
class Entry:
    """One statement on its way through the nights: what a call costs, and what it has counted so far."""

    keys: Sequence[str]
    per_call: Sequence[float | None]
    rest: Sequence[str]
    often: float
    counted: list[float]

    @classmethod
    def read(cls, line: str, dice: random.Random) -> Entry:
        """Take a line of counters as the server gives it."""
        fields = line.split("\t")
        calls = max(float(fields[_CALLS]), 1.0)
        cost = [None if text == _NOTHING else float(text) / calls for text in fields[_KEYS:_LAST_COUNTER]]
        extremes = fields[_LAST_COUNTER : _LAST_COUNTER + 2]
        often = calls * dice.uniform(2, 6) + 40
        return cls(fields[:_KEYS], cost, [*extremes, _NOTHING, _NOTHING], often, [0.0] * len(cost))

    def live(self, factor: float, blocks: float, dice: random.Random) -> None:
        """Let a night pass: so many times slower, and so many times the blocks."""
        calls = round(self.often * dice.lognormvariate(0, 0.15))
        slow = factor * dice.lognormvariate(0, 0.08)
        for place, cost in enumerate(self.per_call):
            number = place + _KEYS
            weight = slow if number in _TIMES else slow**2 if number == _SQUARES else 1.0
            weight *= blocks if number in _BLOCKS else 1.0
            self.counted[place] += calls * (cost or 0.0) * weight

    def line(self) -> str:
        """Write it as the server would."""
        shown = [
            _NOTHING if cost is None else str(count) if _is_real(place + _KEYS) else str(round(count))
            for place, (cost, count) in enumerate(zip(self.per_call, self.counted, strict=True))
        ]
        return "\t".join([*self.keys, *shown, *self.rest])


def make_nights(database: str, source: Session, ledger: DatabaseLedger, last: date, *, nights: int = NIGHTS) -> None:
    """Fill a ledger that knows nothing of this database with nights up to `last`."""
    dice = random.Random(database)
    counting = require_counting(source)
    known = sources(counting.columns)
    schema = identifier(counting.schema)
    lines = b"".join(source.copy_out(COPY_COUNTERS_OUT, {}, schema=schema, **known)).decode().splitlines()
    entries = sorted((Entry.read(line, dice) for line in lines), key=lambda entry: entry.keys)
    worst = max(entries, key=lambda entry: entry.often * (entry.per_call[_FIRST_TIME - _KEYS] or 0.0))
    texts = source.rows(
        READ_TEXTS, {"queryids": [int(e.keys[2]) for e in entries]}, schema=schema, toplevel=known["toplevel"]
    )
    for back in reversed(range(nights)):
        for entry in entries:
            is_bad = entry is worst and back < BAD_NIGHTS
            slow = 1.4 if back == SLOW_NIGHT else 1.0
            entry.live(slow * (4.0 if is_bad else 1.0), 25.0 if is_bad else 1.0, dice)
        night = _Night(Target(database=database), last - timedelta(days=back), counting, int(entries[0].keys[3]))
        ledger.reach(lambda session, night=night: night.keep(session, entries, scrubbed_texts(texts)))


@dataclass(frozen=True, slots=True)
class _Night:
    """One night on its way into the ledger, through the same statements that a reading uses."""

    target: Target
    day: date
    counting: Counting
    database_oid: int

    def keep(self, session: Session, entries: Sequence[Entry], texts: dict[str, object]) -> None:
        """Write it down."""
        with session.transaction():
            begun = session.row(BEGIN_STATEMENTS, {**self._named, "slow_ms": 100.0})
            session.copy_blocks(COPY_COUNTERS_IN, _blocks(entries))
            if begun.nights == 0:
                session.run(
                    ADD_TEXTS, {**texts, "target": begun.target, "day": self.day, "database_oid": self.database_oid}
                )
            asked = {"target": begun.target, "day": self.day}
            session.row(FINISH_STATEMENTS, {**asked, "facts": json.dumps(self._facts(len(entries)))})
        session.run(TIDY_STATEMENTS, {**asked, "keep": timedelta(days=730)})

    @property
    def _named(self) -> dict[str, object]:
        return {"database": self.target.database, "replica": self.target.replica, "day": self.day}

    def _facts(self, entries: int) -> dict[str, object]:
        ended = datetime.combine(self.day + timedelta(days=1), time(0, 5), UTC)
        return {
            "run_id": f"made-up-{self.day}",
            "taken_at": ended.isoformat(),
            "system_identifier": "made up",
            "timeline": 1,
            "postmaster_started_at": "2020-01-01T00:00:00Z",
            "is_standby": False,
            "server_version": 150000,
            "extension_version": self.counting.version,
            "database_oid": self.database_oid,
            "has_stats_since": False,
            "dealloc": 0,
            "capacity": self.counting.capacity,
            "entries_on_server": entries,
            "bytes_copied": 0,
        }


def _blocks(entries: Sequence[Entry]) -> Iterator[bytes]:
    for entry in entries:
        yield f"{entry.line()}\n".encode()


def _is_real(number: int) -> bool:
    return number in _TIMES or number == _SQUARES
