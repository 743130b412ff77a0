"""Brings archived months back: beside everything in a schema of their own, or into the live table, with a hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pgtend.archive.as_stored import AsStored
from pgtend.archive.cold import ColdMonth, cold_of, fetched
from pgtend.archive.columns import Layout
from pgtend.archive.erasures import Erasure, matching, read_erasures
from pgtend.archive.errors import KeyNeeded, NoSuchMonth, NotArchivable
from pgtend.archive.leaving import change_cold
from pgtend.archive.manifest import read_month_manifest
from pgtend.archive.memory import reopen, rewrite, units_of
from pgtend.archive.model import State, Unit
from pgtend.archive.names import Names
from pgtend.archive.seal import Digest, catch_up, compare, digest, seal_month, verify_month
from pgtend.archive.tables import Shelf, partition_of
from pgtend.kernel.errors import Problem
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import Composable, columns, expression, relation
from pgtend.postgres.identifiers import database as schema_named
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.model import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How many rows went back."""

    gone: int
    back: int
    is_same: bool
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many rows there are."""

    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced:
    """A hold."""

    hold_id: int


CREATE_SCHEMA = command(__package__ or "", "create_schema")
CREATE_RESTORED = command(__package__ or "", "create_restored")
COPY_ROWS = command(__package__ or "", "copy_rows")
RETURN_ROWS = query(__package__ or "", "return_rows", Returned)
PLACE_HOLD = query(__package__ or "", "place_hold", HoldPlaced)
RELEASE_HOLDS = query(__package__ or "", "release_holds", HoldPlaced)
COUNT_ROWS = query(__package__ or "", "count_restored", Counted)
DELETE_ROWS = command(__package__ or "", "delete_rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a restore has at hand."""

    shelf: Shelf
    fleet: str
    database: str
    vault: Vault
    keys: PrivateKeys | None
    progress: Progress
    person: str = ""
    """The column that names the person a row is about."""

    @property
    def session(self) -> Session:
        """The session that works."""
        return self.shelf.session


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back, and where it is."""

    place: str
    rows: int
    is_whole: bool
    """Whether it was compared with the ledger: one person's rows cannot be."""


def restore_beside(desk: Desk, month: date, *, whose: Erasure | None = None) -> Restored:
    """Bring a month, or one person's rows of it, into a schema of its own; nothing else changes."""
    names, layout = desk.shelf.names, desk.shelf.layout
    schema = f"restored_{utc_now():%Y%m%d_%H%M%S_%f}"
    there = relation(schema, names.month_name(month))
    catch_up(desk.shelf)
    unit = unit_of(desk.session, names, month)
    with desk.session.transaction():
        desk.session.run(CREATE_SCHEMA, schema=schema_named(schema))
        desk.session.run(CREATE_RESTORED, restored=there, archive=names.archive)
        if unit.stands.is_in_database:
            desk.session.run(
                COPY_ROWS,
                restored=there,
                table=partition_of(unit),
                columns=layout.names,
                condition=expression("true"),
            )
        promised = unit.rows if unit.stands.is_in_database else 0
        checksum = int(unit.checksum) if unit.stands.is_in_database else 0
        for cold in alone(desk.session, names, month):
            rows, hashes = _load_cold(desk, unit, cold, there)
            promised, checksum = promised + rows, checksum + hashes
        whole = replace(unit, rows=promised, checksum=str(checksum))
        found = digest(desk.session, there, unit, layout)
        compare(names, whole, found, "what was brought back")
        erased = 0 if unit.is_held_by_law else _forget_erased(desk, there)
        kept = _keep_only(desk, there, whose) if whose else found.rows - erased
    return Restored(place=f"{schema}.{names.month_name(month)}", rows=kept, is_whole=not erased and whose is None)


def restore_to_live(desk: Desk, month: date, *, hold: timedelta, by: str, whose: Erasure | None = None) -> Restored:
    """Bring a month back into the live table, held there so that the next run does not take it away again."""
    names, layout = desk.shelf.names, desk.shelf.layout
    _require_columns(desk, month)
    catch_up(desk.shelf)
    if alone(desk.session, names, month):
        thaw(desk, month)
    unit = unit_of(desk.session, names, month)
    if not unit.stands.is_in_database:
        raise _missing(names, month, "there is nothing of it to bring back")
    condition = matching(desk.person, whose) if whose else expression("true")
    is_identity = any(one.is_identity for one in layout.columns)
    verify_month(desk.shelf, unit)
    with desk.session.transaction():
        place_hold(desk.session, names, month, reason="restored", by=by, until=utc_now() + hold)
        done = desk.session.row(
            RETURN_ROWS,
            {"source_id": unit.source_id, "month": month},
            table=partition_of(unit),
            live=names.live,
            columns=_stored(layout),
            hashed=layout.hashed,
            taken=replace(layout, columns=[one for one in layout.columns if not one.generated]).hashed,
            overriding=expression("OVERRIDING SYSTEM VALUE") if is_identity else expression(""),
            condition=condition,
        )
        if done.gone != done.back or done.known != 1:
            raise _missing(names, month, "the live table did not take all of its rows")
        if not done.is_same:
            raise _missing(names, month, "a trigger of the live table changes rows; pgtend.archiving is 'on' for it")
    return Restored(place=str(names), rows=done.back, is_whole=whose is None)


