"""What people say about a receipt, the page they read it on, and the folder an auditor gets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from typing_extensions import override

from bed.receipts import AT, Office, outcome_of, verify_alone
from pgtend.drill.model import Check, CheckName, CheckOutcome
from pgtend.drill.receipts.chain import Sealed
from pgtend.drill.receipts.export import ExportRefused, export_receipts
from pgtend.drill.receipts.model import receipt_schema
from pgtend.drill.receipts.notes import NoteRefused, ReviewVerdict, correct_receipt, notes_about, review_receipt
from pgtend.drill.receipts.page import receipt_page
from pgtend.drill.receipts.verify import verify_receipts
from pgtend.kernel.progress import quietly

PASSWORD = "postgresql://pgtend:hunter2-canary@db.example.org/kgc"
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give an office that issued nothing yet."""
    return Office.at(tmp_path)


@pytest.fixture
def sealed(office: Office) -> Sealed:
    """Give one receipt."""
    return office.issue(outcome_of()).sealed


def faults(office: Office) -> list[str]:
    """Verify everything, and list what is wrong."""
    return [str(fault) for fault in verify_receipts(office.book, office.ledger, quietly).faults]


def review(office: Office, sealed: Sealed, verdict: ReviewVerdict = ReviewVerdict.ACCEPTED, text: str = "") -> None:
    """Review a receipt as the head of IT."""
    review_receipt(office.book, office.ledger, sealed, verdict=verdict, by="Dr. Okafor", text=text, clock=lambda: AT)


class Text(HTMLParser):
    """Reads what a person sees, and what a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """Everything a person reads."""
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_a_review_changes_nothing_of_the_receipt(office: Office, sealed: Sealed) -> None:
    """It lies beside it, names it by its digest, and the audit remembers it."""
    before = office.chain(1).read_bytes()
    review(office, sealed)
    correct_receipt(
        office.book, office.ledger, sealed, action="The disk was replaced.", by="M. Brandt", clock=lambda: AT
    )
    assert office.chain(1).read_bytes() == before
    said = [filed.note for filed in notes_about(office.book, sealed)]
    assert sorted((note.kind.value, note.by, note.text) for note in said) == [
        ("correction", "M. Brandt", "The disk was replaced."),
        ("review", "Dr. Okafor", ""),
    ]
    entries = [(one.action, json.loads(one.detail)["kind"]) for one in office.ledger.entries(1)]
    assert entries == [("receipt.noted", "review"), ("receipt.noted", "correction")]
    assert faults(office) == []


def test_a_note_that_was_changed_or_removed_is_found(office: Office, sealed: Sealed) -> None:
    """By its digest in the audit."""
    review(office, sealed, ReviewVerdict.REJECTED, "The wrong backup was drilled.")
    (path,) = office.folder.glob("kgc/*.review-*.json")
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(b"rejected", b"accepted"))
    assert ["is not what was recorded in the audit" in fault for fault in faults(office)] == [True]
    path.unlink()
    assert ["was recorded in the audit and is missing" in fault for fault in faults(office)] == [True]


def test_a_note_about_other_bytes_is_not_shown(office: Office, sealed: Sealed) -> None:
    """Whoever moves a good review beside a bad receipt gains nothing."""
    review(office, sealed)
    (path,) = office.folder.glob("kgc/*.review-*.json")
    other = office.issue(outcome_of(2)).sealed
    moved = path.with_name(path.name.replace(sealed.receipt.receipt_id, other.receipt.receipt_id))
    moved.write_bytes(path.read_bytes())
    assert notes_about(office.book, other) == ()
    assert len(notes_about(office.book, sealed)) == 1


def test_a_note_without_sense_is_refused(office: Office, sealed: Sealed) -> None:
    """Nobody's name, no reason, no action, a novel, a password: none of it is kept."""
    refused: list[tuple[str, str]] = [
        ("", ""),
        ("Dr. Okafor", ""),
        ("Dr. Okafor", "x" * 4001),
        ("Dr. Okafor", PASSWORD),
    ]
    for by, text in refused:
        with pytest.raises(NoteRefused):
            review_receipt(office.book, office.ledger, sealed, verdict=ReviewVerdict.NEEDS_ACTION, by=by, text=text)
        with pytest.raises(NoteRefused):
            correct_receipt(office.book, office.ledger, sealed, action=text, by=by)
    assert notes_about(office.book, sealed) == ()


