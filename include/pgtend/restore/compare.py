"""Holds a restored database against the manifest: rows and fingerprints of each table, sequences, and the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pgtend.backup.facts import (
    READ_OUTSIDE,
    READ_RELATIONS,
    READ_SEQUENCES,
    RowsHashed,
    SequenceReading,
)
from pgtend.backup.fingerprints import OBJECTS, as_looked_at, hash_large_objects, hash_rows, reader, work_alone
from pgtend.backup.gathering import read_inventory
from pgtend.backup.manifest import Manifest, parse_fingerprints
from pgtend.backup.model import Look
from pgtend.backup.record import HASHED, Coverage, Fingerprint, Inventory, Role, Table
from pgtend.backup.record import Sequence as KeptSequence
from pgtend.kernel.names import counted
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.restore.archive import Backup
from pgtend.restore.hands import by_many_hands
from pgtend.restore.model import Aspect, Difference, Owners, RestoreOrder
from pgtend.restore.server import APPLICATION, LIMITS, known_cores
from pgtend.restore.sight import seeing_all

_LOPSIDED = 1.5
_LARGE_OBJECT = "large object"
_ALSO_BY_ITSELF = "grant"
"""Rights on relations with those that PostgreSQL gives by itself: an owner has one more from 17 on."""
_OF_ROLES = ("owner", "grant", "right", "policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared, and what differs."""

    tables: int
    rows: int
    compared: tuple[str, ...]
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a restored table holds."""

    table: tuple[str, str]
    """Schema and name: joined by a dot, two tables may be called the same."""
    rows: int
    digest: str


Kept: TypeAlias = Mapping[tuple[str, str], Fingerprint]
"""The fingerprints of a backup, by schema and name."""


def kept_fingerprints(backup: Backup) -> Kept:
    """Read what the rows of each table were like."""
    part = next(iter(backup.entry.manifest.parts_of(Role.FINGERPRINTS)), None)
    content = backup.content(Role.FINGERPRINTS) if part else b""
    return {(one.schema_name, one.name): one for one in parse_fingerprints(content, part.name if part else "")}


def compare(manifest: Manifest, kept: Kept, place: Address, tables: Sequence[Table], order: RestoreOrder) -> Comparison:
    """Compare what was restored with what was there at the moment of the backup."""
    with (
        reader(place, LIMITS, application=APPLICATION) as session,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="compare") as aside,
    ):
        is_same_major = session.facts.major == manifest.source.major
        looks = as_looked_at(session.rows(READ_RELATIONS), tables)
        rows = aside.submit(_compare_looks, manifest, kept, place, tables, looks, order.jobs, is_whole=order.is_whole)
        around: list[Difference] = []
        if order.is_whole:
            around += compare_sequences(manifest, session)
        if not order.tables:
            around += compare_inventory(manifest, session, order.owners, has_rows=order.is_whole)
        found = rows.result()
    return Comparison(
        tables=found.tables,
        rows=found.rows,
        compared=_words(order, tables),
        differences=(*found.differences, *around),
        remarks=(*found.left_out, *_remarks(manifest, tables, order, is_same_major=is_same_major)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsCompared:
    """What came of counting and hashing the rows of tables, and what is in large objects."""

    tables: int
    rows: int
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...] = ()
    """What could not be compared, and why."""


def compare_rows(backup: Backup, session: Session, tables: Sequence[Table], jobs: int) -> RowsCompared:
    """Count and hash everything that holds rows as it was done in the snapshot of the backup."""
    looks = as_looked_at(session.rows(READ_RELATIONS), tables)
    kept = kept_fingerprints(backup)
    return _compare_looks(backup.entry.manifest, kept, session.address, tables, looks, jobs, is_whole=True)


def _compare_looks(  # noqa: PLR0913, PLR0917 - with what, where, how closely, by how many
    manifest: Manifest,
    kept: Kept,
    place: Address,
    tables: Sequence[Table],
    looks: Sequence[Look],
    jobs: int,
    *,
    is_whole: bool,
) -> RowsCompared:
    found = _hash_all(place, looks, jobs)
    differences, left_out = _compare_objects(manifest, place, kept) if is_whole else ((), ())
    joined = _dealt_together(tables, found, kept, looks)
    return RowsCompared(
        tables=len(found),
        rows=sum(one.rows for one in found),
        differences=(*_table_differences(joined.tables, joined.found, joined.kept), *differences),
        left_out=(*joined.left_out, *left_out),
    )


def _large_objects(manifest: Manifest) -> int:
    return sum(one.count for one in manifest.inventory if one.kind == _LARGE_OBJECT)


def _compare_objects(manifest: Manifest, place: Address, kept: Kept) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """Hash what is in large objects, and say when that cannot be: that they are there is compared elsewhere."""
    there = _large_objects(manifest)
    if not there:
        return (), ()
    seen = f"that {counted(there, 'large object')} came back was compared, and what is in them was not"
    original = kept.get((OBJECTS.schema_name, OBJECTS.name))
    if original is None:
        return (), (f"{seen}: the backup has no fingerprint of that",)
    with reader(place, LIMITS, application=APPLICATION) as session:
        if session.row(READ_OUTSIDE).closed_objects:
            return (), (f"{seen}: the role may not open all of them",)
        restored = hash_large_objects(session)
    if restored.digest == original.digest:
        return (), ()
    what = "content of large objects"
    return (Difference(aspect=Aspect.CONTENT, what=what, backup="one fingerprint", restored="another"),), ()


def compare_sequences(manifest: Manifest, session: Session) -> tuple[Difference, ...]:
    """Compare where the sequences are."""
    return tuple(_sequence_differences(manifest.sequences, session.rows(READ_SEQUENCES)))


def compare_inventory(
    manifest: Manifest, session: Session, owners: Owners, *, has_rows: bool = True
) -> tuple[Difference, ...]:
    """Compare all objects that are no rows, by kind. Large objects come with the rows, and what belongs to them too."""
    kept, found = (
        [one for one in inventory if has_rows or not one.kind.endswith(_LARGE_OBJECT)]
        for inventory in (manifest.inventory, read_inventory(session, has_all_kinds=manifest.lists_all_kinds))
    )
    is_same_major = session.facts.major == manifest.source.major
    return tuple(_inventory_differences(kept, found, owners, is_same_major=is_same_major))


def _hash_all(place: Address, looks: Sequence[Look], jobs: int) -> list[_Found]:
    """Hash several tables at a time, the largest first."""
    total, cores = sum(look.table.size for look in looks), known_cores(place)

    def hashed(session: Session, look: Look) -> _Found:
        if not wants_helpers(look.table.size, total, jobs, cores):
            work_alone(session)
        with seeing_all(session, look.table):
            return _found(look, hash_rows(session, look))

    door = partial(reader, place, LIMITS, application=APPLICATION)
    return by_many_hands(sorted(looks, key=lambda look: -look.table.size), door, hashed, jobs=jobs)


def wants_helpers(size: int, total: int, jobs: int, cores: int) -> bool:
    """Tell whether there is a core for a helper: now, or because the other tables are done long before this one.

    Without a known number of cores, the server decides.
    """
    return not 0 < cores <= jobs or size > _LOPSIDED * total / jobs


def _found(look: Look, hashed: RowsHashed) -> _Found:
    return _Found(table=(look.table.schema, look.table.name), rows=hashed.rows, digest=hashed.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """What is held against each other: tables, and partitions between which rows may have changed places as one."""

    tables: Sequence[Table]
    found: Sequence[_Found]
    kept: Kept
    left_out: Sequence[str]


def _dealt_together(tables: Sequence[Table], found: Sequence[_Found], kept: Kept, looks: Sequence[Look]) -> _Joined:
    """Take partitions for one table when their rows were dealt out anew: hashes of rows are summed, and sums add up."""
    roots = {(look.table.schema, look.table.name): look.table.dealt_by for look in looks}
    dealt: dict[int, list[Table]] = {}
    for table in sorted(tables, key=lambda one: (one.schema_name, one.name)):
        if root := roots.get((table.schema_name, table.name)):
            dealt.setdefault(root, []).append(table)
    single, prints, here = list(tables), dict(kept), {one.table: one for one in found}
    left_out: list[str] = []
    for together in dealt.values():
        names = [(one.schema_name, one.name) for one in together]
        rows = sum(one.rows for one in together)
        joined = together[0].model_copy(update={"name": f"{together[0].name} and its neighbours", "rows": rows})
        if len({(one.coverage, one.one_in) for one in together}) > 1:
            left_out.append(f"of {joined} rows were counted alone: they were hashed in several ways")
            joined = joined.model_copy(update={"coverage": Coverage.ROWS})
        key = (joined.schema_name, joined.name)
        single = [*(one for one in single if one not in together), joined]
        sums = [here.pop(name) for name in names]
        here[key] = _Found(table=key, rows=sum(one.rows for one in sums), digest=_summed([one.digest for one in sums]))
        if all(name in kept for name in names):
            digest = _summed([kept[name].digest for name in names])
            prints[key] = kept[names[0]].model_copy(update={"digest": digest})
    return _Joined(tables=single, found=list(here.values()), kept=prints, left_out=left_out)


def _summed(digests: Sequence[str]) -> str:
    return str(sum(int(one) for one in digests)) if all(digests) else ""


def _table_differences(tables: Sequence[Table], found: Sequence[_Found], kept: Kept) -> Iterable[Difference]:
    here = {one.table: one for one in found}
    for table in tables:
        name, key = str(table), (table.schema_name, table.name)
        restored = here.get(key)
        if restored is None:
            yield Difference(aspect=Aspect.INVENTORY, what=f"table {name}", backup="there", restored="missing")
        elif table.coverage is Coverage.NONE:
            continue
        elif restored.rows != table.rows:
            yield Difference(
                aspect=Aspect.ROWS, what=f"rows of {name}", backup=f"{table.rows:,}", restored=f"{restored.rows:,}"
            )
        elif table.coverage is not Coverage.ROWS and (key not in kept or kept[key].digest != restored.digest):
            yield Difference(
                aspect=Aspect.CONTENT, what=f"content of {name}", backup="one fingerprint", restored="another"
            )


def _sequence_differences(kept: Sequence[KeptSequence], found: Sequence[SequenceReading]) -> Iterable[Difference]:
    """Allow a sequence to be further along, because it is in no snapshot, but never behind."""
    here = {(one.schema, one.name): one for one in found}
    for sequence in kept:
        restored = here.get((sequence.schema_name, sequence.name))
        if restored is None:
            yield Difference(aspect=Aspect.SEQUENCES, what=f"sequence {sequence}", backup="there", restored="missing")
        elif _is_behind(restored, sequence):
            yield Difference(
                aspect=Aspect.SEQUENCES,
                what=f"sequence {sequence}",
                backup=f"at {sequence.last_value}",
                restored=f"at {restored.last_value}",
            )


def _is_behind(found: SequenceReading, kept: KeptSequence) -> bool:
    """Tell whether a sequence was never used or is behind; one that begins anew may have done so meanwhile."""
    restored = found.last_value
    if kept.last_value is None:
        return False
    if restored is None or found.cycles:
        return restored is None
    return restored < kept.last_value if kept.increment > 0 else restored > kept.last_value


def _inventory_differences(
    kept: Sequence[Inventory], found: Sequence[Inventory], owners: Owners, *, is_same_major: bool
) -> Iterable[Difference]:
    """Compare how many objects of each kind there are, and on the same version also what they are."""
    here = {one.kind: one for one in found}
    there = {one.kind: one for one in kept}
    for kind in sorted(here.keys() | there.keys()):
        is_of_roles = kind.startswith(_OF_ROLES)
        if owners is Owners.IGNORE and is_of_roles:
            continue
        if kind == _ALSO_BY_ITSELF and not is_same_major:
            continue
        original, restored = there.get(kind), here.get(kind)
        aspect = Aspect.RIGHTS if is_of_roles else Aspect.INVENTORY
        counts = (original.count if original else 0, restored.count if restored else 0)
        if counts[0] != counts[1]:
            yield Difference(
                aspect=aspect, what=f"objects of kind {kind}", backup=f"{counts[0]:,}", restored=f"{counts[1]:,}"
            )
        elif is_same_major and original and restored and original.sha256 != restored.sha256:
            yield Difference(aspect=aspect, what=f"definitions of kind {kind}", backup="one digest", restored="another")


def _words(order: RestoreOrder, tables: Sequence[Table]) -> tuple[str, ...]:
    is_counted = bool(tables) and not any(table.coverage in HASHED for table in tables)
    if order.is_whole:
        return ("numbers of rows" if is_counted else "rows, fingerprints", "sequences", "inventory")
    if order.schema_only:
        return ("inventory",)
    return ("numbers of rows of the chosen tables" if is_counted else "rows and fingerprints of the chosen tables",)


def _remarks(manifest: Manifest, tables: Sequence[Table], order: RestoreOrder, *, is_same_major: bool) -> Iterable[str]:
    """Say what was not compared: a check that was skipped is never passed over in silence."""
    for coverage in (Coverage.SAMPLE, Coverage.ROWS, Coverage.NONE):
        names = [str(table) for table in tables if table.coverage is coverage]
        if names:
            yield f"compared by {coverage.value}: {', '.join(names)}"
    if not is_same_major and not order.tables:
        yield f"the server is newer than {manifest.source.version_text}, so definitions were counted and not compared"
    if order.owners is Owners.IGNORE:
        yield "owners and rights were left out, as asked for"
    if order.schema_only and _large_objects(manifest):
        yield "large objects were left out: they come with the rows"
    if order.tables:
        yield "foreign keys and the content of materialized views were left out: rows of other tables are missing"
