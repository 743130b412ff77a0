"""Backups of a test: a database, a vault, keys, and the words in which the fleet file would describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bed.clusters import LiveDatabase, tools_of
from pgtend.backup.manifest import Manifest
from pgtend.backup.take import Site, take_backup
from pgtend.fleet.model import Fleet
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.vault.agekeys import KeyPair, PrivateKeys, new_pair
from pgtend.vault.model import Vault

OPERATIONS: KeyPair = new_pair()
ESCROW: KeyPair = new_pair()
KEYS = PrivateKeys((OPERATIONS,))


@dataclass(slots=True)
class Depot:
    """Where the backups of one database go."""

    live: LiveDatabase
    vault: Vault
    memory: Path
    address: Address
    rules: Mapping[str, object] = field(default_factory=dict[str, object])
    limits: Mapping[str, object] = field(default_factory=lambda: {"lock_timeout": "2 s", "sessions": 3})
    lines: list[str] = field(default_factory=list[str])

    @property
    def fleet(self) -> Fleet:
        """The fleet as its file would describe it, with a window that is always open."""
        return Fleet.model_validate(
            {
                "fleet": "tests",
                "keys": {"recipients": {"operations": OPERATIONS.public, "escrow": ESCROW.public}},
                "databases": {
                    "clinic": {
                        "limits": dict(self.limits),
                        "window": {"start": "00:00", "end": "00:00"},
                        "backup": dict(self.rules),
                    }
                },
            }
        )

    @property
    def ledger(self) -> FolderLedger:
        """The memory of these nights."""
        return FolderLedger(self.memory)

    def site(self) -> Site:
        """Say what is backed up, and where to."""
        fleet = self.fleet
        return Site(fleet=fleet, database=fleet.databases["clinic"], address=self.address, vault=self.vault)

    def take(self, patience: timedelta = timedelta(seconds=1)) -> Manifest:
        """Take a backup."""
        subject = Subject("clinic", "backup", "test")
        return take_backup(self.site(), self.ledger, subject, self.lines.append, patience=patience)

    def stored(self) -> list[str]:
        """List the keys of everything in the vault."""
        return [stored.key for stored in self.vault.objects("backups/")]


def tools_on_path(major: int) -> str:
    """Say where the client tools of a test are, as PGTEND_PG_BINDIRS does."""
    return f"{major}:{tools_of(major).folder}"
