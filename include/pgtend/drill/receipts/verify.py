"""Verifies all receipts of a fleet: each signature, the chain, the copies, and what the audit remembers of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pgtend.backup.manifest import read_small
from pgtend.drill.receipts.book import ReceiptBook, believed
from pgtend.drill.receipts.chain import (
    ChainFault,
    FaultyPlace,
    ReceiptHead,
    ReceiptReport,
    Sealed,
    head_of,
    judge_against,
    judge_links,
)
from pgtend.drill.receipts.notes import digest_of_note
from pgtend.drill.receipts.record import heads_in, notes_in
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import AuditHead, Ledger


def verify_receipts(
    book: ReceiptBook, ledger: Ledger | None, progress: Progress, remembered: Sequence[ReceiptHead] = ()
) -> ReceiptReport:
    """Read every receipt of a fleet again, and say everything that is wrong.

    With the ledger, a receipt that was removed is missed even when it was the newest; without it, only heads that a
    person kept tell.
    """
    chain, broken = believed(book)
    progress(f"{counted(len(chain), 'receipt')} read from {book.vault.place}, {len(broken)} of them cannot be believed")
    entries = tuple(ledger.entries()) if ledger else ()
    recorded = heads_in(entries, book.fleet)
    faults = [
        *(FaultyPlace(place=book.chain_key(n), fault=ChainFault.BROKEN, why=why) for n, why in broken.items()),
        *judge_links(book.fleet, chain, tuple(broken)),
        *judge_against(chain, [head for head in (*recorded, *remembered) if head.sequence not in broken]),
        *_copies(book, chain),
        *_notes(book, notes_in(entries, book.fleet)),
    ]
    known = {head.sha256 for head in recorded}
    unrecorded = tuple(one.place for one in chain if one.sha256 not in known) if ledger else ()
    return ReceiptReport(receipts=tuple(chain), head=head_of(chain), faults=tuple(faults), unrecorded=unrecorded)


def audit_heads(receipts: Iterable[Sealed]) -> tuple[AuditHead, ...]:
    """List the heads of the audit that receipts carry: anchors that nobody can change who cannot sign."""
    return tuple(AuditHead(one.receipt.audit_head.seq, one.receipt.audit_head.hash) for one in receipts)


def _copies(book: ReceiptBook, chain: Sequence[Sealed]) -> list[FaultyPlace]:
    """Hold the copies among the receipts of each database against the chain."""
    wanted = {book.key_of(one.receipt.database, one.receipt.receipt_id): one for one in chain}
    there = {place.key for place in book.places()}
    faults = [FaultyPlace(place=key, fault=ChainFault.COPY_MISSING) for key in sorted(wanted.keys() - there)]
    faults += [FaultyPlace(place=key, fault=ChainFault.STRAY) for key in sorted(there - wanted.keys())]
    for key in sorted(wanted.keys() & there):
        if sha256_hex(read_small(book.vault, key)) != wanted[key].sha256:
            faults.append(FaultyPlace(place=key, fault=ChainFault.COPY_DIFFERS))
    return faults


def _notes(book: ReceiptBook, recorded: Mapping[str, str]) -> list[FaultyPlace]:
    """Hold the notes that the audit remembers against those in the vault."""
    faults: list[FaultyPlace] = []
    for key, digest in recorded.items():
        found = digest_of_note(book, key)
        if not found:
            faults.append(FaultyPlace(place=key, fault=ChainFault.NOTE_MISSING))
        elif found != digest:
            faults.append(FaultyPlace(place=key, fault=ChainFault.NOTE_CHANGED))
    return faults
