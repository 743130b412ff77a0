"""Opening the ledger that a fleet file names, or the folder when it names none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import LiveDatabase
from bed.ledgers import KGC
from pgtend.fleet.model import Fleet
from pgtend.ledger.errors import LedgerNotMigrated, LedgerUnreachable
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.open import open_ledger
from pgtend.postgres.address import Address


class Book:
    """An address book with one page."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def find(self, connection: str) -> Address:
        """Find the only address there is."""
        assert connection == "reporting"
        return self._address


def fleet_with(**settings: object) -> Fleet:
    """Make a fleet of no databases."""
    return Fleet.model_validate({"fleet": "clinic", "databases": {"kgc": {"connection": "kgc"}}, **settings})


WITH_LEDGER = fleet_with(ledger={"connection": "reporting"})


def test_a_fleet_with_a_ledger_writes_there(reporting: LiveDatabase, writer: Address) -> None:
    """With the application's name, as a pgtend_writer."""
    with open_ledger(WITH_LEDGER, Book(writer), application="pgtend:test") as ledger:
        before = ledger.audit_head().seq
        with ledger.run(KGC):
            pass
        assert ledger.audit_head().seq == before + 2
    assert reporting.name in writer.database


def test_a_ledger_that_is_not_migrated_is_not_opened(database: LiveDatabase) -> None:
    """The hint says what to run."""
    book = Book(database.superuser)
    with pytest.raises(LedgerNotMigrated), open_ledger(WITH_LEDGER, book, application="pgtend:test"):
        pytest.fail("it was opened")


def test_a_ledger_that_does_not_answer_is_an_outage(tmp_path: Path) -> None:
    """It is the ledger that is down, not a database we tend."""
    book = Book(Address(params={"host": str(tmp_path), "dbname": "reporting", "user": "pgtend"}))
    with (
        pytest.raises(LedgerUnreachable, match="the ledger does not answer"),
        open_ledger(WITH_LEDGER, book, application="pgtend:test"),
    ):
        pytest.fail("it was opened")


def test_a_fleet_without_a_ledger_writes_into_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each fleet, where the user's data lies."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with open_ledger(fleet_with(), Book(Address(params={})), application="pgtend:test") as ledger:
        assert isinstance(ledger, FolderLedger)
        with ledger.run(KGC):
            pass
    assert (tmp_path / "pgtend" / "ledger" / "clinic" / "audit.jsonl").exists()
