"""What the ledger speaks of: runs and how they ended, the audit and whether its chain holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted
from pgtend.ledger.errors import ChainBroken
from pgtend.postgres.redaction import redact
from pgtend.sqlfiles import Query

Fact: TypeAlias = str | int | bool | None
_LONGEST = 500


class Outcome(StrEnum):
    """How a run stands. Kept as written."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a run is about: which database, which promise, on whose behalf."""

    database: str
    pipeline: str
    actor: str
    run_url: str = ""

    @property
    def target(self) -> str:
        """The name under which the audit knows it."""
        return f"{self.database}/{self.pipeline}"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, in words that may be kept for years."""

    outcome: Outcome
    error_code: str = ""
    error_message: str = ""
    hint: str = ""


def ending_of(error: BaseException) -> Ending:
    """Judge how a run ended from what came out of it.

    Our own errors are written to be read; of anything else only the kind is kept, because nobody knows what is in it.
    """
    if isinstance(error, PgtendError):
        return Ending(Outcome.FAILED, error.code, redact(error.message)[:_LONGEST], redact(error.hint)[:_LONGEST])
    kind = type(error).__name__
    return Ending(Outcome.INTERRUPTED, kind, f"stopped by {kind}")


class Run(Protocol):
    """A run while it goes on."""

    @property
    def run_id(self) -> str:
        """The name of this run; names sort by time."""
        ...

    @property
    def vanished(self) -> tuple[str, ...]:
        """The runs of the same subject whose process died without a word, found when this one started."""
        ...

    def add(self, query: Query[None], rows: Sequence[object]) -> None:
        """Keep evidence: one row for each dataclass, whose fields are the values of the statement beside `run_id`."""
        ...


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest entry of a chain: whoever keeps it can tell later whether anything before it was touched."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action as it was written down; `detail` is the JSON text that was hashed."""

    seq: int
    at: datetime
    login: str
    actor: str
    action: str
    target: str
    detail: str
    prev: bytes
    hash: bytes


class Fault(StrEnum):
    """What is wrong with a chain. Shown to people as written."""

    GAP = "its number does not follow the one before it"
    UNLINKED = "it does not follow the entry before it"
    CHANGED = "it was changed after it was written"
    CUT_OFF = "it was seen once and is missing at the end"
    REWRITTEN = "another entry was seen in its place"


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """One place where a chain does not hold."""

    seq: int
    fault: Fault

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.fault}"


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What reading a whole chain showed."""

    entries: int
    head: AuditHead
    breaks: tuple[ChainBreak, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, removed or put in another order."""
        return not self.breaks

    def raise_if_broken(self) -> None:
        """Page someone when the audit is not what was written."""
        if self.breaks:
            raise ChainBroken(
                f"the audit was tampered with, first at entry {self.breaks[0].seq}",
                detail=f"Of {counted(self.entries, 'entry')} these are wrong: {'; '.join(map(str, self.breaks[:10]))}.",
                hint="Keep the ledger as it is and follow docs/runbooks/audit-chain-broken.md.",
            )


class Ledger(Protocol):
    """Whoever keeps the memory of the fleet: a database, or a folder on the machine of one person."""

    def run(self, subject: Subject) -> AbstractContextManager[Run]:
        """Write down the intent, let the work happen, write down the outcome."""
        ...

    def audit(self, *, actor: str, action: str, target: str, detail: Mapping[str, Fact]) -> AuditHead:
        """Append one entry to the audit; when this fails, what it speaks of must not be done."""
        ...

    def audit_head(self) -> AuditHead:
        """Tell the newest entry, for whoever anchors it elsewhere."""
        ...

    def entries(self, after: int = 0) -> Iterator[AuditEntry]:
        """Read the audit in the order of the chain, from the entry behind `after`."""
        ...

    def verify_chain(self, anchors: Sequence[AuditHead] = ()) -> ChainVerdict:
        """Read the whole audit again, compute every hash anew, and compare with heads that were kept elsewhere."""
        ...
