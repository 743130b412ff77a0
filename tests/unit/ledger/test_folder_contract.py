"""The ledger in a folder keeps what every ledger promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.ledger_contract import LedgerContract
from pgtend.ledger.folder import FolderLedger


class TestFolderLedger(LedgerContract):
    """The contract, kept by JSON lines."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> FolderLedger:
        """Give a ledger in a folder that does not exist yet."""
        return FolderLedger(tmp_path / "ledger")

    @pytest.fixture
    def second(self, tmp_path: Path) -> FolderLedger:
        """Give a second way to the same ledger."""
        return FolderLedger(tmp_path / "ledger")

    @pytest.fixture
    def victim(self, tmp_path: Path) -> tuple[str, str]:
        """Tell the dying process where the folder is."""
        return "folder", str(tmp_path / "ledger")
