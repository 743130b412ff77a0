"""Where receipts lie in a vault, and how they get there: one object decides the chain, a second one is for people.

receipts/<fleet>/_chain/000000000017.json          the receipt; who writes it first has number 17, and nobody else
receipts/<fleet>/<database>/<receipt>.json         the same bytes among the receipts of its database
receipts/<fleet>/<database>/<receipt>.<note>.json  a review or a corrective action, see notes.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from pgtend.backup.manifest import read_small
from pgtend.drill.receipts.chain import NO_RECEIPT, ReceiptHead, Sealed
from pgtend.drill.receipts.envelope import ReceiptBroken, open_envelope
from pgtend.drill.receipts.keys import VerifyingKey
from pgtend.drill.receipts.model import Receipt, read_statement
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import suggestion
from pgtend.vault.errors import ObjectExists, ObjectMissing, VaultRefused
from pgtend.vault.model import StoredObject, Vault

ROOT: Final = "receipts"
CHAIN: Final = "_chain"
"""No database can be called so: names begin with a letter."""
_NUMBERED = re.compile(rf"/{CHAIN}/(\d{{12}})\.json\Z")
_RECEIPT = re.compile(r"/([a-z][a-z0-9_-]*)/([^/.]+)\.json\Z")


class NoSuchReceipt(Misconfigured):
    """The vault holds no receipt like the one that was asked for."""

    code = "drill.no_such_receipt"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy of a receipt lies among those of its database."""

    key: str
    database: str
    receipt_id: str


