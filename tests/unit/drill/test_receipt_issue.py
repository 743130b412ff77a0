"""Issuing receipts: one for a drill, none lost, none doubled, whoever dies in between."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bed.receipts import Office, outcome_of
from bed.stored_backups import folder_vault
from pgtend.backup.expiry import Holding, expire
from pgtend.drill.issuing import issuer
from pgtend.drill.model import Check, CheckName, CheckOutcome, Verdict
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.chain import ReceiptReport
from pgtend.drill.receipts.envelope import ReceiptBroken
from pgtend.drill.receipts.keys import BadSigningKey, new_signing_key, read_signing_key, read_verifying_key
from pgtend.drill.receipts.model import NewerReceipt, read_statement
from pgtend.drill.receipts.signer import KEY_VARIABLE, NoSigningKey, signing_key_for, trusted_keys
from pgtend.drill.receipts.verify import verify_receipts
from pgtend.fleet.model import Fleet, ReceiptRules, RetentionRules
from pgtend.kernel.progress import quietly
from pgtend.ledger.errors import LedgerUnreachable
from pgtend.ledger.folder import FolderLedger
from pgtend.vault.model import Vault

ANOTHER_CURVE = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----"""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give an office that issued nothing yet."""
    return Office.at(tmp_path)


def verdict(office: Office) -> ReceiptReport:
    """Verify everything."""
    return verify_receipts(office.book, office.ledger, quietly)


def test_a_receipt_is_an_in_toto_statement_about_the_manifest(office: Office) -> None:
    """The subject is what was drilled, by its key and its digest."""
    issued = office.issue(outcome_of())
    statement = json.loads(issued.sealed.statement.payload())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [
        {"name": "backups/clinic/kgc/20261121T020000Z-0000abcd/manifest.json", "digest": {"sha256": "ab" * 32}}
    ]
    predicate = statement["predicate"]
    assert predicate["chain"] == {"sequence": 1, "previous_sha256": None}
    assert predicate["recovery_time"]["measured"] == "PT3M"
    assert predicate["issued_at"] == "2026-11-28T03:04:00Z"
    assert predicate["policy"] == "Backup policy 3"
    assert predicate["verdict"] == "PASS"
    assert read_statement(issued.sealed.statement.payload()) == issued.sealed.statement


def test_each_receipt_carries_the_one_before_it_and_the_head_of_the_audit(office: Office) -> None:
    """That is what makes removing one visible, of receipts and of the audit."""
    first, second = office.issue_many(2)
    assert second.sealed.receipt.chain.previous_sha256 == first.head.sha256
    assert second.sealed.receipt.audit_head.seq == 1
    entry = next(iter(office.ledger.entries()))
    assert (entry.action, entry.target, entry.actor) == ("receipt.issued", "kgc/receipt", "airflow:scheduled")
    assert json.loads(entry.detail)["sha256"] == first.head.sha256
    assert second.sealed.receipt.audit_head.hash == entry.hash.hex()


def test_asking_twice_for_one_drill_gives_one_receipt(office: Office) -> None:
    """A task that is started again by its scheduler must not make a second piece of evidence."""
    first = office.issue(outcome_of())
    again = office.issue(outcome_of())
    assert (again.head, again.envelope) == (first.head, first.envelope)
    assert office.book.numbers() == (1,)


def test_drills_that_end_at_the_same_moment_all_get_their_place(office: Office) -> None:
    """One after the other, without a gap, although nobody waits for anybody."""
    start = threading.Barrier(6)

    def issue(number: int) -> int:
        start.wait()
        return office.issue(outcome_of(number)).sealed.sequence

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(issue, range(1, 7)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    assert verdict(office).holds


def test_what_a_dying_writer_left_half_done_is_finished_by_the_next(office: Office) -> None:
    """It took its number and died before the copy was filed and the audit knew."""
    first = office.issue(outcome_of())
    (office.root / "vault" / first.key).unlink()
    (office.root / "ledger" / "audit.jsonl").unlink()
    assert not verdict(office).holds
    second = office.issue(outcome_of(2))
    assert second.sealed.receipt.chain.previous_sha256 == first.head.sha256
    report = verdict(office)
    assert (report.holds, report.unrecorded) == (True, ())


def test_a_broken_newest_receipt_does_not_keep_the_next_from_being_issued(office: Office) -> None:
    """Evidence of today must not be lost because that of last week was touched."""
    office.issue(outcome_of())
    office.chain(1).unlink()
    office.chain(1).write_bytes(b"{}\n")
    assert office.issue(outcome_of(2)).sealed.sequence == 2
    assert [fault.place for fault in verdict(office).faults][:1] == ["receipts/clinic/_chain/000000000001.json"]


def test_without_the_audit_no_receipt_counts_as_issued(office: Office) -> None:
    """What the ledger cannot remember is reported, and made up for later."""
    office.issue(outcome_of())
    chain = office.root / "ledger" / "audit.jsonl"
    kept = chain.read_bytes()
    chain.unlink()
    chain.mkdir()
    with pytest.raises(LedgerUnreachable):
        office.issue(outcome_of(2))
    chain.rmdir()
    chain.write_bytes(kept)
    assert office.issue(outcome_of(2)).sealed.sequence == 2
    assert verdict(office).holds


def test_a_check_that_was_due_and_did_not_run_is_listed(office: Office) -> None:
    """The verdict is not better than what is known, and the receipt says why."""
    outcome = outcome_of()
    fewer = replace(outcome, checks=tuple(one for one in outcome.checks if one.name is not CheckName.SMOKE))
    receipt = office.issue(fewer).sealed.receipt
    assert receipt.verdict is Verdict.PASS_PARTIAL
    assert "smoke: it was due, and did not run." in receipt.not_checked


def test_a_failure_is_in_the_receipt_with_its_class_and_what_has_to_be_mended(office: Office) -> None:
    """Auditors read failures first."""
    failed = Check(name=CheckName.ROWS, outcome=CheckOutcome.FAILED, expected="10", found="9")
    outcome = outcome_of()
    receipt = office.issue(replace(outcome, checks=(*outcome.checks, failed))).sealed.receipt
    assert receipt.verdict is Verdict.FAIL
    assert [(one.failure.value, one.blame.value) for one in receipt.failures] == [
        ("DATA_MISMATCH", "the backup is bad")
    ]


def test_nothing_of_ours_removes_a_receipt(office: Office) -> None:
    """Ten years of retention of backups and sweeping of leftovers, and every receipt is there."""
    office.issue_many(3)
    for database in ("kgc", "_chain"):
        holding = Holding(vault=office.book.vault, fleet="clinic", database=database, rules=RetentionRules(), lock=None)
        expire(holding, quietly, clock=lambda: datetime(2036, 11, 21, tzinfo=UTC))
    office.book.vault.sweep(timedelta(0))
    assert verdict(office).holds
    assert len(office.book.places()) == 3


def test_a_receipt_of_a_later_format_is_called_that(office: Office) -> None:
    """And one of our own format that holds something unknown is broken."""
    payload = office.issue(outcome_of()).sealed.statement.payload()
    with pytest.raises(NewerReceipt, match="does not know"):
        read_statement(payload.replace(b'"format":1', b'"format":2'))
    with pytest.raises(ReceiptBroken, match="not written as"):
        read_statement(payload.replace(b'"format":1', b'"format":1,"more":2'))
    with pytest.raises(NewerReceipt):
        read_statement(b"[]")


def test_a_private_key_is_written_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    """Mode 0600, and a second `new` into the same file is refused."""
    path = tmp_path / "receipts.key"
    made = new_signing_key()
    made.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_signing_key(path).public == made.public
    with pytest.raises(BadSigningKey, match="cannot be made"):
        new_signing_key().write(path)
    assert "PRIVATE" not in repr(made)
    path.chmod(0o640)
    with pytest.raises(BadSigningKey, match="others may read"):
        read_signing_key(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "hello",
        "ed25519:AAAA",
        "ed25519:!!!!",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ANOTHER_CURVE,
    ],
)
def test_what_is_no_public_key_is_refused_in_our_words(content: str, tmp_path: Path) -> None:
    """Whether it is typed or in a file."""
    path = tmp_path / "public"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadSigningKey):
        read_verifying_key(str(path))
    with pytest.raises(BadSigningKey):
        read_signing_key(path)
    with pytest.raises(BadSigningKey):
        read_verifying_key(content or "nothing")


def test_a_public_key_is_the_same_in_a_line_and_in_pem(tmp_path: Path) -> None:
    """Both come back as they were, and have one id."""
    public = new_signing_key().public
    path = tmp_path / "public.pem"
    path.write_text(public.pem, encoding="utf-8")
    assert read_verifying_key(public.text) == read_verifying_key(str(path)) == read_verifying_key(public.pem) == public
    assert len(public.key_id) == 64


def test_the_first_drill_in_a_shell_makes_a_key_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines in the fleet file are enough; in a pipeline a missing key is an error before the drill begins."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    rules = ReceiptRules(signing_key=str(tmp_path / "new" / "receipts.key"))
    said: list[str] = []
    with pytest.raises(NoSigningKey, match="no key to sign"):
        signing_key_for(rules, said.append)
    made = signing_key_for(rules, said.append, may_make=True)
    assert made.public.text in said[0]
    assert signing_key_for(rules, said.append).public == made.public
    assert trusted_keys(rules) == (made.public,)


def test_a_key_that_the_fleet_does_not_trust_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its receipts would be believed by nobody; and none is made where keys are named."""
    path, trusted = tmp_path / "receipts.key", new_signing_key()
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    rules = ReceiptRules(trusted_keys={"ours": trusted.public.text})
    with pytest.raises(NoSigningKey):
        signing_key_for(rules, quietly, may_make=True)
    new_signing_key().write(path)
    with pytest.raises(BadSigningKey, match="not among the trusted keys"):
        signing_key_for(rules, quietly)
    path.unlink()
    trusted.write(path)
    assert signing_key_for(rules, quietly).public == trusted.public
    assert trusted_keys(rules) == (trusted.public,)


def test_a_drill_gets_its_receipts_from_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is looked for before the drill begins, and the receipt goes into the vault of the fleet."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    rules = {"signing_key": str(tmp_path / "receipts.key"), "vault": "evidence"}
    vaults = {"main": {"folder": {"path": "/nowhere"}}, "evidence": {"folder": {"path": str(tmp_path)}}}
    fleet = Fleet.model_validate({"fleet": "clinic", "receipts": rules, "vaults": vaults, "databases": {"kgc": {}}})
    ledger = FolderLedger(tmp_path / "ledger")

    def opened(name: str) -> AbstractContextManager[Vault]:
        return folder_vault(tmp_path / name)

    with pytest.raises(NoSigningKey):
        issuer(fleet, opened, ledger, quietly)
    issuer(fleet, opened, ledger, quietly, may_make_key=True)(outcome_of())
    key = read_signing_key(tmp_path / "receipts.key").public
    book = ReceiptBook(vault=folder_vault(tmp_path / "evidence"), fleet="clinic", trusted=(key,))
    assert book.read(1).key_id == key.key_id