def _require_columns(desk: Desk, month: date) -> None:
    """Refuse where the live table has no place for a value: it would leave the archive, and be nowhere."""
    names = desk.shelf.names
    live = {one.name for one in desk.shelf.layout.columns}
    NotArchivable.raise_if_any(
        f"{names} {month:%Y-%m} has columns that its table has no more",
        tuple(
            Problem(str(names), f"{one.name} has no column in the table", f"ADD COLUMN of {one.declared}.")
            for one in desk.shelf.archived_columns()
            if one.name not in live
        ),
        hint=f"Leave out --live; or drop the column in {names.schema}.{names.archive_name} if nobody needs it.",
    )


def thaw(desk: Desk, month: date) -> Unit:
    """Bring a month that only the vault has back, without those who were erased since, unless the law holds it."""
    shelf, names = desk.shelf, desk.shelf.names
    colds = alone(desk.session, names, month)
    with desk.session.transaction():
        shelf.make_months([month], units_of(desk.session, names))
        reopen(desk.session, unit_of(desk.session, names, month))
        unit = unit_of(desk.session, names, month)
        there = partition_of(unit)
        loaded = [_load_cold(desk, unit, cold, there) for cold in colds]
        rows, checksum = sum(one for one, _ in loaded), sum(one for _, one in loaded)
        whole = replace(unit, rows=unit.rows + rows, checksum=str(int(unit.checksum) + checksum))
        compare(names, whole, digest(desk.session, there, unit, shelf.layout), "what was brought back")
        if not unit.is_held_by_law:
            _forget_erased(desk, there)
        found: Digest = digest(desk.session, there, unit, shelf.layout)
        rewrite(desk.session, unit, found.rows, found.checksum, shelf.layout.described)
        for cold in colds:
            change_cold(desk.session, replace(unit, gen=cold.gen), "proven")
    unit = unit_of(desk.session, names, month)
    if unit.stands is State.MOVING:
        seal_month(shelf, unit)
    return unit_of(desk.session, names, month)


def place_hold(  # noqa: PLR0913 - which month, why, who says so, for how long; all but the first are named
    session: Session,
    names: Names,
    month: date,
    *,
    reason: str,
    by: str,
    until: datetime | None,
    is_legal: bool = False,
) -> None:
    """Let a month stay as it is."""
    values = {"schema": names.schema, "name": names.table, "month": month, "reason": reason, "placed_by": by}
    if not session.rows(PLACE_HOLD, {**values, "until": until, "is_legal": is_legal}):
        raise _missing(names, month, "the table has no archive")


def release_holds(session: Session, names: Names, month: date) -> int:
    """Lift all holds on a month."""
    return len(session.rows(RELEASE_HOLDS, {"schema": names.schema, "name": names.table, "month": month}))


def unit_of(session: Session, names: Names, month: date) -> Unit:
    """Find an archived month."""
    found = [unit for unit in units_of(session, names) if unit.month == month]
    if not found or found[0].stands in {State.DESTROYED, State.DETACHING}:
        raise _missing(names, month, "it is not archived")
    return found[0]


def alone(session: Session, names: Names, month: date) -> Sequence[ColdMonth]:
    """List what only the vault has of a month."""
    return [cold for cold in cold_of(session, names) if cold.month == month and cold.state == "alone"]


def _load_cold(desk: Desk, unit: Unit, cold: ColdMonth, table: Composable) -> tuple[int, int]:
    manifest = read_month_manifest(desk.vault, cold.key)
    if manifest.is_sealed and desk.keys is None:
        raise KeyNeeded(
            f"{desk.shelf.names} {cold.month:%Y-%m} is in the vault only, and sealed",
            detail=f"It is sealed for {', '.join(one.name for one in manifest.recipients)}.",
            hint="Name the file with the private key by --key.",
        )
    key = f"{cold.key.removesuffix('manifest.json')}{manifest.file}"
    keys = desk.keys if manifest.is_sealed else None
    desk.progress(
        f"{desk.shelf.names} {cold.month:%Y-%m}: fetching {counted(manifest.rows, 'row')} from {desk.vault.place}"
    )
    with fetched(desk.vault, key, keys, manifest.plain_sha256, manifest.stored_sha256 or None) as file:
        month = AsStored(shelf=desk.shelf, unit=unit, cold=cold, manifest=manifest)
        return month.load(file, table, key)


def _forget_erased(desk: Desk, table: Composable) -> int:
    """Take out who was erased since the month was stored: nobody comes back that way."""
    if not desk.person:
        return 0
    return sum(
        _delete(desk.session, table, matching(desk.person, erased))
        for erased in read_erasures(desk.vault, desk.fleet, desk.database)
    )


def _keep_only(desk: Desk, table: Composable, whose: Erasure) -> int:
    others = expression("({condition}) IS NOT TRUE", condition=matching(desk.person, whose))
    _delete(desk.session, table, others)
    return desk.session.row(COUNT_ROWS, table=table).rows


def _delete(session: Session, table: Composable, condition: Composable) -> int:
    return session.run(DELETE_ROWS, table=table, condition=condition).rows


def _stored(layout: Layout) -> Composable:
    """List the columns that can be written: generated ones are computed again."""
    return columns(one.name for one in layout.columns if not one.generated)


def _missing(names: Names, month: date, why: str) -> NoSuchMonth:
    return NoSuchMonth(
        f"{names} {month:%Y-%m}: {why}",
        detail="Nothing was changed.",
        hint="List the months that there are: pgtend archive status.",
    )
