"""What every command needs before it can begin: the fleet file, the database it names, the ledger, who is asking."""

from __future__ import annotations

import getpass
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pgtend.fleet.load import at_home, fleet_path, load_fleet
from pgtend.fleet.model import Database, Fleet, first_vault
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import suggestion
from pgtend.ledger.model import Ledger, Subject
from pgtend.ledger.open import open_ledger
from pgtend.postgres.address import Address, AddressBook
from pgtend.postgres.services import LibpqServices
from pgtend.vault.model import Vault
from pgtend.vault.open import aws_profiles, open_vault

APPLICATION = "pgtend:shell"


class UnknownDatabase(Misconfigured):
    """The fleet file has no database of this name."""

    code = "cli.unknown_database"


class UnknownVault(Misconfigured):
    """The fleet file has no vault of this name."""

    code = "cli.unknown_vault"


@dataclass(frozen=True)
class Desk:
    """One person at one shell, with one fleet file."""

    path: Path
    book: AddressBook

    @cached_property
    def fleet(self) -> Fleet:
        """The fleet, read once."""
        return load_fleet(self.path)

    def database(self, name: str) -> Database:
        """Find a database by its name in the fleet file."""
        if name not in self.fleet.databases:
            raise UnknownDatabase(
                f"the fleet has no database '{name}'",
                detail=f"The fleet file is {self.path}.",
                hint=suggestion(name, self.fleet.databases),
            )
        return self.fleet.databases[name]

    def databases(self, names: list[str]) -> list[Database]:
        """Find several databases, or all when none is named."""
        return [self.database(name) for name in names or self.fleet.databases]

    def address(self, database: Database) -> Address:
        """Find the way to a database."""
        return self.book.find(database.connection)

    def subject(self, database: Database, pipeline: str) -> Subject:
        """Say what a run is about, and that a person started it."""
        return Subject(database=database.name, pipeline=pipeline, actor=f"{who()} (shell)")

    @contextmanager
    def ledger(self) -> Generator[Ledger]:
        """Open the memory of the fleet."""
        with open_ledger(self.fleet, self.book, application=APPLICATION) as ledger:
            yield ledger

    def vault(self, name: str = "") -> Vault:
        """Open a vault by its name in the fleet file, or the one that is used when none is named."""
        vaults = self.fleet.vaults
        wanted = name or first_vault(list(vaults))
        if wanted not in vaults:
            raise UnknownVault(
                f"the fleet has no vault '{wanted}'",
                detail=f"The fleet file is {self.path}.",
                hint=suggestion(wanted, vaults),
            )
        return open_vault(vaults[wanted], aws_profiles)


def open_desk(path: Path | None) -> Desk:
    """Sit down with the fleet file that was named, or the one in its usual place."""
    return Desk(at_home(path) if path else fleet_path(), LibpqServices())


def who() -> str:
    """Name the person, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
