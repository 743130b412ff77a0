"""Opens the ledger the fleet file names, or the folder on this machine when it names none."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from pgtend.fleet.model import Fleet, LedgerSettings, Limits
from pgtend.kernel.errors import Outage
from pgtend.ledger.database import DatabaseLedger, unreachable
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.migrate import require_current
from pgtend.ledger.model import Ledger
from pgtend.postgres.address import AddressBook
from pgtend.postgres.session import Session, open_session


@contextmanager
def open_ledger(fleet: Fleet, book: AddressBook, *, application: str) -> Generator[Ledger]:
    """Open the memory of a fleet, and refuse one that is not migrated."""
    if fleet.ledger is None:
        yield FolderLedger(ledger_folder(fleet.fleet))
        return
    with open_reporting(fleet.ledger, book, application=application) as session:
        reopen = partial(open_session, session.address, session.limits, application=application)
        yield DatabaseLedger(session, reopen)


@contextmanager
def open_reporting(
    settings: LedgerSettings, book: AddressBook, *, application: str, limits: Limits | None = None
) -> Generator[Session]:
    """Open a session in the reporting database: for the ledger, for the book of alerts, for pages."""
    with ExitStack() as stack:
        try:
            address = book.find(settings.connection)
            session = stack.enter_context(open_session(address, limits or Limits(), application=application))
            require_current(session)
        except Outage as outage:
            raise unreachable(outage) from outage
        yield session


def ledger_folder(fleet: str) -> Path:
    """Say where the ledger of a fleet lies on this machine."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "pgtend" / "ledger" / fleet
