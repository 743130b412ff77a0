"""A migrated ledger for every test that asks for one, and the ways in for its roles."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import LiveDatabase
from bed.ledgers import member_of, new_ledger
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture
def reporting(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Give a database that is a migrated ledger."""
    with new_ledger(server) as made:
        yield made


@pytest.fixture
def writer(reporting: LiveDatabase) -> Address:
    """Give the way in of a role that is nothing but a pgtend_writer."""
    return member_of(reporting, "pgtend_writer")


@pytest.fixture
def reader(reporting: LiveDatabase) -> Address:
    """Give the way in of a role that is nothing but a pgtend_reader."""
    return member_of(reporting, "pgtend_reader")


@pytest.fixture
def session(reporting: LiveDatabase, writer: Address) -> Generator[Session]:
    """Open a session of a job: it is a pgtend_writer and nothing more."""
    with reporting.session(writer) as opened:
        yield opened


@pytest.fixture
def ledger(session: Session) -> DatabaseLedger:
    """Give the ledger as a job has it."""
    return DatabaseLedger(session)
