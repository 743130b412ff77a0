"""Loads a month with the columns that it was stored with, which may be others than its table has by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO

from pgtend.archive.cold import SCRATCH, ColdMonth, load
from pgtend.archive.columns import Layout
from pgtend.archive.errors import NotArchivable
from pgtend.archive.facts import READ_COLUMNS
from pgtend.archive.leaving import DROP_MONTH
from pgtend.archive.manifest import MonthManifest
from pgtend.archive.model import Unit
from pgtend.archive.parquet import Written, columns_of
from pgtend.archive.seal import compare, digest
from pgtend.archive.tables import Shelf
from pgtend.kernel.errors import Problem
from pgtend.postgres.identifiers import Composable, column, columns, expression, from_catalogue, listed
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    """What the server calls a type."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """The temporary table of this session."""

    oid: int


CREATE_AS_STORED = command(__package__ or "", "create_as_stored")
READ_TYPE = query(__package__ or "", "read_type", TypeName)
READ_SCRATCH = query(__package__ or "", "read_scratch", Scratch)
TAKE_OVER_ROWS = command(__package__ or "", "take_over_rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsStored:
    """One month from the vault, on its way into a table of the archive."""

    shelf: Shelf
    unit: Unit
    cold: ColdMonth
    manifest: MonthManifest

    def load(self, file: IO[bytes], table: Composable, key: str) -> tuple[int, int]:
        """Load it; tell how many rows that are, and their checksum by the columns that the table has now."""
        session, layout = self.shelf.session, self.shelf.layout
        written = columns_of(file, key)
        if [one.described for one in written] == layout.described:
            load(session, file, table, layout, key)
            return self.cold.rows, int(self.cold.checksum)
        self._require_room(written)
        before = digest(session, table, self.unit, layout)
        self._take_over(file, table, key, written)
        after = digest(session, table, self.unit, layout)
        return after.rows - before.rows, int(after.checksum) - int(before.checksum)

    def _take_over(self, file: IO[bytes], table: Composable, key: str, written: Sequence[Written]) -> None:
        """Load it as it was stored, hold it against the ledger, and take over the columns that there still are."""
        session, names = self.shelf.session, self.shelf.names
        session.run(CREATE_AS_STORED, written=listed(_declared(session, one) for one in written))
        found = session.rows(READ_COLUMNS, {"relation": session.row(READ_SCRATCH).oid})
        by = next(one for one in found if one.name == self.manifest.by)
        layout = Layout(columns=found, by=by, zone=self.manifest.zone)
        load(session, file, SCRATCH, layout, key)
        promised = replace(self.unit, rows=self.cold.rows, checksum=self.cold.checksum)
        compare(names, promised, digest(session, SCRATCH, self.unit, layout), "what the vault has")
        session.run(TAKE_OVER_ROWS, restored=table, columns=columns(one.name for one in written), table=SCRATCH)
        session.run(DROP_MONTH, partition=SCRATCH)

    def _require_room(self, written: Sequence[Written]) -> None:
        """Refuse where the archive has no place for a value; nobody can tell a column that went from a renamed one."""
        names = self.shelf.names
        there = {one.name: one for one in self.shelf.archived_columns()}
        stored = {one.name for one in written}
        NotArchivable.raise_if_any(
            f"{names} {self.unit.label} was stored with other columns than its archive has",
            (
                *(
                    Problem(str(names), f"{one.name} has no column in the archive", f"ADD COLUMN of {one.declared}.")
                    for one in written
                    if one.name not in there
                ),
                *(
                    Problem(str(names), f"{one.name} must have a value, and has none", "DROP NOT NULL in the archive.")
                    for one in there.values()
                    if one.is_required and one.name not in stored
                ),
            ),
            hint=f"Change {names.schema}.{names.archive_name}, and try again; see docs/runbooks/archive-refused.md.",
        )


def _declared(session: Session, one: Written) -> Composable:
    """Write a column with its type as the server calls it: what a file says is asked about, and never run."""
    kind = session.row(READ_TYPE, {"declared": one.declared}).name or "text"
    return expression("{column} {kind}", column=column(one.name), kind=from_catalogue(kind))
