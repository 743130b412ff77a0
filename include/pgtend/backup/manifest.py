"""The manifest: the one object that makes a backup exist, written last, and all that a restore needs to know.

It is plain JSON without a row's content and without secrets, so that a person with a text viewer, stock tools and the
private key can restore with nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from typing import cast

from pydantic import ValidationError

from pgtend.backup.errors import NewerManifest, UnreadableManifest
from pgtend.backup.record import (
    HASHED,
    Coverage,
    Encryption,
    Extension,
    Fingerprint,
    Inventory,
    Part,
    Record,
    Role,
    Sequence,
    Snapshot,
    Source,
    State,
    Table,
    Timing,
    Tools,
)
from pgtend.kernel.digests import sha256_hex
from pgtend.postgres.rowhash import ALGORITHM
from pgtend.vault.model import StoredObject, Vault
from pgtend.vault.parts import MIB

FORMAT = 4
"""4: each large table has an archive of its own, in frames of many rows, and the inventory lists all kinds of
objects; in format 3 rows lay as SQL."""
_SOME_KINDS = 3
"""Up to this format the inventory knew the common kinds of objects, and of owners and rights those of relations."""
_ROWS_BY_PG_DUMP = 2
"""Up to this format pg_dump wrote all archives, with a frame for every row."""
MANIFEST = "manifest.json"
_HASHED_OTHERWISE = (
    "Another version of pgtend made the fingerprints, in a way that this version cannot repeat: rows are counted, and "
    "not compared by content."
)
ROOT = "backups"
SAVED = "It was taken of what a restore in place was about to replace."
"""What such a backup says of itself, so that nobody takes it for the one that was to be restored."""


class Manifest(Record):
    """One backup."""

    format: int = FORMAT
    backup_id: str
    fleet: str
    database: str
    """The database's name in the fleet file; `source.database` is its name on the server."""
    state: State
    started_at: datetime
    finished_at: datetime
    source: Source
    snapshot: Snapshot
    tools: Tools
    timing: Timing
    encryption: Encryption
    parts: tuple[Part, ...]
    tables: tuple[Table, ...]
    algorithm: str = ""
    """How rows became fingerprints."""
    sequences: tuple[Sequence, ...]
    extensions: tuple[Extension, ...]
    inventory: tuple[Inventory, ...]
    remarks: tuple[str, ...] = ()
    """What a person should know before relying on it, one sentence each: unsealed, sampled, not included."""
    by_hand: str
    """How to restore with stock tools alone."""

    @property
    def folder(self) -> str:
        """Where its objects lie in a vault, with a slash at the end."""
        return backup_folder(self.fleet, self.database, self.backup_id)

    @property
    def key(self) -> str:
        """The key of this manifest in a vault."""
        return f"{self.folder}{MANIFEST}"

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def plain_size(self) -> int:
        """What the parts weigh unpacked."""
        return sum(part.plain_size for part in self.parts)

    @property
    def stored_size(self) -> int:
        """What the parts take in the vault."""
        return sum(part.stored_size for part in self.parts)

    def key_of(self, part: Part) -> str:
        """Name the key of a part in a vault."""
        return f"{self.folder}{part.name}"

    @property
    def is_saved(self) -> bool:
        """Whether it holds what a restore in place was about to replace."""
        return SAVED in self.remarks

    @property
    def lists_all_kinds(self) -> bool:
        """Whether its inventory knows all kinds of objects."""
        return self.format > _SOME_KINDS

    def is_ours(self, part: Part) -> bool:
        """Whether a part holds rows of large tables in a form that we read ourselves."""
        return part.role is Role.TABLE and self.format > _ROWS_BY_PG_DUMP

    def parts_of(self, *roles: Role) -> tuple[Part, ...]:
        """List the parts with these roles, in the order they were written down."""
        return tuple(part for part in self.parts if part.role in roles)


def backup_folder(fleet: str, database: str, backup_id: str = "") -> str:
    """Name the folder of one backup, or of all backups of a database when no id is given."""
    return f"{ROOT}/{fleet}/{database}/" + (f"{backup_id}/" if backup_id else "")


