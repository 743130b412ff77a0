"""What the audit remembers of receipts: it is how a receipt that was removed is missed, also the newest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import cast

from pgtend.drill.receipts.chain import ReceiptHead, Sealed
from pgtend.ledger.model import AuditEntry, AuditHead, Ledger

ISSUED = "receipt.issued"
NOTED = "receipt.noted"


def remember(ledger: Ledger, actor: str, sealed: Sealed) -> AuditHead:
    """Write down that a receipt was issued, under which number and with which digest."""
    receipt = sealed.receipt
    return ledger.audit(
        actor=actor,
        action=ISSUED,
        target=f"{receipt.database}/receipt",
        detail={
            "fleet": receipt.fleet,
            "receipt_id": receipt.receipt_id,
            "backup_id": receipt.backup.backup_id,
            "sequence": sealed.sequence,
            "sha256": sealed.sha256,
            "verdict": receipt.verdict.value,
        },
    )


def recorded_after(ledger: Ledger, fleet: str, seq: int) -> tuple[ReceiptHead, ...]:
    """Read which receipts the audit remembers behind one of its entries."""
    return heads_in(ledger.entries(seq), fleet)


def heads_in(entries: Iterable[AuditEntry], fleet: str) -> tuple[ReceiptHead, ...]:
    """Take the receipts of a fleet out of an audit."""
    details = _details(entries, ISSUED, fleet)
    return tuple(dict.fromkeys(ReceiptHead(int(str(one["sequence"])), str(one["sha256"])) for one in details))


def notes_in(entries: Iterable[AuditEntry], fleet: str) -> dict[str, str]:
    """Take the notes about receipts out of an audit: the digest of each, by its key in the vault."""
    return {str(one["key"]): str(one["sha256"]) for one in _details(entries, NOTED, fleet)}


def _details(entries: Iterable[AuditEntry], action: str, fleet: str) -> Iterator[dict[str, object]]:
    for entry in entries:
        if entry.action == action:
            detail = cast("dict[str, object]", json.loads(entry.detail))
            if detail["fleet"] == fleet:
                yield detail
