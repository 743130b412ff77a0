"""What every vault promises, in the words of the people who rely on it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import utc_now
from pgtend.vault.parts import STANDARD_PARTS, PartPlan


class Readable(Protocol):
    """Anything bytes can be read from: a file, a pipe, an object. It raises when its producer failed."""

    def read(self, size: int = ..., /) -> bytes:
        """Read at most so many bytes; no bytes mean the end, and that all went well."""
        ...


class Confirmation(StrEnum):
    """How we know that an object is there. Shown to people as written."""

    SEEN = "the vault showed it afterwards"
    ACKNOWLEDGED = "the vault acknowledged it; this writer may not look"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object as the vault shows it."""

    key: str
    size: Bytes
    stored_at: datetime
    sha256: str | None = None
    """Of the stored bytes. None where the vault cannot say: in listings, and for objects of many parts, whose digest
    is known to the record of whoever stored them."""
    etag: str = ""
    version: str = ""
    confirmed: Confirmation = Confirmation.SEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One version of an object in a vault that keeps several, or the mark that hides a deleted one."""

    key: str
    version: str
    stored_at: datetime
    size: Bytes
    is_current: bool
    is_deletion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A write that began and never ended. It is no object and costs room."""

    key: str
    started_at: datetime
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAbilities:
    """What this vault can really do, learned from it and not from its brochure."""

    refuses_existing: bool
    """It says no to a second write of a key."""
    one_winner: bool
    """Of several writers of one key at the same moment exactly one succeeds."""
    software: str
    """What answers there, as far as it shows."""


class Vault(Protocol):
    """Append-only objects under keys. Every method ends in what it says or in an error, never in between."""

    @property
    def place(self) -> str:
        """Where this is, as people write it: `s3://bucket/prefix` or a path."""
        ...

    @property
    def abilities(self) -> VaultAbilities:
        """What this vault can do; asked once."""
        ...

    def put(self, key: str, stream: Readable, *, sha256: str | None = None) -> StoredObject:
        """Store a stream to its end under a new key, confirmed from the far side, or leave nothing.

        A stream that raises leaves nothing. A digest given beforehand must turn out right. An existing key is refused;
        where abilities.one_winner is false, two writers at the very same moment may both succeed.
        """
        ...

    def put_if_absent(self, key: str, content: bytes) -> StoredObject:
        """Store a small object exactly once among all writers in the world, or raise ObjectExists.

        Refused with NotAtomic where the vault cannot promise that.
        """
        ...

    def open(self, key: str, *, sha256: str | None = None) -> AbstractContextManager[Readable]:
        """Read an object from its start. The last read raises ObjectDamaged when the whole was not what was stored."""
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Read exactly so many bytes from the middle."""
        ...

    def head(self, key: str) -> StoredObject:
        """Look at one object, or raise ObjectMissing."""
        ...

    def objects(self, prefix: str = "") -> tuple[StoredObject, ...]:
        """List everything under a folder, sorted by key: complete, or an error."""
        ...

    def copy_from(self, source: Vault, key: str, *, sha256: str) -> StoredObject:
        """Take over an object from another vault, judged by reading it here; what is here already is not sent again."""
        ...

    def delete(self, key: str, *, version: str = "") -> None:
        """Remove an object; in a versioned bucket hide it, unless its version is named. ObjectLocked when protected."""
        ...

    def protect(self, stored: StoredObject, until: datetime) -> bool:
        """Have an object guarded against everybody until a moment; False where the vault cannot do that or hides it."""
        ...

    def versions(self, prefix: str) -> tuple[StoredVersion, ...]:
        """List all versions under a folder, the current ones too; none where the vault keeps no versions."""
        ...

    def room(self) -> Bytes | None:
        """Tell how much room is left, where the vault can know."""
        ...

    def unfinished(self) -> tuple[Unfinished, ...]:
        """List writes that began and never ended."""
        ...

    def sweep(self, older_than: timedelta) -> tuple[Unfinished, ...]:
        """Remove what unfinished writes left behind, and say what it was."""
        ...

    def close(self) -> None:
        """Let go of connections, where any are held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPlace:
    """A folder, and whether it may be made when it is not there."""

    path: Path
    may_create: bool = False


class Checksum(StrEnum):
    """What the vault is asked to check each part against."""

    SHA256 = "sha256"
    CRC32 = "crc32"
    WHEN_REQUIRED = "when_required"
    """For servers that know no checksums: the old Content-MD5, which all of them check."""


class LockMode(StrEnum):
    """Who may lift an Object Lock: people with a special right, or nobody."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLock:
    """How long every stored object is protected, and from whom."""

    mode: LockMode
    keep: timedelta
    legal_hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """What the bucket must encrypt with: AES256, or aws:kms with a key."""

    algorithm: str
    kms_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait: for a connection, for an answer, and for all attempts at one request together.

    The last attempt may begin just before `total` is over, so the hard bound is total + connect + answer.
    """

    connect: timedelta = timedelta(seconds=10)
    answer: timedelta = timedelta(seconds=60)
    total: timedelta = timedelta(minutes=5)
    attempts: int = 6
    first_pause: timedelta = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """A bucket, and how it wants to be spoken to."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    path_style: bool = False
    bucket_owner: str = ""
    encryption: Encryption | None = None
    object_lock: ObjectLock | None = None
    checksum: Checksum = Checksum.SHA256
    patience: Patience = Patience()
    parts: PartPlan = STANDARD_PARTS

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    def full_key(self, key: str) -> str:
        """Put the prefix in front."""
        return f"{self.prefix}/{key}" if self.prefix else key

    def own_key(self, full: str) -> str:
        """Take the prefix off again."""
        return full.removeprefix(f"{self.prefix}/") if self.prefix else full


def begun_before(leftovers: tuple[Unfinished, ...], age: timedelta) -> tuple[Unfinished, ...]:
    """Pick what began long enough ago that nobody can still be at it."""
    limit = utc_now() - age
    return tuple(leftover for leftover in leftovers if leftover.started_at <= limit)
