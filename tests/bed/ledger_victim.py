"""A process that opens a run and waits to be killed: `folder <path>` or `database <libpq parameters as JSON>`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pgtend.fleet.model import Limits
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import open_session


def live(ledger: Ledger) -> None:
    """Open a run and wait for the end."""
    with ledger.run(Subject("kgc", "analyze", "victim")) as run:
        sys.stdout.write(f"{run.run_id}\n")
        sys.stdout.flush()
        time.sleep(120)


if __name__ == "__main__":
    if sys.argv[1] == "folder":
        live(FolderLedger(Path(sys.argv[2])))
    else:
        address = Address(params=json.loads(sys.argv[2]))
        with open_session(address, Limits(), application="pgtend:victim") as session:
            live(DatabaseLedger(session))
