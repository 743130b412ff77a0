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
    rules = database.backup
    kept = {database.vault: rules.retention, **{name: copy.retention for name, copy in rules.copies.items()}}
    with ExitStack() as stack:
        places: list[Place] = []
        for name, retention in kept.items():
            if names and name not in names:
                continue
            settings = fleet.vaults[name]
            holding = Holding(
                vault=stack.enter_context(opened(settings)),
                fleet=fleet.fleet,
                database=database.name,
                rules=retention,
                lock=lock_of(settings),
            )
            places.append(Place(name=name, is_copy=name != database.vault, holding=holding))
        yield tuple(places)


def lock_of(settings: VaultSettings) -> timedelta | None:
    """Tell how long a vault protects what it was given."""
    return settings.s3.object_lock.keep if settings.s3 and settings.s3.object_lock else None
