"""Backups made by hand in a vault: small, sealed for nobody, and complete as far as a catalogue can see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from pgtend.backup.manifest import Manifest, to_json, write_manifest
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, Vault

CONTENTS = {"pre-data.dump.zst": b"CREATE TABLE", "rest.dump.zst": b"rows rows rows"}
_AGE = b"age-encryption.org/v1\n-> X25519 "
SEALED = {f"{name}.age": _AGE + content for name, content in CONTENTS.items()}


def folder_vault(path: Path) -> FolderVault:
    """Open a vault in a folder of a test."""
    return FolderVault(FolderPlace(path=path, may_create=True))


def manifest_of(
    taken_at: datetime, *, contents: Mapping[str, bytes] = CONTENTS, state: str = "VERIFIED", rows: int = 100
) -> Manifest:
    """Describe a backup of kgc."""
    parts = [
        {
            "name": name,
            "role": "pre-data" if name.startswith("pre") else "rest",
            "plain_size": 10 * len(content),
            "stored_sha256": hashlib.sha256(content).hexdigest(),
            "stored_size": len(content),
            "compression": "zstd",
            "read_back": True,
        }
        for name, content in contents.items()
    ]
    table = {"schema": "public", "name": "users", "kind": "table", "rows": rows, "size": 8192, "part": "rest.dump.zst"}
    source = {
        "database": "kgc",
        "owner": "kgc_owner",
        "version": 150020,
        "version_text": "15.20",
        "system_identifier": "1",
        "is_standby": False,
        "encoding": "UTF8",
        "collation": "C",
        "ctype": "C",
        "locale_provider": "libc",
        "locale": "",
        "collation_version": "",
        "size": 1,
        "settings": [],
    }
    return Manifest.model_validate(
        {
            # Two of the same second are two, as with real ones; and a test can still tell the name beforehand.
            "backup_id": f"{taken_at:%Y%m%dT%H%M%SZ}-{taken_at.microsecond:08x}",
            "fleet": "clinic",
            "database": "kgc",
            "state": state,
            "started_at": taken_at,
            "finished_at": taken_at,
            "source": source,
            "snapshot": {"taken_at": taken_at, "lsn": "0/1", "timeline": 1, "name": "x", "locked": 1},
            "tools": {"pgtend": "0", "pg_dump": "15.20", "zstd": "1", "pyrage": "1"},
            "timing": {"total": 1.0, "snapshot_held": 1.0},
            "encryption": {"method": "age" if all(name.endswith(".age") for name in contents) else "none"},
            "parts": parts,
            "tables": [{**table, "coverage": "every row"}],
            "sequences": [],
            "extensions": [],
            "inventory": [],
            "by_hand": "Use stock tools.",
        }
    )


def put_backup(
    vault: Vault, taken_at: datetime, *, contents: Mapping[str, bytes] = CONTENTS, state: str = "VERIFIED"
) -> Manifest:
    """Store a backup whose parts are what its manifest says."""
    made = manifest_of(taken_at, contents=contents, state=state)
    for name, content in contents.items():
        vault.put(f"{made.folder}{name}", BytesIO(content))
    write_manifest(vault, made)
    return made


def manifest_digest(manifest: Manifest) -> str:
    """Digest a manifest as it lies in the vault."""
    return hashlib.sha256(to_json(manifest)).hexdigest()


def day(number: int) -> datetime:
    """Give a day of November 2026, at two in the morning."""
    return datetime(2026, 11, number, 2, tzinfo=UTC)
