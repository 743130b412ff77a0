"""The ledger in a database keeps what every ledger promises."""

from __future__ import annotations

import json
from collections.abc import Generator

import pytest

from bed.clusters import LiveDatabase
from bed.ledger_contract import LedgerContract
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.address import Address


class TestDatabaseLedger(LedgerContract):
    """The contract, kept by a role that is nothing but a pgtend_writer."""

    @pytest.fixture
    def victim(self, reporting: LiveDatabase) -> tuple[str, str]:
        """Tell the dying process the way in."""
        return "database", json.dumps(dict(reporting.superuser.params))

    @pytest.fixture
    def second(self, reporting: LiveDatabase, writer: Address) -> Generator[DatabaseLedger]:
        """Give a second way to the same ledger."""
        with reporting.session(writer) as session:
            yield DatabaseLedger(session)
