"""From the outcome of a drill to its receipt: which key signs and which vault keeps it is known before it begins."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from pgtend.drill.model import DrillOutcome
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.issue import issue_receipt
from pgtend.drill.receipts.signer import Signer, signing_key_for, trusted_keys, vault_of_receipts
from pgtend.fleet.model import Fleet
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgtend.vault.model import Vault


def issuer(
    fleet: Fleet,
    vaults: Callable[[str], AbstractContextManager[Vault]],
    ledger: Ledger,
    progress: Progress,
    *,
    may_make_key: bool = False,
) -> Callable[[DrillOutcome], object]:
    """Give what issues a receipt; a signing key that is missing is said at once, not after hours of drilling."""
    key = signing_key_for(fleet.receipts, progress, may_make=may_make_key)
    signer = Signer.under(fleet.receipts, key)

    def issue(outcome: DrillOutcome) -> object:
        with vaults(vault_of_receipts(fleet)) as vault:
            book = ReceiptBook(vault=vault, fleet=fleet.fleet, trusted=trusted_keys(fleet.receipts, key))
            return issue_receipt(outcome, book, signer, ledger, progress)

    return issue
