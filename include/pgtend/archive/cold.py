"""Months in the vault: written as Parquet, sealed, read back, loaded and compared before they count.

Workers hold public keys only, so nobody who takes over a worker can read old months. To prove a month all the same, it
is sealed for one more key that is made for this purpose, lives in memory while the month is read back, and is
forgotten: what is compared with the ledger went all the way through the vault.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from typing import IO, cast

from pgtend.archive.columns import Layout
from pgtend.archive.errors import ColdBroken, NobodyToSealFor
from pgtend.archive.manifest import MonthManifest, Recipient, by_hand, folder_of, write_month_manifest
from pgtend.archive.memory import move_on
from pgtend.archive.model import State, Unit
from pgtend.archive.names import Names
from pgtend.archive.parquet import exported, read_rows, write_month
from pgtend.archive.seal import Digest, digest, verify_month
from pgtend.archive.tables import Shelf, partition_of
from pgtend.backup.preflight import recipients_of
from pgtend.fleet.model import Fleet
from pgtend.kernel.names import counted, new_run_id
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import Composable, all_of, column, columns, expression, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query
from pgtend.vault.agekeys import PrivateKeys, PublicKey, new_pair
from pgtend.vault.model import Readable, Vault
from pgtend.vault.parts import MIB
from pgtend.vault.sealing import Sealed, seal, unseal


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdMonth:
    """One month as the vault has it."""

    source_id: int
    month: date
    gen: int
    key: str
    rows: int
    checksum: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finite:
    """Whether a file can hold every moment."""

    is_finite: bool


COPY_MONTH_OUT = command(__package__ or "", "copy_month_out")
COPY_MONTH_IN = command(__package__ or "", "copy_month_in")
CREATE_SCRATCH = command(__package__ or "", "create_scratch")
READ_FINITE = query(__package__ or "", "read_finite", Finite)
RECORD_COLD = command(__package__ or "", "record_cold")
READ_COLD = query(__package__ or "", "read_cold", ColdMonth)
SCRATCH = relation("pg_temp", "pgtend_scratch")
_IN_MEMORY = 64 * MIB
_FOR_PROOF = "proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A month that was put into the vault, and is not proven yet."""

    name: str
    parquet_sha256: str
    sealed: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where months of one database go, and who can open them."""

    fleet: Fleet
    database: str
    vault: Vault

    def recipients(self) -> tuple[PublicKey, ...]:
        """Name those for whom months are sealed: the same as for backups."""
        found = recipients_of(self.fleet, self.database)
        if not found and not self.fleet.databases[self.database].backup.unencrypted:
            raise NobodyToSealFor(
                f"months of {self.database} shall go to the vault, and there is nobody to seal them for",
                detail="The fleet file names no public key under keys.recipients.",
                hint="Make a pair away from the workers with `pgtend keys new`, and write the public key there.",
            )
        return found

    def store(self, shelf: Shelf, unit: Unit) -> tuple[MonthManifest, str]:
        """Write a sealed month to the vault and prove it there; give its manifest and the manifest's key."""
        verify_month(shelf, unit)
        shelf, unit = _with_all_columns(shelf, unit)
        recipients = self.recipients()
        folder = (
            f"{folder_of(self.fleet.fleet, self.database, shelf.names, unit.month, unit.gen)}{new_run_id(utc_now())}/"
        )
        key = f"{folder}manifest.json"
        # Before the first byte: whatever a killed run leaves in the vault is found by this.
        record_cold(shelf.session, unit, key, "stored")
        with _spool() as file:
            infinite = infinite_columns(shelf.session, partition_of(unit), shelf.layout)
            self._write(shelf, unit, file, infinite)
            proof = new_pair()
            told = (*recipients, PublicKey(_FOR_PROOF, proof.public)) if recipients else ()
            name = "month.parquet.zst.age" if recipients else "month.parquet.zst"
            parquet = _sha256_of(file)
            sealed = seal(self.vault, f"{folder}{name}", cast("Readable", file), told)
        month = Stored(name=name, parquet_sha256=parquet, sealed=sealed)
        self._prove(shelf, unit, folder, month, PrivateKeys((proof,)) if recipients else None)
        manifest = self._describe(shelf, unit, month, recipients)
        write_month_manifest(self.vault, folder, manifest)
        with shelf.session.transaction():
            move_on(shelf.session, unit, State.STORED)
            record_cold(shelf.session, unit, key, "proven")
        return manifest, key

    def _write(self, shelf: Shelf, unit: Unit, file: IO[bytes], infinite: frozenset[str]) -> None:
        blocks = shelf.session.copy_out(
            COPY_MONTH_OUT,
            table=partition_of(unit),
            columns=exported(shelf.layout, infinite),
            time=column(shelf.layout.by.name),
        )
        footer = {
            "table": str(shelf.names),
            "month": unit.label,
            "zone": shelf.layout.zone,
            "rows": str(unit.rows),
            "checksum": unit.checksum,
            "version": version("pgtend"),
        }
        rows = write_month(blocks, file, shelf.layout, infinite, footer)
        if rows != unit.rows:
            raise _broken(shelf.names, unit, f"{counted(rows, 'row')} written instead of {unit.rows:,}")

    def _prove(self, shelf: Shelf, unit: Unit, folder: str, month: Stored, keys: PrivateKeys | None) -> None:
        """Read the object from the vault, open it, load it, and hold it against the ledger."""
        key, stored = f"{folder}{month.name}", month.sealed.stored
        with shelf.session.transaction():
            shelf.session.run(CREATE_SCRATCH, archive=shelf.names.archive)
            with fetched(self.vault, key, keys, month.parquet_sha256, stored.sha256) as file:
                load(shelf.session, file, SCRATCH, shelf.layout, key)
            found = digest(shelf.session, SCRATCH, unit, shelf.layout)
        if (found.rows, found.checksum) != (unit.rows, unit.checksum):
            raise _broken(shelf.names, unit, f"read back, it holds {_differs(found, unit)}")

    def _describe(self, shelf: Shelf, unit: Unit, month: Stored, recipients: Sequence[PublicKey]) -> MonthManifest:
        sealed = month.sealed
        return MonthManifest(
            fleet=self.fleet.fleet,
            database=self.database,
            schema_name=shelf.names.schema,
            table_name=shelf.names.table,
            month=unit.month,
            generation=unit.gen,
            zone=shelf.layout.zone,
            by=shelf.layout.by.name,
            columns=tuple(shelf.layout.described),
            rows=unit.rows,
            checksum=unit.checksum,
            server_version=shelf.session.facts.version,
            file=month.name,
            plain_sha256=month.parquet_sha256,
            plain_size=sealed.plain_size,
            stored_sha256=sealed.stored.sha256 or "",
            stored_size=sealed.stored.size,
            recipients=tuple(Recipient(name=one.name, public_key=one.text) for one in recipients),
            made_at=utc_now(),
            made_by=f"pgtend {version('pgtend')}",
            by_hand=by_hand(month.name, tuple(recipients)),
        )


