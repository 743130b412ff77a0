"""Which migrations are still to be applied, and when a ledger is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgtend.ledger.errors import LedgerTooNew, MigrationChanged, MigrationGap
from pgtend.ledger.migrate import Applied, Migration, known_migrations, still_to_apply

KNOWN = tuple(Migration(number, f"000{number}_step", str(number) * 64, "SELECT 1;") for number in (1, 2, 3))
APPLIED = tuple(Applied(known.number, known.name, known.sha256) for known in KNOWN)


def test_what_is_missing_is_applied_in_order() -> None:
    """From nothing everything, from everything nothing."""
    assert [step.number for step in still_to_apply((), KNOWN)] == [1, 2, 3]
    assert [step.number for step in still_to_apply(APPLIED[:1], KNOWN)] == [2, 3]
    assert still_to_apply(APPLIED, KNOWN) == ()


def test_an_applied_file_that_changed_is_refused() -> None:
    """Otherwise two ledgers with the same number would not be the same."""
    changed = (Applied(1, "0001_step", "f" * 64),)
    with pytest.raises(MigrationChanged, match="0001_step is no longer the file that was applied"):
        still_to_apply(changed, KNOWN)


def test_a_ledger_newer_than_the_code_is_refused() -> None:
    """An old worker must not write into a schema it does not know."""
    with pytest.raises(LedgerTooNew) as caught:
        still_to_apply(APPLIED, KNOWN[:2])
    assert caught.value.message == "the ledger is at migration 3, this pgtend knows 2"
    assert caught.value.hint.startswith("Install the version of pgtend")


@pytest.mark.parametrize(
    ("applied", "known", "where"),
    [((), (KNOWN[0], KNOWN[2]), "2 is missing in this package"), (APPLIED[1:2], KNOWN, "1 is missing in the ledger")],
)
def test_a_gap_is_refused(applied: tuple[Applied, ...], known: tuple[Migration, ...], where: str) -> None:
    """On either side."""
    with pytest.raises(MigrationGap, match=where):
        still_to_apply(applied, known)


def test_line_ends_of_a_checkout_do_not_change_a_digest(tmp_path: Path) -> None:
    """Windows and Linux see the same migration."""
    unix, windows = tmp_path / "unix", tmp_path / "windows"
    for folder, end in ((unix, b"\n"), (windows, b"\r\n")):
        folder.mkdir()
        (folder / "0001_step.sql").write_bytes(b"SELECT 1;" + end)
        (folder / "README").touch()
    assert known_migrations(unix) == known_migrations(windows)
    digest = "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd"
    assert [(step.number, step.name, step.sha256) for step in known_migrations(unix)] == [(1, "0001_step", digest)]


def test_the_released_migrations_have_no_gap() -> None:
    """The package itself would be refused otherwise."""
    assert still_to_apply((), known_migrations())[0].name == "0001_audit"
