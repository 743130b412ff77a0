"""Judges a chain of receipts: whether one was removed, replaced, put in another place or played again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pgtend.drill.receipts.model import Receipt, Statement
from pgtend.kernel.errors import BrokenEvidence


class ReceiptChainBroken(BrokenEvidence):
    """A receipt was removed, replaced or put in another place, or cannot be believed."""

    code = "drill.receipt_chain_broken"


class ChainFault(StrEnum):
    """What is wrong with a chain of receipts. Shown to people as written."""

    BROKEN = "it is not what was signed"
    FOREIGN = "it belongs to another fleet"
    MISPLACED = "it lies in the place of another receipt"
    MISSING = "it is missing"
    UNLINKED = "it does not follow the receipt before it"
    REPLACED = "another receipt was recorded under its number"
    COPY_MISSING = "its copy among the receipts of its database is missing"
    COPY_DIFFERS = "its copy among the receipts of its database is not the same"
    STRAY = "it is in no chain"
    NOTE_MISSING = "a note about it was recorded in the audit and is missing"
    NOTE_CHANGED = "a note about it is not what was recorded in the audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyPlace:
    """One place where a chain does not hold."""

    place: str
    fault: ChainFault
    why: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.fault}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A receipt as it lies in a vault, opened."""

    place: str
    sha256: str
    key_id: str
    statement: Statement

    @property
    def receipt(self) -> Receipt:
        """What it says."""
        return self.statement.predicate

    @property
    def sequence(self) -> int:
        """Its number in the chain of the fleet."""
        return self.receipt.chain.sequence


@dataclass(frozen=True, slots=True)
class ReceiptHead:
    """A receipt that somebody remembers: its number and the digest of its envelope."""

    sequence: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.sha256}"


NO_RECEIPT = ReceiptHead(0, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReport:
    """What reading all receipts of a fleet showed."""

    receipts: tuple[Sealed, ...]
    head: ReceiptHead
    faults: tuple[FaultyPlace, ...]
    unrecorded: tuple[str, ...] = ()
    """Receipts of which the audit that was asked says nothing."""

    @property
    def holds(self) -> bool:
        """Whether nothing was removed, changed or put in another place."""
        return not self.faults

    def raise_if_broken(self) -> None:
        """Page someone when the evidence is not what was written."""
        if self.faults:
            raise ReceiptChainBroken(
                f"the receipts are not what was signed, first {self.faults[0].place}",
                detail="\n".join(["", *(f"  - {fault}" for fault in self.faults[:20])]),
                hint="Keep the vault as it is, and follow docs/runbooks/receipt-chain-broken.md.",
            )


def judge_links(fleet: str, chain: Sequence[Sealed], broken: Sequence[int] = ()) -> tuple[FaultyPlace, ...]:
    """Follow the chain from its first receipt; `broken` are numbers whose receipts are there and cannot be believed."""
    by_number = {sealed.sequence: sealed for sealed in chain}
    newest = max([*by_number, *broken], default=0)
    faults: list[FaultyPlace] = []
    for number in range(1, newest + 1):
        sealed = by_number.get(number)
        if sealed is None:
            if number not in broken:
                faults.append(FaultyPlace(place=f"receipt {number}", fault=ChainFault.MISSING))
            continue
        if sealed.receipt.fleet != fleet:
            faults.append(FaultyPlace(place=sealed.place, fault=ChainFault.FOREIGN, why=sealed.receipt.fleet))
        if not _follows(sealed, by_number.get(number - 1)):
            faults.append(FaultyPlace(place=sealed.place, fault=ChainFault.UNLINKED))
    return tuple(faults)


def judge_against(chain: Sequence[Sealed], remembered: Sequence[ReceiptHead]) -> tuple[FaultyPlace, ...]:
    """Hold a chain against what the audit or a person remembers: that is how a missing newest receipt is found."""
    there: Mapping[int, Sealed] = {sealed.sequence: sealed for sealed in chain}
    newest = max(there, default=0)
    faults: list[FaultyPlace] = []
    for head in sorted(set(remembered), key=lambda one: (one.sequence, one.sha256)):
        found = there.get(head.sequence)
        if found is None and head.sequence > newest:
            faults.append(
                FaultyPlace(place=f"receipt {head.sequence}", fault=ChainFault.MISSING, why="it was recorded")
            )
        if found is not None and found.sha256 != head.sha256:
            faults.append(FaultyPlace(place=found.place, fault=ChainFault.REPLACED))
    return tuple(faults)


def head_of(chain: Sequence[Sealed]) -> ReceiptHead:
    """Name the newest receipt by its number and digest."""
    newest = max(chain, key=lambda sealed: sealed.sequence, default=None)
    return ReceiptHead(newest.sequence, newest.sha256) if newest else NO_RECEIPT


def _follows(sealed: Sealed, before: Sealed | None) -> bool:
    claimed = sealed.receipt.chain.previous_sha256
    if sealed.sequence == 1:
        return claimed is None
    # Where the one before is missing or broken, that is the fault, and it is told already.
    return claimed is not None and (before is None or claimed == before.sha256)
