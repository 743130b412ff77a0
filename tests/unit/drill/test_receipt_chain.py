"""A receipt that was removed, replaced, moved or played again is found, by pgtend and by the script."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.receipts import Office, outcome_of, verify_alone
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.chain import ReceiptChainBroken, ReceiptHead, ReceiptReport
from pgtend.drill.receipts.keys import new_signing_key
from pgtend.drill.receipts.verify import audit_heads, verify_receipts
from pgtend.kernel.progress import quietly


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give an office that issued five receipts of two databases."""
    opened = Office.at(tmp_path)
    for number in range(1, 6):
        opened.issue(outcome_of(number, database="kgc" if number % 2 else "vaxtrace"))
    return opened


def verdict(office: Office, *remembered: ReceiptHead, audit: bool = True) -> ReceiptReport:
    """Verify everything as `pgtend receipt verify --all` does."""
    return verify_receipts(office.book, office.ledger if audit else None, quietly, remembered)


def head_of(office: Office) -> str:
    """Tell the newest receipt as a person remembers it."""
    return str(verdict(office).head)


def copy_of(office: Office, number: int) -> Path:
    """Find the copy of a receipt among those of its database."""
    receipt = office.book.read(number).receipt
    return office.folder / receipt.database / f"{receipt.receipt_id}.json"


def replaced(path: Path, content: bytes) -> None:
    """Put other bytes into a file of a vault, as whoever may write to its disk can."""
    path.unlink()
    path.write_bytes(content)


def test_a_chain_that_nobody_touched_holds(office: Office) -> None:
    """For both, with the audit, with the head, and with nothing but the files."""
    report = verdict(office)
    assert (report.holds, len(report.receipts), report.head.sequence) == (True, 5, 5)
    assert office.ledger.verify_chain(audit_heads(report.receipts)).holds
    done = verify_alone(office.folder, "--head", str(report.head), keys=[office.key.public.text])
    assert done.returncode == 0, done.stdout
    assert "verified 5 receipts: all hold" in done.stdout


def remove_one_in_the_middle(office: Office) -> None:
    """Remove a receipt with its copy."""
    copy_of(office, 3).unlink()
    office.chain(3).unlink()


def remove_the_first(office: Office) -> None:
    """Remove the first receipt with its copy."""
    copy_of(office, 1).unlink()
    office.chain(1).unlink()


def remove_the_newest(office: Office) -> None:
    """Remove the last receipt with its copy."""
    copy_of(office, 5).unlink()
    office.chain(5).unlink()


def swap_two(office: Office) -> None:
    """Let two receipts lie in each other's places."""
    third, fourth = office.chain(3).read_bytes(), office.chain(4).read_bytes()
    replaced(office.chain(3), fourth)
    replaced(office.chain(4), third)


def play_an_old_one_again(office: Office) -> None:
    """Show an old receipt as if it were the next."""
    shutil.copy(office.chain(2), office.chain(6))


def play_an_old_one_as_another_drill(office: Office) -> None:
    """Show an old receipt as if it were of another drill."""
    shutil.copy(copy_of(office, 1), copy_of(office, 1).with_name("20991231T000000Z-00000000.json"))


def show_it_as_another_databases(office: Office) -> None:
    """Show a receipt of one database as one of the other."""
    shutil.copy(copy_of(office, 1), office.folder / "vaxtrace")


def change_one_byte(office: Office) -> None:
    """Change one byte of a receipt."""
    content = office.chain(2).read_bytes()
    replaced(office.chain(2), content.replace(b"c", b"d", 1))


def change_one_byte_of_a_copy(office: Office) -> None:
    """Change one byte where people look, and leave the chain alone."""
    path = copy_of(office, 2)
    replaced(path, path.read_bytes().replace(b"c", b"d", 1))


def issue_another_history(office: Office) -> None:
    """Replace the newest receipt by another one that is signed with the same key, as an insider could."""
    other = Office.at(office.root / "insider")
    other.key = office.key
    other.book = ReceiptBook(vault=other.book.vault, fleet="clinic", trusted=office.book.trusted)
    shutil.copytree(office.folder, other.folder)
    remove_the_newest(other)
    forged = other.issue(outcome_of(5, not_checked=("something else",)))
    replaced(office.chain(5), forged.envelope)
    replaced(copy_of(office, 5), forged.envelope)


