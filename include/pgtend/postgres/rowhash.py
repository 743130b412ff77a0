"""How a row becomes one number: the same for the fingerprints of backups and for the checksums of archives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, LiteralString

from pgtend.postgres.identifiers import Composable, column, expression, joined

ALGORITHM: Final = (
    "chain 1: the columns by name, each hashed by the function of its type or by its text, "
    "seeded with the hash of the column before; summed over the rows"
)
"""Whoever keeps such numbers keeps this beside them: what was made in another way cannot be compared.

Rows that exchange a value, columns that do, and one row twice all change the sum. The hash of a record will not do: it
is linear in the hashes of its columns, so that in a sum over rows it does not matter which row has which value. The
functions exist since PostgreSQL 11 and place the rows of hash partitions: they are the same in every version.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedColumn:
    """One column of a table."""

    name: str
    type: str
    """The catalogue's name of one of PostgreSQL's own base types; of any other type it is empty."""
    is_required: bool
    """Whether NULL is unlikely. It decides how fast the number is made, and never what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """How a column is hashed: what is written around the hash of the columns before it, which is written once."""

    before: LiteralString
    after: LiteralString
    empty: LiteralString
    """What is hashed in the place of NULL; the seed tells the two apart."""


def _by(function: LiteralString, empty: LiteralString) -> _Link:
    """Hash values that are equal only where they are the same."""
    return _Link(before=function + "({value}, ", after=")", empty=empty)


def _by_text(empty: LiteralString) -> _Link:
    """Hash what a value looks like, where that says more than the hash of its type, or there is none."""
    return _Link(before='hashtextextended({value}::text COLLATE "C", ', after=")", empty=empty)


# Another collation may call two texts equal that are not, and hash them alike.
_CHARACTERS: Final = _Link(before='hashtextextended({value} COLLATE "C", ', after=")", empty="''")
_LINKS: Final[Mapping[str, _Link]] = {
    "bool": _Link(before="hashint4extended({value}::int4, ", after=")", empty="false"),
    "int2": _by("hashint2extended", "0::int2"),
    "int4": _by("hashint4extended", "0"),
    # Its function folds it to 32 bits, and -1 would be like 2^32 - 1: into the seed it goes whole.
    "int8": _Link(before="hashint8extended({value}, ", after=" # {value})", empty="0::int8"),
    "oid": _by("hashoidextended", "0::oid"),
    "uuid": _by("uuid_hash_extended", "'00000000-0000-0000-0000-000000000000'::uuid"),
    # 0 and -0 are equal, and of both the function gives back the seed alone: other numbers stand for them, in one type
    # such that it does not have, in the other with a mark in the seed.
    "float4": _Link(
        before="hashfloat8extended(CASE WHEN {value} <> 0::float4 THEN {value}::float8"
        r" WHEN float4send({value}) = '\x00000000' THEN 1e-300 WHEN {value} = 0::float4 THEN -1e-300 END, ",
        after=")",
        empty="0::float4",
    ),
    "float8": _Link(
        before="hashfloat8extended(CASE WHEN {value} = 0::float8 THEN 1::float8 ELSE {value} END, ",
        after=" # CASE WHEN {value} <> 0::float8 THEN 0::int8"
        r" WHEN float8send({value}) = '\x0000000000000000' THEN 1::int8 ELSE 2::int8 END)",
        empty="0::float8",
    ),
    "text": _CHARACTERS,
    "varchar": _CHARACTERS,
    # A blank more at the end is another value, and no text has it.
    "bpchar": _Link(
        before='hashtextextended({value}::text COLLATE "C", ',
        after=" # (octet_length({value})::int8 << 32))",
        empty="''::bpchar",
    ),
    # Not every version can hash bytes but inside of something.
    "bytea": _Link(
        before="hash_array_extended(CASE WHEN {value} IS NOT NULL THEN ARRAY[{value}] END, ",
        after=")",
        empty="''::bytea",
    ),
    "date": _Link(
        before="hashint4extended(CASE WHEN isfinite({value}) THEN {value} - date '2000-01-01'"
        " WHEN {value} > date '2000-01-01' THEN 2147483647 WHEN {value} < date '2000-01-01' THEN -2147483648 END, ",
        after=")",
        empty="date '2000-01-01'",
    ),
    # Folded to 32 bits by the server: of moments that are over 71 minutes apart, one in four billion is like another.
    "time": _by("time_hash_extended", "time '00:00'"),
    "timestamp": _by("timestamp_hash_extended", "timestamp '2000-01-01'"),
    # The same moment, by a cast that asks for no time zone.
    "timestamptz": _Link(
        before="timestamp_hash_extended(timezone(interval '0', {value}), ",
        after=")",
        empty="timestamptz '2000-01-01 00:00+00'",
    ),
    # 1.0 equals 1.00, 30 days a month; json cannot be hashed, and jsonb holds numbers.
    "numeric": _by_text("0::numeric"),
    "json": _by_text("'{{}}'::json"),
    "jsonb": _by_text("'{{}}'::jsonb"),
    "interval": _by_text("interval '0'"),
    "inet": _by_text("inet '0.0.0.0'"),
}
# As a row and not as a cast to text, which the owner of a type may define. In it, NULL looks like nothing else.
_BY_LOOKS: Final[LiteralString] = 'hashtextextended(ROW({value})::text COLLATE "C", '
_IS_NULL: Final[LiteralString] = " # CASE WHEN {column} IS NULL THEN 4::int8 ELSE 0::int8 END"


def hash_of_row(columns: Iterable[HashedColumn]) -> Composable:
    """Write the number of a row: a bigint, and never NULL.

    The careful chain is asked only where the quick one is NULL, because a column is that was not expected to be.
    """
    hashed = tuple(columns)
    careful = _chain(hashed, careful=True)
    if not any(one.is_required for one in hashed):
        return careful
    return expression("COALESCE({quick}, {careful})", quick=_chain(hashed, careful=False), careful=careful)


def _chain(columns: Iterable[HashedColumn], *, careful: bool) -> Composable:
    """Write the hashes around each other, flat, because drivers and servers limit how deep things are nested."""
    links = [_link(one, may_be_null=careful or not one.is_required) for one in columns]
    return joined([*(before for before, _ in reversed(links)), expression("0::int8"), *(after for _, after in links)])


def _link(one: HashedColumn, *, may_be_null: bool) -> tuple[Composable, Composable]:
    here, link = column(one.name), _LINKS.get(one.type)
    if link is None:
        return expression(_BY_LOOKS, value=here), expression(")")
    if not may_be_null:
        return expression(link.before, value=here), expression(link.after, value=here)
    value = expression("COALESCE({column}, " + link.empty + ")", column=here)
    return expression(link.before, value=value), expression(_IS_NULL + link.after, column=here, value=value)
