"""How the columns of a table are hashed, and by which months its rows are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, LiteralString

from pgtend.archive.facts import ColumnFacts
from pgtend.archive.model import month_after
from pgtend.kernel.digests import sha256_hex
from pgtend.postgres.identifiers import Composable, all_of, column, columns, expression, listed, text
from pgtend.postgres.rowhash import HashedColumn, hash_of_row

TIME_TYPES: Final = frozenset({"timestamp", "timestamptz", "date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of one table, and the one that says how old a row is."""

    columns: Sequence[ColumnFacts]
    by: ColumnFacts
    zone: str

    @property
    def names(self) -> Composable:
        """All columns, by name."""
        return columns(one.name for one in self.columns)

    @property
    def as_they_lie(self) -> Composable:
        """All columns in the order in which a row has them: what lies alike is copied whole."""
        return columns(one.name for one in sorted(self.columns, key=lambda one: one.place))

    @property
    def hashed(self) -> Composable:
        """One number for all columns of a row."""
        return hash_of_row(
            HashedColumn(name=one.name, type=one.hashed_as, is_required=one.is_required) for one in self.columns
        )

    @property
    def described(self) -> list[str]:
        """All columns, as the ledger remembers them."""
        return [one.described for one in self.columns]

    @property
    def fingerprint(self) -> str:
        """One word for names and types together."""
        return sha256_hex("\n".join(self.described).encode())[:16]

    @property
    def month(self) -> Composable:
        """The month of a row: in the rule's zone for a moment, as it shows for anything else."""
        if self.by.type == "timestamptz":
            template: LiteralString = "date_trunc('month', {by} AT TIME ZONE {zone})::date"
            return expression(template, by=column(self.by.name), zone=text(self.zone))
        return expression("date_trunc('month', {by}::timestamp)::date", by=column(self.by.name))

    @property
    def day(self) -> Composable:
        """The day of a row, in the same zone: much cheaper to tell than its month."""
        if self.by.type == "timestamptz":
            template: LiteralString = "({by} AT TIME ZONE {zone})::date"
            return expression(template, by=column(self.by.name), zone=text(self.zone))
        return expression("{by}::date", by=column(self.by.name))

    def within(self, month: date) -> Composable:
        """Say that a row is of a month."""
        low, high = self.start_of(month), self.start_of(month_after(month))
        return expression("({by} >= {low} AND {by} < {high})", by=column(self.by.name), low=low, high=high)

    def before(self, month: date) -> Composable:
        """Say that a row is older than a month."""
        return expression("{by} < {start}", by=column(self.by.name), start=self.start_of(month))

    def start_of(self, month: date) -> Composable:
        """Write the first moment of a month as a value of the column."""
        if self.by.type == "timestamptz":
            return expression(
                "({day}::timestamp AT TIME ZONE {zone})", day=text(month.isoformat()), zone=text(self.zone)
            )
        template: LiteralString = "{day}::date" if self.by.type == "date" else "{day}::timestamp"
        return expression(template, day=text(month.isoformat()))

    def due(self, cutoff: date, held: Iterable[date], *conditions: Composable) -> Composable:
        """Say which rows may leave: old enough, of a month of our era that nobody holds, and whatever else is asked."""
        days = [text(month.isoformat()) for month in held]
        free = (
            [expression("{month} <> ALL (ARRAY[{days}]::date[])", month=self.month, days=listed(days))] if days else []
        )
        # What is dated at -infinity, or before our era, belongs to no month that can be kept.
        named = expression("{by} >= {first}", by=column(self.by.name), first=self.start_of(date.min))
        return all_of([self.before(cutoff), named, *free, *conditions])
