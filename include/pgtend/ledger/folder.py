"""The ledger in a folder, for whoever tends databases from one machine and has no reporting database yet.

audit.jsonl            the chain, one entry a line, only ever appended to
open/<run>.json        a run that goes on; its process holds a lock on it, so a lock nobody holds is a dead run
evidence/<run>.jsonl   what the run left; the digest of the file is in the outcome

A run is written nowhere else: the chain tells when it started and how it ended.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from pgtend.kernel.digests import canonical_json
from pgtend.kernel.names import new_run_id
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.chain import EMPTY, clean, detail_text, head_of, judge_chain, sealed
from pgtend.ledger.errors import LedgerRefused, LedgerUnreachable
from pgtend.ledger.evidence import evidence_line, values_of
from pgtend.ledger.lines import last_line, parse_line, read_lines, torn_tail, write_line
from pgtend.ledger.model import AuditEntry, AuditHead, ChainVerdict, Ending, Fact, Run, Subject
from pgtend.ledger.recording import recorded
from pgtend.sqlfiles import Query


@dataclass(slots=True)
class FolderRun:
    """A run that goes on, and the lock that shows it is alive."""

    ledger: FolderLedger
    subject: Subject
    run_id: str
    vanished: tuple[str, ...]
    sign_of_life: BinaryIO
    evidence_rows: int = 0
    is_closed: bool = False

    def add(self, query: Query[None], rows: Sequence[object]) -> None:
        """Keep evidence: one line for each dataclass, on disk when this returns."""
        with self.ledger.touching_disk(), self._evidence.open("ab") as file:
            for row in rows:
                file.write(evidence_line({"kind": query.name, **values_of(row)}).encode())
            file.flush()
            os.fsync(file.fileno())
        self.evidence_rows += len(rows)

    def close(self, ending: Ending) -> None:
        """Write down how it ended; telling it twice is harmless."""
        if self.is_closed:
            return
        detail = {"run_id": self.run_id, "evidence_rows": self.evidence_rows, **self._digest()}
        detail |= {name: text for name, text in asdict(ending).items() if name != "outcome"}
        self.ledger.end_run(self, f"run.{ending.outcome}", detail)
        self.is_closed = True

    @property
    def _evidence(self) -> Path:
        return self.ledger.path / "evidence" / f"{self.run_id}.jsonl"

    def _digest(self) -> dict[str, Fact]:
        with self.ledger.touching_disk():
            if not self.evidence_rows:
                return {}
            return {"evidence_sha256": hashlib.sha256(self._evidence.read_bytes()).hexdigest()}


class FolderLedger:
    """The memory of the fleet on one machine: a chain of JSON lines, synced to disk before anything is done."""

    def __init__(self, path: Path, *, clock: Clock = utc_now) -> None:
        self.path = path.expanduser()
        self._chain = self.path / "audit.jsonl"
        self._clock = clock

    @contextmanager
    def run(self, subject: Subject) -> Generator[Run]:
        """Write down the intent, let the work happen, write down the outcome."""
        run_id = new_run_id(self._clock())
        with self._alone():
            vanished = tuple(self._close_vanished(subject))
            file = self._show_life(run_id, subject)
            detail: dict[str, Fact] = {"run_id": run_id, "run_url": subject.run_url}
            self._append(subject.actor, "run.started", subject.target, detail)
        with file, recorded(FolderRun(self, subject, run_id, vanished, file)) as run:
            yield run

    def audit(self, *, actor: str, action: str, target: str, detail: Mapping[str, Fact]) -> AuditHead:
        """Append one entry to the audit; when this fails, what it speaks of must not be done."""
        with self._alone():
            return self._append(actor, action, target, detail)

    def audit_head(self) -> AuditHead:
        """Tell the newest entry, for whoever anchors it elsewhere."""
        with self._alone():
            return self._head()

    def entries(self, after: int = 0) -> Iterator[AuditEntry]:
        """Read the audit in the order of the chain, from the entry behind `after`."""
        with self._alone():
            whole = read_lines(self._chain)
        return (entry for entry in whole if entry.seq > after)

    def verify_chain(self, anchors: Sequence[AuditHead] = ()) -> ChainVerdict:
        """Read the whole audit again, compute every hash anew, and compare with heads that were kept elsewhere."""
        return judge_chain(self.entries(), anchors)

    def end_run(self, run: FolderRun, action: str, detail: Mapping[str, Fact]) -> None:
        """Append the outcome of a run and take away its sign of life."""
        with self._alone():
            self._append(run.subject.actor, action, run.subject.target, detail)
            Path(run.sign_of_life.name).unlink()

    @contextmanager
    def touching_disk(self) -> Generator[None]:
        """Say in our words what the disk refused."""
        try:
            yield
        except PermissionError as error:
            raise LedgerRefused(
                f"the ledger folder {self.path} may not be written",
                hint="Give the folder to the user who runs pgtend, or name a reporting database in the fleet file.",
            ) from error
        except OSError as error:
            raise LedgerUnreachable(
                f"the ledger folder {self.path} cannot be written",
                detail=f"The system said: {error.strerror}.",
                hint="Free room on its disk or mount it; see docs/runbooks/ledger-unreachable.md.",
            ) from error

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Keep other processes and threads out; the lock goes with the process, however it dies."""
        with self.touching_disk():
            for folder in (self.path / "open", self.path / "evidence"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self.path / "lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._mend()
                yield

    def _mend(self) -> None:
        """Cut off a line that a dying process left half written: nobody was ever told that it is there."""
        torn = torn_tail(self._chain)
        if torn:
            os.truncate(self._chain, self._chain.stat().st_size - torn)
            self._append("pgtend", "ledger.mended", "audit.jsonl", {"bytes": torn})

    def _append(self, actor: str, action: str, target: str, detail: Mapping[str, Fact]) -> AuditHead:
        before = self._head()
        entry = sealed(
            AuditEntry(
                seq=before.seq + 1,
                at=self._clock(),
                login=getpass.getuser(),
                actor=clean(actor),
                action=clean(action),
                target=clean(target),
                detail=detail_text(detail),
                prev=bytes.fromhex(before.hash),
                hash=b"",
            )
        )
        write_line(self._chain, entry)
        return head_of(entry)

    def _head(self) -> AuditHead:
        line = last_line(self._chain)
        return head_of(parse_line(line, self._chain)) if line else EMPTY

    def _close_vanished(self, subject: Subject) -> Iterator[str]:
        mark = _mark(subject)
        for path in sorted((self.path / "open").glob("*.json")):
            with path.open("rb") as file:
                if file.read() == mark and _is_abandoned(file):
                    self._append(subject.actor, "run.vanished", subject.target, {"run_id": path.stem})
                    path.unlink()
                    yield path.stem

    def _show_life(self, run_id: str, subject: Subject) -> BinaryIO:
        path = self.path / "open" / f"{run_id}.json"
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(_mark(subject))
        file.flush()
        return file


def _mark(subject: Subject) -> bytes:
    return canonical_json({"database": subject.database, "pipeline": subject.pipeline})


def _is_abandoned(file: BinaryIO) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
