"""How the columns of a table are hashed, and by which months its rows are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, LiteralString

from pgtend.archive.facts import ColumnFacts
from pgtend.archive.model import month_after
from pgtend.kernel.digests import sha256_hex
from pgtend.postgres.identifiers import Composable, all_mixed, all_of, column, columns, expression, listed, number, text

ALGORITHM: Final = (
    "sum over the rows of the extended hash of the time, seeded with the xor of those of the other columns, "
    "each seeded with its place among all names"
)
"""What the ledger's checksums are: rows that exchange a value, columns that do, and one row twice all change them.

A hash of a record will not do: it is linear in the hashes of its columns, so that in a sum over rows it does not matter
which row has which value. Values that are equal and not the same are hashed by what they consist of.
"""

TIME_TYPES: Final = frozenset({"timestamp", "timestamptz", "date"})
# By these types; a moment of 64 bits is folded to 32 before it is hashed, everything else counts to the last bit.
_HASHES: Final[dict[str, LiteralString]] = {
    "bool": "hashint4extended({column}::int4, {seed})",
    "int2": "hashint2extended({column}, {seed})",
    "int4": "hashint4extended({column}, {seed})",
    # Folded too, and -1 would be like 2^32 - 1: the number itself goes into the seed, which is not folded.
    "int8": "hashint8extended({column}, {column} # {seed})",
    "oid": "hashoidextended({column}, {seed})",
    "uuid": "uuid_hash_extended({column}, {seed})",
    "timestamp": "timestamp_hash_extended({column}, {seed})",
    # The same moment, by a cast that asks for no time zone.
    "timestamptz": "timestamp_hash_extended(timezone(interval '0', {column}), {seed})",
    "time": "time_hash_extended({column}, {seed})",
    # 0 and -0, a day and 24 hours, a blank more at the end: each pair is equal and each is two values.
    "float4": (
        'CASE WHEN {column} = 0 THEN hashtextextended({column}::text COLLATE "C", {seed})'
        " ELSE hashfloat4extended({column}, {seed}) END"
    ),
    "float8": (
        'CASE WHEN {column} = 0 THEN hashtextextended({column}::text COLLATE "C", {seed})'
        " ELSE hashfloat8extended({column}, {seed}) END"
    ),
    "interval": "hash_record_extended(ROW(interval_send({column})), {seed})",
    "bpchar": 'hashtextextended({column}::text COLLATE "C", (octet_length({column})::int8 << 32) # {seed})',
    # Not every version can hash these but in a row.
    "date": "hash_record_extended(ROW({column}), {seed})",
    "bytea": "hash_record_extended(ROW({column}), {seed})",
}
# json has no hash at all, the hash of a numeric knows neither sign nor scale, and a collation may call two texts equal.
_AS_TEXT: Final[LiteralString] = 'hashtextextended({column}::text COLLATE "C", {seed})'


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
    def hashed(self) -> Composable:
        """One number for all columns of a row. The time comes last, mixes the others, and is never null."""
        others = [
            expression("COALESCE({hash}, {place})", hash=hash_of(one, number(place)), place=number(place))
            for place, one in enumerate(self.columns, start=1)
            if one.name != self.by.name
        ]
        return hash_of(self.by, all_mixed(others))

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
        """Say which rows may leave: old enough, of no month that is held, and whatever else is asked for."""
        days = [text(month.isoformat()) for month in held]
        free = (
            [expression("{month} <> ALL (ARRAY[{days}]::date[])", month=self.month, days=listed(days))] if days else []
        )
        return all_of([self.before(cutoff), *free, *conditions])


def hash_of(one: ColumnFacts, seed: Composable) -> Composable:
    """Hash a column so that different values have different hashes, whatever its type."""
    return expression(_HASHES.get(one.type, _AS_TEXT), column=column(one.name), seed=seed)
