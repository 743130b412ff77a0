"""A stage for stories of backup and restore: one server, one vault, one pair of keys, and real jobs between them."""

from __future__ import annotations

import difflib
import re
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bed.clusters import asked
from bed.stored_backups import folder_vault
from pgtend.backup.catalogue import LATEST, Catalogue, read_catalogue
from pgtend.backup.manifest import Manifest
from pgtend.backup.take import Site, take_backup
from pgtend.fleet.model import Fleet
from pgtend.kernel.times import utc_now
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore.archive import Backup
from pgtend.restore.compare import compare, kept_fingerprints
from pgtend.restore.job import restore_backup
from pgtend.restore.model import RestoreOrder, RestoreReport, restored_tables
from pgtend.vault.agekeys import KeyPair, PrivateKeys, new_pair
from pgtend.vault.folder import FolderVault

_RETYPED = re.compile(r"::character varying|::text\[\]|::text|[()]")


@dataclass(slots=True, kw_only=True)
class Stage:
    """Where a backup is taken and restored."""

    server: ThrowawayServer
    folder: Path
    own_part_from: str = "64 kB"
    keys: KeyPair = field(default_factory=new_pair)
    lines: list[str] = field(default_factory=list[str])

    @property
    def vault(self) -> FolderVault:
        """Where the backups are."""
        return folder_vault(self.folder / "vault")

    @property
    def private(self) -> PrivateKeys:
        """What opens them."""
        return PrivateKeys((self.keys,))

    def fleet(self, database: str) -> Fleet:
        """Describe a fleet of one database."""
        rules = {"own_part_from": self.own_part_from}
        block = {"connection": database, "backup": rules, "window": {"start": "00:00", "end": "00:00"}}
        return Fleet.model_validate(
            {
                "fleet": "clinic",
                "databases": {"subject": block},
                "keys": {"recipients": {"operations": self.keys.public}},
            }
        )

    def take(self, database: str, address: Address | None = None) -> Manifest:
        """Take a backup for real."""
        fleet = self.fleet(database)
        site = Site(
            fleet=fleet,
            database=fleet.databases["subject"],
            address=address or self.server.superuser(database),
            vault=self.vault,
        )
        ledger = FolderLedger(self.folder / "ledger")
        return take_backup(
            site, ledger, Subject("subject", "backup", "test"), self.lines.append, patience=timedelta(seconds=20)
        )

    def catalogue(self) -> Catalogue:
        """List the backups."""
        return read_catalogue(self.vault, "clinic", "subject", utc_now())

    def backup(self, wanted: str = LATEST, *, keys: PrivateKeys | None = None) -> Backup:
        """Open a backup."""
        return Backup(self.vault, self.catalogue().choose(wanted), keys or self.private)

    def order(self, name: str, **different: object) -> RestoreOrder:
        """Order a restore on the same server."""
        return RestoreOrder(
            **{"target": self.server.superuser(), "by": "test", "name": name, **different}  # type: ignore[arg-type]
        )

    def restore(self, name: str, **different: object) -> RestoreReport:
        """Restore the latest backup under a new name."""
        return restore_backup(self.backup(), self.order(name, **different), self.lines.append)

    def compare(self, name: str, backup: Backup | None = None) -> list[str]:
        """Tell what of a restored database is not as it was in the latest backup."""
        held, order = backup or self.backup(), self.order(name)
        manifest = held.entry.manifest
        found = compare(
            manifest, kept_fingerprints(held), self.server.superuser(name), restored_tables(manifest, order), order
        )
        return sorted(map(str, found.differences))

    def schema(self, database: str) -> list[str]:
        """Write out a schema the way two databases can be compared."""
        asked = (
            self.server.tools.path("pg_dump"),
            "-s",
            "--restrict-key=x",
            "-d",
            self.server.superuser(database).conninfo,
        )
        text = subprocess.run(asked, capture_output=True, check=True).stdout.decode(errors="surrogateescape")
        return [_plain(line) for line in text.splitlines()]

    def schema_differences(self, one: str, other: str) -> list[str]:
        """Tell in which lines two schemas differ."""
        return list(difflib.unified_diff(self.schema(one), self.schema(other), lineterm="", n=0))


def _plain(line: str) -> str:
    """Undo what PostgreSQL does to a list of varchar values on reading its own output: it moves casts and brackets."""
    return _RETYPED.sub("", line) if "ARRAY[" in line and "::character varying" in line else line


def as_of_format(manifest: Manifest, number: int, **different: object) -> Manifest:
    """Write a manifest as it would have been written before the inventory knew all kinds of objects."""
    known = tuple(one for one in manifest.inventory if not one.kind.startswith(("right on ", "owner of ")))
    return manifest.model_copy(update={"format": number, "inventory": known, **different})


def names_like(stage: Stage, pattern: str) -> list[str]:
    """List the databases of a stage whose name begins so."""
    with stage.server.session() as session:
        found = session.rows(asked("SELECT datname::text AS word FROM pg_database ORDER BY 1"))
    return [one.word for one in found if one.word.startswith(pattern)]
