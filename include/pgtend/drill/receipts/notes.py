"""What people say about a receipt afterwards: reviews and corrective actions, each a record of its own.

A receipt is never changed. A note lies beside it, names it by its digest, and the audit remembers the digest of the
note; as every later receipt carries the head of the audit, a note cannot be changed or taken back unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field, ValidationError

from pgtend.backup.manifest import read_small
from pgtend.backup.record import Record
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.chain import Sealed
from pgtend.drill.receipts.envelope import ReceiptBroken
from pgtend.drill.receipts.record import NOTED
from pgtend.fleet.leaks import secret_in
from pgtend.kernel.digests import canonical_json, sha256_hex
from pgtend.kernel.errors import Refusal
from pgtend.kernel.names import new_run_id
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.model import Ledger
from pgtend.vault.errors import ObjectMissing

LONGEST_NOTE: Final = 4000


class NoteRefused(Refusal):
    """A note about a receipt is empty, too long, or holds what looks like a secret."""

    code = "drill.note_refused"


class NoteKind(StrEnum):
    """What a note is."""

    REVIEW = "review"
    CORRECTION = "correction"


class ReviewVerdict(StrEnum):
    """What the person who reviewed a receipt decided. Kept and shown as written."""

    ACCEPTED = "accepted"
    """The drill shows what it should, or its failure is dealt with."""
    NEEDS_ACTION = "needs-action"
    """Something has to be done, which a corrective action will say."""
    REJECTED = "rejected"
    """The drill is no evidence: it has to be done again."""


class Note(Record):
    """One thing that a person said about one receipt."""

    format: Literal[1] = 1
    note_id: str
    kind: NoteKind
    receipt_id: str
    receipt_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    by: str
    at: datetime
    verdict: ReviewVerdict | None = None
    """Of a review; nothing for a corrective action."""
    text: str = Field(max_length=LONGEST_NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledNote:
    """A note as it lies in the vault."""

    key: str
    sha256: str
    note: Note


def review_receipt(  # noqa: PLR0913 - who says what about which receipt, and where that is kept
    book: ReceiptBook,
    ledger: Ledger,
    receipt: Sealed,
    *,
    verdict: ReviewVerdict,
    by: str,
    text: str = "",
    actor: str = "",
    clock: Clock = utc_now,
) -> FiledNote:
    """Keep what a person decided about a receipt."""
    if verdict is not ReviewVerdict.ACCEPTED and not text.strip():
        raise _refused("a review that does not accept a receipt says why", "Give the reason with --note.")
    return _file(book, ledger, _note(NoteKind.REVIEW, receipt, by, text, clock, verdict), receipt, actor or by)


def correct_receipt(  # noqa: PLR0913 - who did what about which receipt, and where that is kept
    book: ReceiptBook,
    ledger: Ledger,
    receipt: Sealed,
    *,
    action: str,
    by: str,
    actor: str = "",
    clock: Clock = utc_now,
) -> FiledNote:
    """Keep what was done, or will be done, about what a drill found."""
    if not action.strip():
        raise _refused("a corrective action says what was done", "Write it after --action.")
    return _file(book, ledger, _note(NoteKind.CORRECTION, receipt, by, action, clock, None), receipt, actor or by)


def notes_about(book: ReceiptBook, receipt: Sealed) -> tuple[FiledNote, ...]:
    """Read everything that was said about a receipt, oldest first, and nothing that names other bytes."""
    found = book.note_keys(receipt.receipt.database, receipt.receipt.receipt_id)
    notes = [read_note(book, key) for key in found]
    about = [filed for filed in notes if filed.note.receipt_sha256 == receipt.sha256]
    return tuple(sorted(about, key=lambda filed: filed.note.at))


def read_note(book: ReceiptBook, key: str) -> FiledNote:
    """Read one note."""
    content = read_small(book.vault, key)
    try:
        return FiledNote(key=key, sha256=sha256_hex(content), note=Note.model_validate_json(content))
    except ValidationError as error:
        raise ReceiptBroken(
            "a note about a receipt cannot be read",
            detail=f"It is {key} in {book.vault.place}, and no note that pgtend wrote.",
            hint="Keep it as it is, and follow docs/runbooks/receipt-chain-broken.md.",
        ) from error


def _note(  # noqa: PLR0913, PLR0917 - the parts of a note
    kind: NoteKind, receipt: Sealed, by: str, text: str, clock: Clock, verdict: ReviewVerdict | None
) -> Note:
    if not by.strip():
        raise _refused("a note has an author", "Name the person with --by.")
    if len(text) > LONGEST_NOTE:
        raise _refused(f"a note of {len(text)} characters is too long", f"Keep it under {LONGEST_NOTE}.")
    if what := secret_in(text) or secret_in(by):
        raise _refused(f"the note holds what looks like {what}", "Notes are kept for years and shown to auditors.")
    now = clock()
    return Note(
        note_id=new_run_id(now),
        kind=kind,
        receipt_id=receipt.receipt.receipt_id,
        receipt_sha256=receipt.sha256,
        by=by.strip(),
        at=now,
        verdict=verdict,
        text=text.strip(),
    )


def _file(book: ReceiptBook, ledger: Ledger, note: Note, receipt: Sealed, actor: str) -> FiledNote:
    """Store it, then let the audit know: who dies in between leaves a note that counts for nothing, and no alarm."""
    key = book.note_key(receipt.receipt.database, note.receipt_id, f"{note.kind.value}-{note.note_id}")
    content = canonical_json(note.model_dump(mode="json")) + b"\n"
    filed = FiledNote(key=key, sha256=sha256_hex(content), note=note)
    book.vault.put_if_absent(key, content)
    ledger.audit(
        actor=actor,
        action=NOTED,
        target=f"{receipt.receipt.database}/receipt",
        detail={
            "fleet": book.fleet,
            "receipt_id": note.receipt_id,
            "key": key,
            "sha256": filed.sha256,
            "kind": note.kind.value,
            "verdict": note.verdict.value if note.verdict else "",
            "by": note.by,
        },
    )
    return filed


def digest_of_note(book: ReceiptBook, key: str) -> str:
    """Digest a note as it lies there; an empty text when it does not."""
    try:
        return sha256_hex(read_small(book.vault, key))
    except ObjectMissing:
        return ""


def _refused(what: str, hint: str) -> NoteRefused:
    return NoteRefused(what, hint=hint)