@dataclass(frozen=True, kw_only=True)
class ReceiptBook:
    """All receipts of one fleet in one vault."""

    vault: Vault
    fleet: str
    trusted: tuple[VerifyingKey, ...] = field(default=())

    @property
    def folder(self) -> str:
        """Where everything lies, with a slash at the end."""
        return f"{ROOT}/{self.fleet}/"

    def chain_key(self, sequence: int) -> str:
        """Name the object that holds a receipt by its number."""
        return f"{self.folder}{CHAIN}/{sequence:012d}.json"

    def key_of(self, database: str, receipt_id: str) -> str:
        """Name the copy of a receipt among those of its database."""
        return f"{self.folder}{database}/{receipt_id}.json"

    def note_key(self, database: str, receipt_id: str, name: str) -> str:
        """Name a note about a receipt."""
        return f"{self.folder}{database}/{receipt_id}.{name}.json"

    def note_keys(self, database: str, receipt_id: str) -> tuple[str, ...]:
        """List the notes about a receipt."""
        found = self.vault.objects(f"{self.folder}{database}/")
        start = f"{self.folder}{database}/{receipt_id}."
        return tuple(one.key for one in found if one.key.startswith(start) and one.key != f"{start}json")

    def numbers(self) -> tuple[int, ...]:
        """List the numbers that are taken, lowest first."""
        found = self.vault.objects(f"{self.folder}{CHAIN}/")
        return tuple(sorted(int(match[1]) for one in found if (match := _NUMBERED.search(one.key))))

    def tip(self) -> ReceiptHead:
        """Find the newest receipt there is, believed or not: the next one has to follow it."""
        numbers = self.numbers()
        if not numbers:
            return NO_RECEIPT
        return ReceiptHead(numbers[-1], sha256_hex(self.read_raw(numbers[-1])))

    def read_raw(self, sequence: int) -> bytes:
        """Read a receipt as it lies there."""
        return read_small(self.vault, self.chain_key(sequence))

    def read(self, sequence: int) -> Sealed:
        """Read a receipt by its number, and believe it only in its own place."""
        sealed = self.opened(self.read_raw(sequence), self.chain_key(sequence))
        if sealed.sequence != sequence or sealed.receipt.fleet != self.fleet:
            raise _misplaced(sealed)
        return sealed

    def find(self, receipt_id: str) -> Sealed:
        """Read a receipt by its id, its number, or the id of the backup that was drilled."""
        if receipt_id.isdecimal():
            return self._numbered(int(receipt_id))
        places = [place for place in self.places() if place.receipt_id == receipt_id]
        if not places:
            known = [place.receipt_id for place in self.places()]
            raise NoSuchReceipt(
                f"there is no receipt '{receipt_id[:80]}'",
                detail=f"This was {self.vault.place}, {self.folder}.",
                hint=f"{suggestion(receipt_id, known)} `pgtend receipt list` shows all.",
            )
        sealed = self.opened(read_small(self.vault, places[0].key), places[0].key)
        if (sealed.receipt.database, sealed.receipt.receipt_id) != (places[0].database, receipt_id):
            raise _misplaced(sealed)
        return sealed

    def has(self, database: str, receipt_id: str) -> bool:
        """Tell whether a drill has its receipt already."""
        try:
            self.vault.head(self.key_of(database, receipt_id))
        except ObjectMissing:
            return False
        return True

    def places(self) -> tuple[Place, ...]:
        """List the copies among the receipts of each database, without the notes about them."""
        found = self.vault.objects(self.folder)
        matches = ((one.key, _RECEIPT.search(one.key)) for one in found)
        return tuple(Place(key, match[1], match[2]) for key, match in matches if match)

    def opened(self, content: bytes, place: str) -> Sealed:
        """Open a receipt with the keys that are trusted."""
        inside = open_envelope(content, self.trusted)
        statement = read_statement(inside.payload)
        return Sealed(place=place, sha256=inside.sha256, key_id=inside.key_id, statement=statement)

    def put(self, receipt: Receipt, envelope: bytes, until: datetime) -> bool:
        """Take the receipt's number, then file the copy; tell whether the vault guards both until then.

        ObjectExists says that somebody else has that number. A death between the two writes leaves a chain that is
        whole and a copy that is missing, which `file_copy` makes up for.
        """
        stored = self.vault.put_if_absent(self.chain_key(receipt.chain.sequence), envelope)
        is_guarded = self._guard(stored, until)
        return self.file_copy(receipt, envelope, until) and is_guarded

    def file_copy(self, receipt: Receipt, envelope: bytes, until: datetime) -> bool:
        """File a receipt among those of its database, where nobody did so yet."""
        if self.has(receipt.database, receipt.receipt_id):
            return True
        try:
            stored = self.vault.put_if_absent(self.key_of(receipt.database, receipt.receipt_id), envelope)
        except ObjectExists:
            # Somebody else made up for it in this moment.
            return True
        return self._guard(stored, until)

    def _guard(self, stored: StoredObject, until: datetime) -> bool:
        """Have the vault guard it; that it refuses must not undo a receipt that is stored."""
        try:
            return self.vault.protect(stored, until)
        except VaultRefused:
            return False

    def _numbered(self, sequence: int) -> Sealed:
        if sequence not in self.numbers():
            raise NoSuchReceipt(
                f"there is no receipt {sequence}",
                detail=f"This was {self.vault.place}, {self.folder}.",
                hint="`pgtend receipt list` shows all.",
            )
        return self.read(sequence)


def read_file(path: Path, trusted: Sequence[VerifyingKey]) -> Sealed:
    """Open a receipt that somebody was given as a file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NoSuchReceipt(
            f"{path} cannot be read: {os.strerror(error.errno or 0).lower()}", hint="Name the file of a receipt."
        ) from error
    inside = open_envelope(content, trusted)
    return Sealed(place=str(path), sha256=inside.sha256, key_id=inside.key_id, statement=read_statement(inside.payload))


def believed(book: ReceiptBook) -> tuple[Sequence[Sealed], dict[int, str]]:
    """Read the whole chain: the receipts that can be believed, and why the others cannot, by their number."""
    good: list[Sealed] = []
    bad: dict[int, str] = {}
    for number in book.numbers():
        try:
            good.append(book.read(number))
        except ReceiptBroken as error:
            bad[number] = error.detail or error.message
    return good, bad


def _misplaced(sealed: Sealed) -> ReceiptBroken:
    return ReceiptBroken(
        "a receipt lies in the place of another one",
        detail=f"In {sealed.place} lies receipt {sealed.sequence} of {sealed.receipt.fleet}/{sealed.receipt.database}.",
        hint="Keep the vault as it is, and follow docs/runbooks/receipt-chain-broken.md.",
    )
