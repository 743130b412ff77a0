"""Writes all receipts of a fleet into a folder that explains itself, for somebody who has nothing of ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pgtend.backup.manifest import read_small
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.chain import ReceiptHead, head_of
from pgtend.drill.receipts.notes import notes_about
from pgtend.drill.receipts.page import receipt_page
from pgtend.kernel.errors import Refusal

_README = """\
Receipts of restore drills of the fleet {fleet}.

receipts/   one signed receipt a file, by its number; reviews and corrective actions beside it
pages/      the same to read and print; a page is a rendering, the receipt is the evidence
keys/       public keys. Compare them with those you were given on another way.

To verify everything, with Python 3.9 or newer and nothing else:

    python3 -I verify_receipt.py receipts {keys} --head {head}

The value after --head is the newest receipt at the time of this export. Ask for it on another way too: without it
nobody can tell whether newer receipts were left out. No signature covers reviews and corrective actions; the audit of
the fleet, whose head every later receipt carries, does.
"""


class ExportRefused(Refusal):
    """The folder for an export cannot be made."""

    code = "drill.export_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    receipts: int
    notes: int
    head: ReceiptHead


def verifier_script() -> str:
    """Give the script that verifies receipts with Python's standard library alone."""
    return (files("pgtend.drill.receipts") / "verify_receipt.py").read_text(encoding="utf-8")


def export_receipts(book: ReceiptBook, folder: Path) -> Exported:
    """Write every receipt, what was said about it, its page, the keys that are trusted, and the verifier.

    A receipt that cannot be believed stops the export: its own command says what is wrong with it.
    """
    chain = [book.read(number) for number in book.numbers()]
    _make(folder)
    notes = 0
    for sealed in chain:
        (folder / "receipts" / f"{sealed.sequence:012d}.json").write_bytes(book.read_raw(sealed.sequence))
        filed = notes_about(book, sealed)
        for one in filed:
            name = f"{sealed.sequence:012d}.{one.note.kind.value}-{one.note.note_id}.json"
            (folder / "receipts" / name).write_bytes(read_small(book.vault, one.key))
        page = receipt_page(sealed, [one.note for one in filed])
        (folder / "pages" / f"{sealed.sequence:012d}.html").write_text(page, encoding="utf-8")
        notes += len(filed)
    head = head_of(chain)
    (folder / "verify_receipt.py").write_text(verifier_script(), encoding="utf-8")
    for key in book.trusted:
        (folder / "keys" / f"{key.key_id[:16]}.pem").write_text(key.pem, encoding="utf-8")
    keys = " ".join(f"--key keys/{key.key_id[:16]}.pem" for key in book.trusted)
    (folder / "README.txt").write_text(_README.format(fleet=book.fleet, keys=keys, head=head), encoding="utf-8")
    return Exported(receipts=len(chain), notes=notes, head=head)


def _make(folder: Path) -> None:
    try:
        for name in ("receipts", "pages", "keys"):
            (folder / name).mkdir(parents=True)
    except OSError as error:
        raise ExportRefused(
            f"{folder} cannot be made: {os.strerror(error.errno or 0).lower()}",
            hint="Name a folder that is not there yet.",
        ) from error