TRICKS: list[tuple[Callable[[Office], None], str]] = [
    (remove_one_in_the_middle, "receipt 3: it is missing"),
    (remove_the_first, "receipt 1: it is missing"),
    (remove_the_newest, "receipt 5: it is missing"),
    (swap_two, "000000000003.json"),
    (play_an_old_one_again, "000000000006.json"),
    (play_an_old_one_as_another_drill, "20991231T000000Z-00000000.json"),
    (show_it_as_another_databases, "vaxtrace"),
    (change_one_byte, "000000000002.json"),
    (change_one_byte_of_a_copy, "vaxtrace"),
    (issue_another_history, "000000000005.json"),
]


@pytest.mark.parametrize(("trick", "where"), TRICKS, ids=[trick.__name__ for trick, _ in TRICKS])
def test_what_was_done_to_the_receipts_is_found(office: Office, trick: Callable[[Office], None], where: str) -> None:
    """By pgtend with the audit, and by the script with the head that a person remembers."""
    head = head_of(office)
    trick(office)
    report = verdict(office)
    assert any(where in str(fault) for fault in report.faults), report.faults
    with pytest.raises(ReceiptChainBroken, match="not what was signed"):
        report.raise_if_broken()
    done = verify_alone(office.folder, "--head", head, keys=[office.key.public.text])
    assert done.returncode == 1
    assert any(where in line for line in done.stdout.splitlines() if line.startswith("WRONG")), done.stdout


def test_without_the_audit_a_remembered_head_tells_that_the_newest_is_missing(office: Office) -> None:
    """An auditor has no ledger, and may have a line in a mail."""
    remembered = verdict(office).head
    remove_the_newest(office)
    assert verdict(office, audit=False).holds
    assert [str(fault) for fault in verdict(office, remembered, audit=False).faults] == [
        "receipt 5: it is missing (it was recorded)"
    ]


def test_a_removed_number_is_never_given_out_again(office: Office) -> None:
    """The hole stays visible, also after the next drill."""
    remove_the_newest(office)
    issued = office.issue(outcome_of(6))
    assert issued.sealed.sequence == 6
    assert [str(fault) for fault in verdict(office).faults] == ["receipt 5: it is missing"]


def test_receipts_of_a_key_that_is_not_trusted_are_not_believed(office: Office) -> None:
    """All of them are there, and none counts."""
    other = new_signing_key().public
    office.book = ReceiptBook(vault=office.book.vault, fleet="clinic", trusted=(other,))
    report = verdict(office)
    assert (len(report.receipts), report.holds) == (0, False)
    assert verify_alone(office.folder, keys=[other.text]).returncode == 1


def test_a_rotated_key_signs_on_in_the_same_chain(office: Office) -> None:
    """The old public key stays trusted as long as its receipts are kept."""
    old, office.key = office.key, new_signing_key()
    office.issue(outcome_of(6))
    both = (old.public, office.key.public)
    office.book = ReceiptBook(vault=office.book.vault, fleet="clinic", trusted=both)
    assert verdict(office).holds
    assert verify_alone(office.folder, keys=[key.text for key in both]).returncode == 0
    assert verify_alone(office.folder, keys=[old.public.text]).returncode == 1


def test_a_folder_that_begins_later_says_so_unless_it_is_told(office: Office) -> None:
    """After six years the oldest may be gone; that has to be said, and not assumed."""
    remove_the_first(office)
    assert verify_alone(office.folder, keys=[office.key.public.text]).returncode == 1
    assert verify_alone(office.folder, "--start", "2", keys=[office.key.public.text]).returncode == 0


def test_an_empty_folder_proves_nothing(office: Office, tmp_path: Path) -> None:
    """No receipt is not the same as no fault."""
    empty = tmp_path / "empty"
    empty.mkdir()
    done = verify_alone(empty, keys=[office.key.public.text])
    assert (done.returncode, "there is no receipt here" in done.stdout) == (1, True)