def manifest_key(fleet: str, database: str, backup_id: str) -> str:
    """Name the manifest of a backup."""
    return f"{backup_folder(fleet, database, backup_id)}{MANIFEST}"


def write_manifest(vault: Vault, manifest: Manifest) -> StoredObject:
    """Commit a backup: exactly one writer in the world can, and from now on it exists.

    Where the vault cannot see to that, as Swift cannot, the random number in the backup's name does.
    """
    content = to_json(manifest)
    if vault.abilities.one_winner:
        return vault.put_if_absent(manifest.key, content)
    return vault.put(manifest.key, BytesIO(content), sha256=sha256_hex(content))


def read_manifest(vault: Vault, key: str) -> Manifest:
    """Read the manifest of a backup, and refuse one that lies in another backup's place."""
    manifest = parse_manifest(read_small(vault, key), key)
    if manifest.key != key:
        raise UnreadableManifest(
            f"'{key}' is the manifest of another backup",
            detail=f"It says that it belongs to {manifest.key}.",
            hint="Somebody moved or replaced it: keep the vault as it is, and see docs/runbooks/backup-damaged.md.",
        )
    return manifest


def read_small(vault: Vault, key: str) -> bytes:
    """Read a whole object that is known to be small."""
    with vault.open(key) as stream:
        return b"".join(iter(lambda: stream.read(MIB), b""))


def to_json(manifest: Manifest) -> bytes:
    """Write a manifest for machines and people."""
    plain = manifest.model_dump(mode="json", by_alias=True)
    return json.dumps(plain, indent=1, ensure_ascii=False).encode() + b"\n"


def parse_manifest(content: bytes, key: str) -> Manifest:
    """Read a manifest from its bytes; the key is for messages."""
    try:
        plain: object = json.loads(content)
    except ValueError as error:
        raise _unreadable(key, f"it is not JSON: {error}") from error
    written = cast("dict[str, object]", plain).get("format") if isinstance(plain, dict) else None
    if isinstance(written, int) and written > FORMAT:
        raise NewerManifest(
            f"'{key}' was written by a newer pgtend",
            detail=f"Its format is {written}, and this pgtend reads up to {FORMAT}.",
            hint="Upgrade pgtend, or restore by hand as the manifest's `by_hand` says.",
        )
    try:
        return _comparable(Manifest.model_validate(plain))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise _unreadable(key, f"{where}: {first['msg']}") from error


def _comparable(manifest: Manifest) -> Manifest:
    """Take back what cannot be compared any more: rows that were hashed otherwise are counted, and that is said."""
    if manifest.algorithm == ALGORITHM or not any(table.coverage in HASHED for table in manifest.tables):
        return manifest
    tables = [
        table.model_copy(update={"coverage": Coverage.ROWS}) if table.coverage in HASHED else table
        for table in manifest.tables
    ]
    remarks = (*manifest.remarks, _HASHED_OTHERWISE)
    return manifest.model_copy(update={"tables": tuple(tables), "remarks": remarks})


def fingerprints_json(fingerprints: Iterable[Fingerprint]) -> bytes:
    """Write the content of the fingerprints part: one JSON object a line."""
    lines = (json.dumps(one.model_dump(mode="json", by_alias=True), ensure_ascii=False) for one in fingerprints)
    return "".join(f"{line}\n" for line in lines).encode()


def parse_fingerprints(content: bytes, key: str) -> tuple[Fingerprint, ...]:
    """Read the content of the fingerprints part; the key is for messages."""
    try:
        return tuple(Fingerprint.model_validate_json(line) for line in content.splitlines())
    except ValidationError as error:
        raise _unreadable(key, "a line of it is no fingerprint") from error


def _unreadable(key: str, why: str) -> UnreadableManifest:
    return UnreadableManifest(
        f"'{key}' cannot be read as what it should be",
        detail=f"{why[:1].upper()}{why[1:]}.",
        hint="Use another backup or another copy, and see docs/runbooks/backup-damaged.md.",
    )
