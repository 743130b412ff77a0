"""Takes one night: reads every counter of the server once, and lets the ledger count what came since the last time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Ledger
from pgtend.postgres.errors import StatementTimeout
from pgtend.postgres.identifiers import Composable, database
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query
from pgtend.statements.columns import sources
from pgtend.statements.errors import LedgerCannotCount, NightIsOver, ResetWhileReading
from pgtend.statements.quality import Night
from pgtend.statements.readiness import Counting
from pgtend.statements.texts import Text, scrubbed_texts

_KEEP = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whose statements are read: a database, or a replica of it."""

    database: str
    replica: str = ""

    def __str__(self) -> str:
        return f"{self.database}, replica {self.replica}" if self.replica else self.database


@dataclass(frozen=True, slots=True)
class Server:
    """Who counted, and since when."""

    taken_at: datetime
    system_identifier: str
    timeline: int
    postmaster_started_at: datetime
    is_standby: bool
    server_version: int
    database_oid: int
    entries_on_server: int
    active_total_ms: float | None


@dataclass(frozen=True, slots=True)
class Resets:
    """What happened to all entries at once."""

    dealloc: int | None
    stats_reset: datetime | None


@dataclass(frozen=True, slots=True)
class Begun:
    """A night that was opened."""

    target: int
    nights: int
    newest: date | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An entry whose text is to be asked for."""

    queryid: int


READ_SERVER = query(__package__ or "", "read_server", Server)
READ_RESETS = query(__package__ or "", "read_resets", Resets)
READ_TEXTS = query(__package__ or "", "read_texts", Text)
COPY_COUNTERS_OUT = command(__package__ or "", "copy_counters_out")
COPY_COUNTERS_IN = command(__package__ or "", "copy_counters_in")
BEGIN_STATEMENTS = query(__package__ or "", "begin_statements", Begun)
READ_UNKNOWN = query(__package__ or "", "read_unknown", Unknown)
ADD_TEXTS = command(__package__ or "", "add_texts")
FINISH_STATEMENTS = query(__package__ or "", "finish_statements", Night)
TIDY_STATEMENTS = command(__package__ or "", "tidy_statements")


def require_database(ledger: Ledger) -> DatabaseLedger:
    """Refuse a ledger that cannot count."""
    if not isinstance(ledger, DatabaseLedger):
        raise LedgerCannotCount(
            "the statements of a night can only be kept by a ledger in a database",
            detail="The fleet file names none, so that the ledger is a folder.",
            hint="Name a database under ledger.connection in the fleet file, then run `pgtend ledger migrate`.",
        )
    return ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of one night, on its way from the server into the ledger."""

    target: Target
    day: date
    slow_ms: float
    source: Session
    counting: Counting
    run_id: str

    def into(self, ledger: DatabaseLedger, *, keep: timedelta = _KEEP) -> Night:
        """Read once: all of it is in the ledger afterwards, or nothing. Then tidy up what is over and forgotten."""
        target, night = ledger.reach(self._take, again=False)
        over = {"target": target, "day": self.day, "keep": keep}
        ledger.reach(lambda session: session.run(TIDY_STATEMENTS, over))
        return night

    def _take(self, ledger: Session) -> tuple[int, Night]:
        with ledger.transaction():
            begun = self._begin(ledger)
            server, resets = self._server(), self._resets()
            columns = sources(self.counting.columns)
            blocks = self.source.copy_out(COPY_COUNTERS_OUT, {}, schema=self._schema, **columns)
            copied = ledger.copy_blocks(COPY_COUNTERS_IN, blocks)
            if self._resets().stats_reset != resets.stats_reset:
                raise ResetWhileReading(
                    "the counters were reset while they were read",
                    detail="Nothing was kept, so that nothing can be counted twice.",
                    hint="It is tried again. Whoever resets pg_stat_statements every minute makes it useless.",
                )
            self._learn_texts(ledger, begun.target, server.database_oid)
            facts = json.dumps(self._facts(server, resets, copied), default=str)
            named = {"target": begun.target, "day": self.day, "facts": facts}
            return begun.target, ledger.row(FINISH_STATEMENTS, named)

    @property
    def _schema(self) -> Composable:
        return database(self.counting.schema)

    def _begin(self, ledger: Session) -> Begun:
        named = {"database": self.target.database, "replica": self.target.replica, "slow_ms": self.slow_ms}
        begun = ledger.row(BEGIN_STATEMENTS, {**named, "day": self.day})
        if begun.newest is not None and begun.newest > self.day:
            raise NightIsOver(
                f"the night of {self.day} is over: {begun.newest} was read already",
                detail="pg_stat_statements shows only the present, so that a night of the past cannot be read again.",
                hint="Nothing is lost: the work of a missed night is in the one that was read next.",
            )
        return begun

    def _server(self) -> Server:
        return self.source.row(READ_SERVER, schema=self._schema)

    def _resets(self) -> Resets:
        if not self.counting.tells_resets:
            return Resets(dealloc=None, stats_reset=None)
        return self.source.row(READ_RESETS, schema=self._schema)

    def _learn_texts(self, ledger: Session, target: int, database_oid: int) -> None:
        """Ask for the texts that are new, and keep them without their literals."""
        unknown = [entry.queryid for entry in ledger.rows(READ_UNKNOWN, {"target": target})]
        texts = self._texts(unknown) if unknown else []
        if not texts:
            return
        known = {"target": target, "day": self.day, "database_oid": database_oid}
        ledger.run(ADD_TEXTS, {**known, **scrubbed_texts(texts)})

    def _texts(self, unknown: Sequence[int]) -> list[Text]:
        toplevel = sources(self.counting.columns)["toplevel"]
        try:
            return self.source.rows(READ_TEXTS, {"queryids": unknown}, schema=self._schema, toplevel=toplevel)
        except StatementTimeout:
            # The server's file of texts is too large to be read in time. The figures are worth having without: the
            # night says how many texts are unknown, and the next one asks again.
            return []

    def _facts(self, server: Server, resets: Resets, copied: int) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "taken_at": server.taken_at,
            "system_identifier": server.system_identifier,
            "timeline": server.timeline,
            "postmaster_started_at": server.postmaster_started_at,
            "is_standby": server.is_standby,
            "server_version": server.server_version,
            "extension_version": self.counting.version,
            "database_oid": server.database_oid,
            "has_stats_since": self.counting.is_exact,
            "stats_reset": resets.stats_reset,
            "dealloc": resets.dealloc,
            "capacity": self.counting.capacity,
            "entries_on_server": server.entries_on_server,
            "active_total_ms": server.active_total_ms,
            "bytes_copied": copied,
        }