def _with_all_columns(shelf: Shelf, unit: Unit) -> tuple[Shelf, Unit]:
    """Take along the columns that went from the table and that its archive still has: their values are nowhere else."""
    layout, archived = shelf.layout, shelf.archived_columns()
    if {one.name for one in archived} <= {one.name for one in layout.columns}:
        return shelf, unit
    by = next(one for one in archived if one.name == layout.by.name)
    whole = replace(shelf, layout=Layout(columns=archived, by=by, zone=layout.zone))
    return whole, replace(unit, checksum=digest(shelf.session, partition_of(unit), unit, whole.layout).checksum)


def record_cold(session: Session, unit: Unit, key: str, state: str) -> None:
    """Write down where a month lies in the vault."""
    values = {"source_id": unit.source_id, "month": unit.month, "gen": unit.gen}
    session.run(RECORD_COLD, {**values, "key": key, "rows": unit.rows, "checksum": unit.checksum, "state": state})


def cold_of(session: Session, names: Names) -> tuple[ColdMonth, ...]:
    """List what the vault has of a table."""
    return tuple(session.rows(READ_COLD, {"schema": names.schema, "name": names.table}))


def infinite_columns(session: Session, table: Composable, layout: Layout) -> frozenset[str]:
    """Name the columns with moments that no file can hold; they are written as text."""
    kinds = {"timestamp", "timestamptz", "date"}
    found: set[str] = set()
    for one in (one for one in layout.columns if one.type in kinds):
        here = column(one.name)
        inside = expression("{column} >= '0001-01-01' AND {column} <= '9999-12-30' OR {column} IS NULL", column=here)
        if not session.row(READ_FINITE, table=table, condition=all_of([inside])).is_finite:
            found.add(one.name)
    return frozenset(found)


def load(session: Session, file: IO[bytes], table: Composable, layout: Layout, key: str) -> None:
    """Load a month into a table."""
    session.copy_blocks(
        COPY_MONTH_IN, read_rows(file, key), table=table, columns=columns(one.name for one in layout.columns)
    )


@contextmanager
def fetched(
    vault: Vault, key: str, keys: PrivateKeys | None, plain_sha256: str, stored_sha256: str | None
) -> Generator[IO[bytes]]:
    """Fetch a month, open it, and hold its bytes against what was promised."""
    seen = hashlib.sha256()
    with _spool() as file:
        with unseal(vault, key, keys, sha256=stored_sha256 or None) as plain:
            for chunk in _chunks(plain):
                seen.update(chunk)
                file.write(chunk)
        if seen.hexdigest() != plain_sha256:
            raise ColdBroken(
                f"'{key}' opens to other bytes than were sealed in it",
                hint="Follow docs/runbooks/archive-cold-broken.md.",
            )
        file.seek(0)
        yield file


@contextmanager
def _spool() -> Generator[IO[bytes]]:
    """Keep a month in memory, and a large one in a file without a name that dies with us."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        yield cast("IO[bytes]", file)


def _sha256_of(file: IO[bytes]) -> str:
    """Digest a file, and leave it ready to be read from its beginning."""
    file.seek(0)
    digested = hashlib.sha256()
    for chunk in _chunks(cast("Readable", file)):
        digested.update(chunk)
    file.seek(0)
    return digested.hexdigest()


def _chunks(stream: Readable) -> Iterator[bytes]:
    while chunk := stream.read(MIB):
        yield chunk


def _broken(names: Names, unit: Unit, what: str) -> ColdBroken:
    return ColdBroken(
        f"{names} {unit.label} did not come through the vault as it was",
        detail=f"{what[:1].upper()}{what[1:]}. The database keeps the month; nothing was dropped.",
        hint="Follow docs/runbooks/archive-cold-broken.md.",
    )


def _differs(found: Digest, unit: Unit) -> str:
    if found.rows != unit.rows:
        return f"{counted(found.rows, 'row')} instead of {unit.rows:,}"
    return "rows with another content"
