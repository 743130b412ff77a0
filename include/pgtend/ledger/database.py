"""The ledger in a database: the `reporting` schema behind the Ledger protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from pgtend.kernel.errors import Outage
from pgtend.kernel.names import new_run_id
from pgtend.kernel.times import Clock, say_span, utc_now
from pgtend.ledger.chain import EMPTY, clean, detail_text, judge_chain
from pgtend.ledger.errors import KeepTooShort, LedgerUnreachable
from pgtend.ledger.evidence import values_of
from pgtend.ledger.migrate import APPEND_AUDIT
from pgtend.ledger.model import AuditEntry, AuditHead, ChainBreak, ChainVerdict, Ending, Fact, Fault, Run, Subject
from pgtend.ledger.recording import recorded
from pgtend.postgres.errors import ConnectionLost
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Query, command, query

Reopen: TypeAlias = Callable[[], AbstractContextManager[Session]]
Answer = TypeVar("Answer")
_PAGE = 10_000
_KEEPS_AT_LEAST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Started:
    """A run as the ledger opened it."""

    started_at: datetime
    vanished: list[str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whether a batch of evidence is still to be written."""

    is_new: bool


@dataclass(frozen=True, slots=True)
class BreakRow:
    """A break as the server found it."""

    seq: int
    fault: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The partitions that were dropped."""

    partitions: list[str]


START_RUN = query(__package__ or "", "start_run", Started)
FINISH_RUN = command(__package__ or "", "finish_run")
CLAIM_BATCH = query(__package__ or "", "claim_batch", Claimed)
READ_AUDIT_HEAD = query(__package__ or "", "read_audit_head", AuditHead)
READ_AUDIT_AFTER = query(__package__ or "", "read_audit_after", AuditEntry)
READ_AUDIT_BREAKS = query(__package__ or "", "read_audit_breaks", BreakRow)
FORGET = query(__package__ or "", "forget", Forgotten)


@dataclass(slots=True)
class DatabaseRun:
    """A run whose row is in the reporting database.

    Evidence is written at once and not with the outcome: a job that is killed after three thousand of five thousand
    tables has proved three thousand, and the ledger must say so. What `add` is given in one call is there as a whole
    or not at all.
    """

    ledger: DatabaseLedger
    run_id: str
    started_at: datetime
    vanished: tuple[str, ...]
    batches: int = 0

    def add(self, query: Query[None], rows: Sequence[object]) -> None:
        """Keep evidence: one row for each dataclass, whose fields are the values of the statement beside `run_id`."""
        if rows:
            values = [{**values_of(row), "run_id": self.run_id} for row in rows]

            def write(session: Session) -> None:
                # Counted when it is written: whoever goes on after one that failed would lose all that follow.
                claim = {**self._key, "batch": self.batches + 1, "size": len(rows)}
                _write_batch(session, claim, query, values)
                self.batches += 1

            self.ledger.reach(write)

    def close(self, ending: Ending) -> None:
        """Write down how it ended; telling it twice is harmless."""
        told = {name: clean(text) for name, text in asdict(ending).items()}
        self.ledger.reach(lambda session: session.run(FINISH_RUN, {**self._key, **told}))

    @property
    def _key(self) -> dict[str, object]:
        return {"run_id": self.run_id, "started_at": self.started_at}


class DatabaseLedger:
    """The memory of the fleet in a database of its own, reached through one session.

    `reopen` makes a new session where a long run outlived the connection: hours of backup pass between the intent and
    the outcome, and a firewall forgets an idle connection long before.
    """

    def __init__(self, session: Session, reopen: Reopen | None = None, *, clock: Clock = utc_now) -> None:
        self._session = session
        self._reopen = reopen
        self._clock = clock
        self._one_at_a_time = threading.RLock()

    @contextmanager
    def run(self, subject: Subject) -> Generator[Run]:
        """Write down the intent, let the work happen, write down the outcome."""
        run_id = new_run_id(self._clock())
        intent = {"run_id": run_id, **{name: clean(text) for name, text in asdict(subject).items()}}
        started = self.reach(lambda session: session.row(START_RUN, intent), again=False)
        with recorded(DatabaseRun(self, run_id, started.started_at, tuple(started.vanished))) as run:
            yield run

    def audit(self, *, actor: str, action: str, target: str, detail: Mapping[str, Fact]) -> AuditHead:
        """Append one entry to the audit; when this fails, what it speaks of must not be done."""
        entry = {"actor": clean(actor), "action": action, "target": clean(target), "detail": detail_text(detail)}
        # Over a broken connection it may come twice: two intents for one action are harmless, none is not.
        return self.reach(lambda session: session.row(APPEND_AUDIT, entry))

    def audit_head(self) -> AuditHead:
        """Tell the newest entry, for whoever anchors it elsewhere."""
        newest = self.reach(lambda session: session.rows(READ_AUDIT_HEAD))
        return newest[0] if newest else EMPTY

    def verify_chain(self, anchors: Sequence[AuditHead] = ()) -> ChainVerdict:
        """Read the whole audit again, compute every hash anew, and compare with heads that were kept elsewhere."""
        return judge_chain(self.entries(), anchors)

    def entries(self, after: int = 0) -> Iterator[AuditEntry]:
        """Read the audit in the order of the chain, from the entry behind `after`."""
        while page := self._page(after):
            yield from page
            after = page[-1].seq

    def breaks_by_server(self) -> tuple[ChainBreak, ...]:
        """Let PostgreSQL judge the chain where it lies; its word is worth as much as the server can be trusted."""
        found = self.reach(lambda session: session.rows(READ_AUDIT_BREAKS))
        return tuple(ChainBreak(row.seq, Fault(row.fault)) for row in found)

    def forget(self, *, keep: timedelta, actor: str) -> tuple[str, ...]:
        """Drop the partitions of months that ended longer ago than `keep`, never less than 90 days; never the audit."""
        if keep < _KEEPS_AT_LEAST:
            raise KeepTooShort(
                f"the ledger keeps at least 90 days, not {say_span(keep)}",
                detail="Every job may let it forget, so no job must be able to erase what happened last week.",
                hint="Set ledger.keep in the fleet file to 90 days or more.",
            )
        asked = {"keep": keep, "actor": actor}
        return tuple(self.reach(lambda session: session.row(FORGET, asked)).partitions)

    def reach(self, ask: Callable[[Session], Answer], *, again: bool = True) -> Answer:
        """Ask the ledger, once more over a new connection where the old one broke and asking twice is harmless."""
        with self._one_at_a_time:
            try:
                return ask(self._session)
            except ConnectionLost as lost:
                if not again or self._reopen is None:
                    raise unreachable(lost) from lost
                return self._ask_anew(self._reopen, ask)
            except Outage as outage:
                raise unreachable(outage) from outage

    def _ask_anew(self, reopen: Reopen, ask: Callable[[Session], Answer]) -> Answer:
        try:
            with reopen() as session:
                return ask(session)
        except Outage as outage:
            raise unreachable(outage) from outage

    def _page(self, after: int) -> list[AuditEntry]:
        return self.reach(lambda session: session.rows(READ_AUDIT_AFTER, {"seq": after, "page": _PAGE}))


def unreachable(outage: Outage) -> LedgerUnreachable:
    """Say that it is the ledger that does not answer, and not a database we tend."""
    return LedgerUnreachable(
        f"the ledger does not answer: {outage.message}",
        detail=outage.detail,
        hint=outage.hint or "See docs/runbooks/ledger-unreachable.md.",
    )


def _write_batch(
    session: Session, claim: Mapping[str, object], query: Query[None], values: Sequence[Mapping[str, object]]
) -> None:
    with session.transaction():
        if session.row(CLAIM_BATCH, claim).is_new:
            session.run_for_each(query, values)
