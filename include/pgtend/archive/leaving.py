"""Lets months go: out of the database when the vault surely has them, out of the vault when their time is over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pgtend.archive.cold import ColdMonth, cold_of
from pgtend.archive.errors import ColdBroken, UnreadableMonth
from pgtend.archive.manifest import read_month_manifest
from pgtend.archive.memory import move_on
from pgtend.archive.model import State, Unit
from pgtend.archive.names import SCHEMA, Names
from pgtend.archive.seal import verify_month
from pgtend.archive.tables import Shelf, find, partition_of
from pgtend.backup.catalogue import read_catalogue
from pgtend.backup.states import BackupState
from pgtend.kernel.names import counted
from pgtend.kernel.times import utc_now
from pgtend.postgres.errors import LockedOut
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query
from pgtend.vault.errors import ObjectDamaged, ObjectLocked, ObjectMissing
from pgtend.vault.model import Vault
from pgtend.vault.parts import MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Whether a month is on its way out."""

    is_pending: bool


DROP_MONTH = command(__package__ or "", "drop_month")
DETACH_ARCHIVED_MONTH = command(__package__ or "", "detach_archived_month")
FINALIZE_ARCHIVED_MONTH = command(__package__ or "", "finalize_archived_month")
READ_PENDING = query(__package__ or "", "read_pending", Pending)
CHANGE_COLD = command(__package__ or "", "change_cold")
NEXT_GENERATION = command(__package__ or "", "next_generation")
_TRIES = 20


def newest_verified_backup(vault: Vault, fleet: str, database: str) -> datetime | None:
    """Tell the moment that the newest backup shows whose every byte was read back; none when there is none."""
    found = read_catalogue(vault, fleet, database, utc_now()).entries
    moments = [entry.taken_at for entry in found if entry.state.includes(BackupState.VERIFIED)]
    return max(moments, default=None)


def drop_month(shelf: Shelf, unit: Unit, vault: Vault) -> None:
    """Let the database forget a month that the vault is proven to have; every step may be repeated."""
    verify_month(shelf, unit)
    _require_in_vault(shelf, unit, vault)
    _take_out(shelf, unit)
    with shelf.session.transaction():
        shelf.session.run(DROP_MONTH, partition=partition_of(unit))
        move_on(shelf.session, unit, State.DROPPED)
        change_cold(shelf.session, unit, "alone")


def put_back(shelf: Shelf, units: Sequence[Unit]) -> Sequence[Unit]:
    """Put months back into the archive that an interrupted drop took out: nobody sees them, and no late row fits."""
    back: list[Unit] = []
    for unit in units:
        found = find(shelf.session, SCHEMA, unit.partition) if unit.stands.is_in_database else None
        there = shelf.session.rows(READ_PENDING, {"relation": found.oid}) if found else []
        if found is None or (there and not there[0].is_pending):
            continue
        # Somebody who still reads it keeps a detach from ending; the next run tries again.
        with suppress(LockedOut):
            _take_out(shelf, unit)
            shelf.attach(unit.month, partition_of(unit))
            back.append(unit)
    return back


def destroy_month(shelf: Shelf, unit: Unit, vault: Vault | None) -> None:
    """Let nobody have a month any more: first the vault, then the database, then it is written down."""
    for cold in months_in_vault(shelf.session, shelf.names, unit):
        if vault is not None:
            remove_object(vault, cold)
            change_cold(shelf.session, replace(unit, gen=cold.gen), "destroyed")
    if unit.stands.is_in_database and find(shelf.session, SCHEMA, unit.partition):
        if unit.stands is State.SEALED:
            verify_month(shelf, unit)
        _take_out(shelf, unit)
        with shelf.session.transaction():
            shelf.session.run(DROP_MONTH, partition=partition_of(unit))
            move_on(shelf.session, unit, State.DESTROYED)
    else:
        move_on(shelf.session, unit, State.DESTROYED)


