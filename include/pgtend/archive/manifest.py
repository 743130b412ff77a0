"""What lies beside a month in the vault: plain JSON without rows, that tells how to read the month without us."""

from __future__ import annotations

import json
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from pgtend.archive.errors import UnreadableMonth
from pgtend.archive.names import Names
from pgtend.postgres.rowhash import ALGORITHM
from pgtend.vault.agekeys import PublicKey
from pgtend.vault.model import Vault
from pgtend.vault.parts import MIB

FORMAT = 1
MANIFEST = "manifest.json"
ROOT = "archive"
_BY_HAND = """\
1. Fetch {file} from beside this manifest.
2. Open it: {opening} > month.parquet
3. Compare: sha256sum month.parquet gives plain_sha256.
4. Read it with anything that reads Parquet: duckdb -c "SELECT * FROM 'month.parquet'".
What has no type of its own in Parquet is text, as PostgreSQL wrote it; `columns` names the types it had."""


class Recipient(BaseModel):
    """Whoever can open the month."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    public_key: str


class MonthManifest(BaseModel):
    """One stored month."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: int = FORMAT
    fleet: str
    database: str
    schema_name: str
    table_name: str
    month: date
    generation: int
    zone: str
    by: str
    columns: tuple[str, ...]
    """Name and type of each column, as PostgreSQL writes them."""
    rows: int
    checksum: str
    algorithm: str = ALGORITHM
    server_version: int
    file: str
    plain_sha256: str
    plain_size: int
    stored_sha256: str
    stored_size: int
    recipients: tuple[Recipient, ...]
    """Empty where the month is only compressed."""
    made_at: datetime
    made_by: str
    by_hand: str

    @property
    def is_sealed(self) -> bool:
        """Whether a private key is needed to read it."""
        return bool(self.recipients)


def folder_of(fleet: str, database: str, names: Names, month: date, gen: int) -> str:
    """Name the folder of one generation of one month, with a slash at the end."""
    return f"{ROOT}/{fleet}/{database}/{_safe(names)}/{month:%Y-%m}/gen-{gen}/"


def by_hand(file: str, recipients: tuple[PublicKey, ...]) -> str:
    """Say how to read the month with stock tools."""
    opening = f"age -d -i key.txt {file} | zstd -d" if recipients else f"zstd -d -c {file}"
    return _BY_HAND.format(file=file, opening=opening)


def write_month_manifest(vault: Vault, folder: str, manifest: MonthManifest) -> None:
    """Commit a stored month; exactly one writer can."""
    vault.put_if_absent(f"{folder}{MANIFEST}", to_json(manifest))


def to_json(manifest: MonthManifest) -> bytes:
    """Write it for machines and people."""
    return json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False).encode() + b"\n"


def read_month_manifest(vault: Vault, key: str) -> MonthManifest:
    """Read the manifest of a month."""
    with vault.open(key) as stream:
        content = b"".join(iter(lambda: stream.read(MIB), b""))
    try:
        return MonthManifest.model_validate_json(content)
    except ValidationError as error:
        raise UnreadableMonth(
            f"'{key}' cannot be read as the manifest of a month",
            detail="It is none that pgtend wrote, or somebody changed it.",
            hint="See docs/runbooks/archive-cold-broken.md.",
        ) from error


def _safe(names: Names) -> str:
    """Write a table's name as a part of a key, whatever letters it has."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_.-") else "=" for letter in str(names)
    )
