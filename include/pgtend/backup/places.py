"""Where the backups of a database of the fleet are: its own vault, and the second ones that they are copied to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from pgtend.backup.expiry import Holding
from pgtend.backup.listing import Place
from pgtend.fleet.model import Database, Fleet, VaultSettings
from pgtend.vault.model import Vault


@contextmanager
def opened_places(
    fleet: Fleet, database: Database, opened: Callable[[VaultSettings], Vault], *names: str
) -> Generator[tuple[Place, ...]]:
    """Open all vaults of a database, or only the named ones, its own first."""
    with ExitStack() as stack:
        yield tuple(
            place_in(stack.enter_context(opened(fleet.vaults[name])), name, fleet, database)
            for name in (database.vault, *database.backup.copies)
            if not names or name in names
        )


def place_in(vault: Vault, name: str, fleet: Fleet, database: Database) -> Place:
    """Say by which rules a vault that is open keeps the backups of a database."""
    copies = database.backup.copies
    holding = Holding(
        vault=vault,
        fleet=fleet.fleet,
        database=database.name,
        rules=copies[name].retention if name in copies else database.backup.retention,
        lock=lock_of(fleet.vaults[name]),
    )
    return Place(name=name, is_copy=name != database.vault, holding=holding)


def lock_of(settings: VaultSettings) -> timedelta | None:
    """Tell how long a vault protects what it was given."""
    return settings.s3.object_lock.keep if settings.s3 and settings.s3.object_lock else None