def remove_superseded(shelf: Shelf, unit: Unit, vault: Vault) -> bool:
    """Remove what the vault has of a month from before the one that is proven now; tell whether all of it went."""
    is_all = True
    for cold in months_in_vault(shelf.session, shelf.names, unit):
        if cold.gen < unit.gen and cold.state in {"stored", "proven"}:
            try:
                remove_object(vault, cold)
            except ObjectLocked:
                # A store guards it for a while: the ledger goes on knowing it, and the next run tries again.
                is_all = False
            else:
                change_cold(shelf.session, replace(unit, gen=cold.gen), "superseded")
    return is_all


def months_in_vault(session: Session, names: Names, unit: Unit) -> Sequence[ColdMonth]:
    """List the generations of a month that the vault still has."""
    gone = {"superseded", "destroyed"}
    return [cold for cold in cold_of(session, names) if cold.month == unit.month and cold.state not in gone]


def begin_anew(shelf: Shelf, unit: Unit) -> None:
    """Leave a generation behind of which the vault may have something: what a killed run left, or what is damaged."""
    if any(cold.gen == unit.gen for cold in months_in_vault(shelf.session, shelf.names, unit)):
        shelf.session.run(NEXT_GENERATION, {"source_id": unit.source_id, "month": unit.month, "gen": unit.gen})


def remove_object(vault: Vault, cold: ColdMonth) -> None:
    """Remove a month from the vault, the manifest last: as long as it is there, somebody can finish this."""
    found = [one.key for one in vault.objects(cold.key.removesuffix("manifest.json"))]
    for key in sorted(found, key=lambda key: key == cold.key):
        with suppress(ObjectMissing):
            vault.delete(key)


def change_cold(session: Session, unit: Unit, state: str) -> None:
    """Write down what became of a month in the vault."""
    session.run(CHANGE_COLD, {"source_id": unit.source_id, "month": unit.month, "gen": unit.gen, "state": state})


def _require_in_vault(shelf: Shelf, unit: Unit, vault: Vault) -> None:
    """Read what was proven once more: between the proof and now it may have been removed, or be of another vault."""
    known = [cold for cold in months_in_vault(shelf.session, shelf.names, unit) if cold.gen == unit.gen]
    why = _why_not_whole(vault, unit, known[0]) if known else "the ledger knows of none"
    if why:
        # It is stored anew by the next run.
        move_on(shelf.session, unit, State.SEALED)
        raise ColdBroken(
            f"{shelf.names} {unit.label} was proven in the vault, and is not there as it was",
            detail=f"In {vault.place}, {why}. The database keeps the month; nothing was dropped.",
            hint="Run it again to store the month anew, and follow docs/runbooks/archive-cold-broken.md.",
        )


def _why_not_whole(vault: Vault, unit: Unit, cold: ColdMonth) -> str:
    """Say what is wrong with a stored month, as far as it shows without a private key; nothing when it is whole."""
    if cold.rows != unit.rows:
        return f"it holds {counted(cold.rows, 'row')} instead of {unit.rows:,}"
    try:
        manifest = read_month_manifest(vault, cold.key)
        if (manifest.rows, manifest.checksum) != (cold.rows, cold.checksum):
            return "its manifest is of other rows"
        key = f"{cold.key.removesuffix('manifest.json')}{manifest.file}"
        with vault.open(key, sha256=manifest.stored_sha256 or None) as stream:
            while stream.read(MIB):
                pass
    except ObjectMissing:
        return "an object of it is missing"
    except (ObjectDamaged, UnreadableMonth):
        return "an object of it is damaged"
    return ""


def _take_out(shelf: Shelf, unit: Unit) -> None:
    """Take a month out of the archive; its readers are waited for, and nobody waits for us."""
    found = find(shelf.session, SCHEMA, unit.partition)
    if found is None:
        return
    for attempt in range(_TRIES):
        there = shelf.session.rows(READ_PENDING, {"relation": found.oid})
        if not there:
            return
        try:
            shelf.session.run(
                FINALIZE_ARCHIVED_MONTH if there[0].is_pending else DETACH_ARCHIVED_MONTH,
                archive=shelf.names.archive,
                partition=partition_of(unit),
            )
        except LockedOut:
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.5)
