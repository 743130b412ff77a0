"""Reads inside the snapshot what the manifest says about the database besides its rows."""

from __future__ import annotations

from dataclasses import dataclass

from pgtend.backup.facts import (
    READ_EXTENSIONS,
    READ_INVENTORY,
    READ_OTHERS,
    READ_RIGHTS,
    READ_SEQUENCES,
    READ_SOURCE,
    SourceReading,
)
from pgtend.backup.record import Extension, Inventory, Sequence, Source
from pgtend.postgres.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is there besides rows."""

    source: Source
    extensions: tuple[Extension, ...]
    inventory: tuple[Inventory, ...]


def read_surroundings(session: Session) -> Surroundings:
    """Read it all."""
    return Surroundings(
        source=_source(session.row(READ_SOURCE), session.facts.version_text),
        extensions=tuple(
            Extension(name=one.name, version=one.version, schema=one.schema) for one in session.rows(READ_EXTENSIONS)
        ),
        inventory=read_inventory(session),
    )


def read_sequences(session: Session) -> tuple[Sequence, ...]:
    """Read where each sequence is."""
    return tuple(
        Sequence(schema=one.schema, name=one.name, last_value=one.last_value, increment=one.increment)
        for one in session.rows(READ_SEQUENCES)
    )


def read_inventory(session: Session, *, has_all_kinds: bool = True) -> tuple[Inventory, ...]:
    """Count and digest all objects by kind; a restored copy is held against it."""
    readings = (READ_INVENTORY, READ_OTHERS, READ_RIGHTS) if has_all_kinds else (READ_INVENTORY,)
    return tuple(
        Inventory(kind=one.kind, count=one.count, sha256=one.sha256)
        for reading in readings
        for one in session.rows(reading)
    )


def _source(reading: SourceReading, version_text: str) -> Source:
    return Source(
        database=reading.database,
        owner=reading.owner,
        version=reading.version,
        version_text=version_text,
        system_identifier=reading.system_identifier,
        is_standby=reading.is_standby,
        encoding=reading.encoding,
        collation=reading.collation,
        ctype=reading.ctype,
        locale_provider=reading.locale_provider,
        locale=reading.locale,
        collation_version=reading.collation_version,
        size=reading.size,
        settings=tuple(reading.settings),
    )
