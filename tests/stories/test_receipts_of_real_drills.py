"""Receipts of drills that really took place: what was found is in them, and no row and no secret."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, new_database
from bed.drilling import ASKED, Ground, furnish
from bed.receipts import verify_alone
from bed.restoring import Stage
from pgtend.drill.model import Verdict
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.issue import IssuedReceipt, issue_receipt
from pgtend.drill.receipts.keys import SigningKey, new_signing_key
from pgtend.drill.receipts.page import receipt_page
from pgtend.drill.receipts.signer import Signer
from pgtend.drill.receipts.verify import verify_receipts
from pgtend.kernel.progress import quietly

CANARY = "canary-4711-987-65-4321"
PLANTED = "UPDATE public.patient SET note = 'canary-4711-987-65-4321' WHERE id = 7"
LEAKY = (
    {"name": "a note", "sql": "SELECT note FROM public.patient WHERE id = 7", "expect": "another note"},
    {"name": "an error that quotes", "sql": "SELECT note::int FROM public.patient WHERE id = 7", "expect": 1},
)

pytestmark = pytest.mark.pg(">= 18")


@pytest.fixture
def clinic(stage: Stage) -> Generator[LiveDatabase]:
    """Give a clinic with something that must never be told, and a backup of it."""
    with new_database(stage.server) as made:
        furnish(made, PLANTED)
        stage.take(made.name)
        yield made


@pytest.fixture
def key() -> SigningKey:
    """Give a key to sign with."""
    return new_signing_key()


def issued_by(ground: Ground, key: SigningKey) -> IssuedReceipt:
    """Issue the receipt of the last drill."""
    signer = Signer(key=key, keep=timedelta(days=2192))
    return issue_receipt(ground.outcomes[-1], book_of(ground, key), signer, ground.ledger, ground.lines.append)


def book_of(ground: Ground, key: SigningKey) -> ReceiptBook:
    """Open the receipts of the clinic."""
    return ReceiptBook(vault=ground.stage.vault, fleet="clinic", trusted=(key.public,))


def test_a_good_and_a_failed_drill_leave_receipts_without_a_row_or_a_secret(
    stage: Stage, clinic: LiveDatabase, key: SigningKey, tmp_path: Path
) -> None:
    """Neither an answer of the application, nor an error that quotes one, nor a key is anywhere in what is kept."""
    ground = Ground(stage=stage, app=clinic.role_name("app"))
    assert ground.drill().verdict in {Verdict.PASS, Verdict.PASS_PARTIAL}
    good = issued_by(ground, key)
    assert good.sealed.receipt.verdict is ground.outcomes[-1].verdict
    assert good.sealed.receipt.backup.rows == 1200
    ground.rules = {"smoke": [*ASKED, *LEAKY]}
    assert ground.drill().verdict is Verdict.FAIL
    bad = issued_by(ground, key)
    assert [one.failure.value for one in bad.sealed.receipt.failures] == ["SMOKE_FAILED"]
    key.write(tmp_path / "key.pem")
    signed_with = (tmp_path / "key.pem").read_text(encoding="utf-8").splitlines()[1]
    opened_with = stage.keys.private.get_secret_value()
    kept = "".join(
        [
            *(one.sealed.statement.payload().decode() for one in (good, bad)),
            *(receipt_page(one.sealed) for one in (good, bad)),
            *(path.read_text(encoding="utf-8") for path in ground.ledger.path.rglob("*.jsonl")),
            *ground.lines,
            str(ground.error),
        ]
    )
    assert [secret for secret in (CANARY, signed_with, opened_with) if secret in kept] == []
    assert verify_receipts(book_of(ground, key), ground.ledger, quietly).holds
    folder = stage.folder / "vault" / "receipts" / "clinic"
    assert verify_alone(folder, "--head", str(bad.head), keys=[key.public.text]).returncode == 0
