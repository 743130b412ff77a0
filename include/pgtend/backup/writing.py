"""Puts together what was found out while a backup was taken, into the manifest that commits it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import zstandard

from pgtend.backup.by_hand import how_to_restore
from pgtend.backup.facts import LARGE_OBJECTS, RowsHashed
from pgtend.backup.gathering import Surroundings
from pgtend.backup.manifest import Manifest
from pgtend.backup.model import Look
from pgtend.backup.preflight import Preflight
from pgtend.backup.record import (
    Coverage,
    Encryption,
    Part,
    Recipient,
    Role,
    Snapshot,
    State,
    Table,
    TableKind,
    Timing,
    Tools,
)
from pgtend.backup.snapshot import HeldSnapshot
from pgtend.kernel.names import counted
from pgtend.postgres.rowhash import ALGORITHM

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which backup this is."""

    backup_id: str
    fleet: str
    database: str
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found out on the way."""

    preflight: Preflight
    held: HeldSnapshot
    surroundings: Surroundings
    held_for: float
    looks: Sequence[Look]
    hashed: Mapping[int, RowsHashed]


def compose(findings: Findings, *, identity: Identity, state: State, parts: tuple[Part, ...], total: float) -> Manifest:
    """Write the manifest of a backup whose parts are all in the vault."""
    around, encryption = findings.surroundings, _encryption(findings.preflight)
    return Manifest(
        backup_id=identity.backup_id,
        fleet=identity.fleet,
        database=identity.database,
        state=state,
        started_at=identity.started_at,
        finished_at=identity.finished_at,
        source=around.source,
        snapshot=_snapshot(findings.held),
        tools=_tools(findings.preflight),
        timing=Timing(total=round(total, 3), snapshot_held=round(findings.held_for, 3)),
        encryption=encryption,
        parts=parts,
        tables=tuple(_table(look, findings.hashed[look.table.oid], parts) for look in findings.looks),
        algorithm=ALGORITHM,
        sequences=findings.held.sequences,
        extensions=around.extensions,
        inventory=around.inventory,
        remarks=(*findings.preflight.remarks(), *_coverage_remarks(findings.looks), *_objects_remark(findings)),
        by_hand=how_to_restore(around.source, encryption, parts),
    )


def _encryption(preflight: Preflight) -> Encryption:
    named = tuple(Recipient(name=one.name, public_key=one.text) for one in preflight.recipients)
    return Encryption(method="age" if named else "none", recipients=named)


def _snapshot(held: HeldSnapshot) -> Snapshot:
    exported = held.exported
    return Snapshot(
        taken_at=exported.taken_at,
        lsn=exported.lsn,
        timeline=exported.timeline,
        name=exported.name,
        locked=held.locked,
    )


def _tools(preflight: Preflight) -> Tools:
    return Tools(
        pgtend=version("pgtend"),
        pg_dump=str(preflight.client),
        zstd=".".join(str(number) for number in zstandard.ZSTD_VERSION),
        pyrage=version("pyrage"),
    )


def _table(look: Look, hashed: RowsHashed, parts: Sequence[Part]) -> Table:
    relation = look.table
    kind = TableKind.PARTITION if relation.is_partition else TableKind.TABLE
    own = [p.name for p in parts for t in p.tables if (t.schema_name, t.name) == (relation.schema, relation.name)]
    rest = [p.name for p in parts if p.role is Role.REST]
    return Table(
        schema=relation.schema,
        name=relation.name,
        kind=TableKind.EXTENSION if relation.belongs_to_extension else kind,
        rows=hashed.rows,
        size=relation.size,
        part=(own or rest)[0],
        coverage=look.coverage,
        one_in=look.one_in,
    )


def _objects_remark(findings: Findings) -> Generator[str]:
    there = findings.preflight.outside.large_objects
    if there and LARGE_OBJECTS not in findings.hashed:
        yield f"What is in {counted(there, 'large object')} was not hashed: there was no time for it."


def _coverage_remarks(looks: Sequence[Look]) -> Generator[str]:
    for coverage in (Coverage.SAMPLE, Coverage.ROWS, Coverage.NONE):
        names = [f"{look.table.schema}.{look.table.name}" for look in looks if look.coverage is coverage]
        if names:
            shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            yield f"Of {shown} the fingerprint covers {coverage}."
