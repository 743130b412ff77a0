"""Looking at an object in a bucket: what S3 shows, and what we wrote beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import utc_now
from pgtend.vault.model import StoredObject
from pgtend.vault.parts import PartPlan
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import HeadObjectRequestTypeDef

SHA256 = "pgtend-sha256"
PUT_ID = "pgtend-put"
PARTS = "pgtend-parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One object, and the marks on it."""

    stored: StoredObject
    put_id: str
    """Which put made it: tells our own object from another's after an answer was lost."""
    checksum: str
    """The SHA-256 that S3 keeps; of many parts the one of all their checksums."""
    plan: PartPlan | None
    encryption: str
    locked_until: datetime | None
    is_held: bool

    @property
    def is_locked(self) -> bool:
        """Say whether retention or a legal hold protects it now."""
        return self.is_held or (self.locked_until is not None and self.locked_until > utc_now())


def look(bucket: Bucket, key: str, version: str = "") -> Look:
    """Look at an object, or raise ObjectMissing."""
    request: HeadObjectRequestTypeDef = {
        "Bucket": bucket.place.bucket,
        "Key": bucket.place.full_key(key),
        "ChecksumMode": "ENABLED",
    }
    if version:
        request["VersionId"] = version
    answer = bucket.call(Asked("s3:GetObject", key), lambda: bucket.client.head_object(**request))
    marks = answer.get("Metadata", {})
    stored = StoredObject(
        key=key,
        size=Bytes(answer["ContentLength"]),
        stored_at=answer["LastModified"].astimezone(UTC),
        sha256=marks.get(SHA256),
        etag=answer["ETag"],
        version=answer.get("VersionId", ""),
    )
    return Look(
        stored=stored,
        put_id=marks.get(PUT_ID, ""),
        checksum=answer.get("ChecksumSHA256", ""),
        plan=PartPlan.parse(marks.get(PARTS, "")),
        encryption=answer.get("ServerSideEncryption", ""),
        locked_until=answer.get("ObjectLockRetainUntilDate"),
        is_held=answer.get("ObjectLockLegalHoldStatus", "OFF") == "ON",
    )
