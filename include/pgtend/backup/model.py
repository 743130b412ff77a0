"""Decides, without touching anything, into which parts a database is cut and how closely its tables are looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgtend.backup.facts import Outside, Relation
from pgtend.backup.record import Coverage, Role
from pgtend.kernel.sizes import Bytes

HASHED_A_SECOND = Bytes.parse("150 MB")
"""How much of a table one session hashes in a second, as measured on two busy cores."""
COUNTED_A_SECOND = Bytes.parse("500 MB")
OPENED_A_SECOND = 30_000
"""How many large objects one session opens in a second."""
_SMALLEST_SAMPLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How closely one table is looked at, and why it is not closer."""

    table: Relation
    coverage: Coverage
    one_in: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One pg_dump: what it dumps, and under which name that is stored; a table's own name is added to it."""

    name: str
    role: Role
    section: str
    tables: tuple[Relation, ...] = ()
    """Whose rows alone it holds; none means everything but `without`."""
    without: tuple[Relation, ...] = ()


def plan_shards(relations: Sequence[Relation], own_part_from: Bytes, at_most: int) -> tuple[Shard, ...]:
    """Cut a database into parts: large tables each for itself, the largest first, and all the rest together.

    Where there are more large tables than connections for them, some share a dump, so that the dumps are of one size.
    """
    large = sorted((one for one in relations if _stands_alone(one, own_part_from)), key=lambda one: -one.size)
    alone = [
        Shard(name=f"data-{number:04}", role=Role.TABLE, section="data", tables=tuple(shared))
        for number, shared in enumerate(_shared_out(large, at_most), 1)
    ]
    return (
        Shard(name="pre-data", role=Role.PRE_DATA, section="pre-data"),
        *alone,
        Shard(name="rest", role=Role.REST, section="data", without=tuple(large) if alone else ()),
        Shard(name="post-data", role=Role.POST_DATA, section="post-data"),
    )


def _shared_out(large: Sequence[Relation], at_most: int) -> list[list[Relation]]:
    """Give each table, the largest first, to the dump that is the smallest so far."""
    dumps: list[list[Relation]] = [[] for _ in range(min(at_most, len(large)))]
    for one in large if dumps else ():
        min(dumps, key=lambda dump: sum(table.size for table in dump)).append(one)
    return dumps


def plan_looks(relations: Sequence[Relation], budget: timedelta) -> tuple[Look, ...]:
    """Hash every row of as many tables as the time allows, small ones first; of the others a sample, or count them."""
    left = budget.total_seconds()
    looks: list[Look] = []
    for table in sorted((one for one in relations if one.holds_rows), key=lambda one: one.size):
        whole = table.size / HASHED_A_SECOND
        if table.belongs_to_extension:
            looks.append(Look(table=table, coverage=Coverage.NONE))
        elif whole <= left:
            looks.append(Look(table=table, coverage=Coverage.FULL))
            left -= whole
        else:
            looks.append(_sample(table, left))
            left = max(0.0, left - table.size / COUNTED_A_SECOND)
    return tuple(sorted(looks, key=lambda look: -look.table.size))


def worth_hashing(outside: Outside, looks: Sequence[Look], budget: timedelta) -> bool:
    """Tell whether there are large objects, and time for all of them beside the tables; there is no sample of them."""
    size = outside.large_objects_size + sum(look.table.size for look in looks if look.coverage is Coverage.FULL)
    takes = size / HASHED_A_SECOND + outside.large_objects / OPENED_A_SECOND
    return outside.large_objects > 0 and takes <= budget.total_seconds()


def _sample(table: Relation, left: float) -> Look:
    """Take as many rows as there is time for, but never none: a power of two, so that samples nest."""
    if not table.key:
        return Look(table=table, coverage=Coverage.ROWS)
    one_in = 2
    while one_in < _SMALLEST_SAMPLE and table.size / one_in / HASHED_A_SECOND > left:
        one_in *= 2
    return Look(table=table, coverage=Coverage.SAMPLE, one_in=one_in)


def _stands_alone(one: Relation, own_part_from: Bytes) -> bool:
    """Tell whether a table has a part of its own; rows that are dealt out anew are pg_restore's affair."""
    return one.holds_rows and not (one.belongs_to_extension or one.dealt_by) and one.size >= own_part_from


def digest_of_name(schema: str, name: str) -> str:
    """Name a table in a key, which holds fewer letters than names do."""
    return hashlib.sha256(f"{schema}.{name}".encode(errors="surrogateescape")).hexdigest()[:12]