def test_the_page_says_what_an_auditor_asks(office: Office, sealed: Sealed) -> None:
    """What was tested, against which backup, each check, the times, what was not checked, who reviewed it."""
    review(office, sealed)
    correct_receipt(office.book, office.ledger, sealed, action="The runbook names the new host.", by="M. Brandt")
    page = Text(receipt_page(sealed, [filed.note for filed in notes_about(office.book, sealed)]))
    for expected in (
        "Restore drill of kgc, 2026-11-28",
        "Passed",
        "20261121T020000Z-0000abcd, taken 2026-11-28 02:00:00 UTC",
        "23 tables, 1,500,000 rows",
        "19 of 19 passed.",
        "second generation: it is due once a quarter.",
        "a TCP port outside",
        "Dr. Okafor",
        "accepted",
        "The runbook names the new host.",
        "45 CFR 164.308(a)(7)(ii)",
        "(D) Testing and revision, addressable",
        "A1.3",
        "A.8.13 Information backup",
        "It certifies none of them",
        sealed.sha256,
        sealed.key_id,
    ):
        assert expected in page.text, expected


def test_the_page_of_a_failed_drill_claims_nothing(office: Office) -> None:
    """A failure is evidence that tests take place, and of nothing more."""
    outcome = outcome_of()
    failed = Check(name=CheckName.ROWS, outcome=CheckOutcome.FAILED, expected="10", found="9")
    page = Text(receipt_page(office.issue(replace(outcome, checks=(*outcome.checks, failed))).sealed)).text
    assert "Failed" in page
    assert "the restored rows are not the ones that were there" in page
    assert "That copies are tested, and that this one did not stand the test." in page
    assert "One copy was retrieved, and its 23 tables" not in page
    assert "Nobody has reviewed it yet." in page


def test_the_page_needs_nothing_from_anywhere(sealed: Sealed) -> None:
    """It is read on a machine without a network, and it is small enough for a mail."""
    page = receipt_page(sealed)
    parsed = Text(page)
    assert parsed.loads == []
    assert "script" not in parsed.tags
    assert "url(" not in page
    assert len(page) < 40_000


def test_what_a_database_is_called_cannot_become_markup(office: Office) -> None:
    """Names of tables and hosts are chosen by others."""
    outcome = outcome_of()
    odd = Check(name=CheckName.SMOKE, outcome=CheckOutcome.SKIPPED, subject=SCRIPT, detail=SCRIPT)
    sealed = office.issue(
        replace(outcome, checks=(*outcome.checks, odd), host=SCRIPT, remarks=(SCRIPT,), operator=SCRIPT)
    ).sealed
    page = receipt_page(sealed)
    assert SCRIPT in Text(page).text
    assert SCRIPT not in page


def test_a_secret_that_found_its_way_into_words_is_withheld(office: Office) -> None:
    """The second line of defence: the first is that nobody puts it there."""
    outcome = outcome_of()
    leaky = Check(name=CheckName.SMOKE, outcome=CheckOutcome.PASSED, found=PASSWORD, detail=PASSWORD)
    issued = office.issue(
        replace(outcome, checks=(*outcome.checks, leaky), remarks=(PASSWORD,), not_checked=(PASSWORD,))
    )
    assert b"hunter2-canary" not in issued.sealed.statement.payload()
    assert "hunter2-canary" not in receipt_page(issued.sealed)
    assert issued.sealed.receipt.remarks == ("(withheld: it looks like an address with a password in it)",)


def test_a_receipt_follows_its_published_schema(sealed: Sealed) -> None:
    """Other programs read receipts by it."""
    statement = json.loads(sealed.statement.payload())
    assert list(jsonschema.Draft202012Validator(receipt_schema()).iter_errors(statement)) == []
    statement["predicate"]["verdict"] = "GREAT"
    assert list(jsonschema.Draft202012Validator(receipt_schema()).iter_errors(statement)) != []


def test_an_auditor_verifies_the_exported_folder_with_what_is_in_it(office: Office, tmp_path: Path) -> None:
    """The command in the README holds as it stands there, and fails when a file is taken out."""
    for issued in office.issue_many(3):
        review(office, issued.sealed)
    folder = tmp_path / "for-the-auditor"
    done = export_receipts(office.book, folder)
    assert (done.receipts, done.notes, str(done.head).partition(":")[0]) == (3, 3, "3")
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    words = next(line for line in readme.splitlines() if "verify_receipt.py receipts" in line).split()[3:]
    inside = [str(folder / word) if "/" in word or word == "receipts" else word for word in words]
    verified = verify_alone(*inside)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "beside them 3 notes" in verified.stdout
    assert sorted(path.name for path in (folder / "pages").iterdir()) == [f"{n:012d}.html" for n in (1, 2, 3)]
    (folder / "receipts" / "000000000003.json").unlink()
    assert "receipt 3: it is missing" in verify_alone(*inside).stdout
    with pytest.raises(ExportRefused, match="cannot be made"):
        export_receipts(office.book, folder)
