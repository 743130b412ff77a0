"""Issues a receipt: takes the next number of the fleet's chain, signs, stores, and has the audit remember it."""

from __future__ import annotations

from dataclasses import dataclass

from pgtend.drill.model import DrillOutcome
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.chain import ReceiptHead, Sealed
from pgtend.drill.receipts.envelope import ReceiptBroken, seal_envelope
from pgtend.drill.receipts.model import AuditHeadThen, ChainLink, Statement, receipt_of
from pgtend.drill.receipts.record import recorded_after, remember
from pgtend.drill.receipts.signer import Signer
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.errors import Outage
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.model import Ledger
from pgtend.vault.errors import ObjectExists

_TRIES = 20


class NoPlaceInChain(Outage):
    """Others took every number of the chain before us."""

    code = "drill.no_place_in_chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReceipt:
    """A receipt that is in the vault and in the audit."""

    sealed: Sealed
    envelope: bytes
    is_guarded: bool
    """Whether the vault refuses to remove it until its time is over."""

    @property
    def key(self) -> str:
        """Where it lies among the receipts of its database."""
        return self.sealed.place

    @property
    def head(self) -> ReceiptHead:
        """Its number and digest, for whoever wants to remember them elsewhere."""
        return ReceiptHead(self.sealed.sequence, self.sealed.sha256)

    def __str__(self) -> str:
        guarded = "guarded by the vault" if self.is_guarded else "not guarded by the vault"
        return f"receipt {self.sealed.sequence} {self.sealed.receipt.verdict} is signed and stored, {guarded}"


def issue_receipt(  # noqa: PLR0913 - what came of it, where it goes, who signs, and who is told
    outcome: DrillOutcome,
    book: ReceiptBook,
    signer: Signer,
    ledger: Ledger,
    progress: Progress,
    *,
    clock: Clock = utc_now,
) -> IssuedReceipt:
    """Sign what came of a drill and store it; asked twice for one drill, give the receipt that is there.

    The number is taken by the write itself, so two drills that end together both get one, one after the other.
    """
    for _ in range(_TRIES):
        before = _newest(book, signer, ledger, progress)
        if book.has(outcome.database, outcome.run_id):
            return _as_issued(book, outcome)
        statement = _statement(outcome, before, signer, ledger, clock)
        envelope = seal_envelope(statement.payload(), signer.key)
        receipt = statement.predicate
        try:
            is_guarded = book.put(receipt, envelope, receipt.issued_at + signer.keep)
        except ObjectExists:
            progress(f"{outcome.database}: another receipt took number {receipt.chain.sequence} first")
            continue
        place, digest = book.key_of(outcome.database, outcome.run_id), sha256_hex(envelope)
        sealed = Sealed(place=place, sha256=digest, key_id=signer.key.public.key_id, statement=statement)
        remember(ledger, outcome.operator, sealed)
        issued = IssuedReceipt(sealed=sealed, envelope=envelope, is_guarded=is_guarded)
        progress(f"{outcome.database}: {issued}: {issued.head}")
        return issued
    raise NoPlaceInChain(
        f"{_TRIES} times another receipt took the number first",
        detail="The receipt is not stored, and the drill has no evidence yet.",
        hint="Run the drill again; see docs/runbooks/receipt-chain-broken.md if it happens again.",
    )


def _newest(book: ReceiptBook, signer: Signer, ledger: Ledger, progress: Progress) -> ReceiptHead:
    """Find the receipt to follow, and finish what a writer that died left half done.

    When the audit remembers a later one than the vault shows, it was removed: its number is not given out again, so
    that the hole stays visible.
    """
    tip = book.tip()
    known = _known(book, tip)
    remembered = recorded_after(ledger, book.fleet, known.receipt.audit_head.seq if known else 0)
    if known is not None:
        book.file_copy(known.receipt, book.read_raw(tip.sequence), known.receipt.issued_at + signer.keep)
        if tip not in remembered:
            remember(ledger, known.receipt.run.operator, known)
            progress(f"receipt {tip.sequence} was not in the audit: whoever issued it did not live to tell")
    return max((tip, *remembered), key=lambda head: head.sequence)


def _known(book: ReceiptBook, tip: ReceiptHead) -> Sealed | None:
    """Read the newest receipt, when it can be believed: one that cannot must not keep the next from being issued."""
    if not tip.sequence:
        return None
    try:
        return book.read(tip.sequence)
    except ReceiptBroken:
        return None


def _statement(outcome: DrillOutcome, before: ReceiptHead, signer: Signer, ledger: Ledger, clock: Clock) -> Statement:
    head = ledger.audit_head()
    return receipt_of(
        outcome,
        chain=ChainLink(sequence=before.sequence + 1, previous_sha256=before.sha256 or None),
        audit_head=AuditHeadThen(seq=head.seq, hash=head.hash),
        policy=signer.policy,
        issued_at=clock(),
    )


def _as_issued(book: ReceiptBook, outcome: DrillOutcome) -> IssuedReceipt:
    sealed = book.find(outcome.run_id)
    envelope = book.read_raw(sealed.sequence)
    return IssuedReceipt(sealed=sealed, envelope=envelope, is_guarded=False)
