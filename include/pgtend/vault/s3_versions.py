"""What lies behind the names of a versioned bucket: older versions, and the marks that hide a deleted object."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, cast

from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import utc_now
from pgtend.vault.model import StoredVersion
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import (
        DeleteMarkerEntryTypeDef,
        ListObjectVersionsOutputTypeDef,
        ListObjectVersionsRequestTypeDef,
        ObjectVersionTypeDef,
    )


def list_versions(bucket: Bucket, prefix: str) -> Iterator[StoredVersion]:
    """List all of them, or raise; a bucket that keeps no versions has one of each object."""
    markers: dict[str, str] = {}
    while True:
        page = _page(bucket, prefix, markers)
        for entry in page.get("Versions", []):
            yield _version(bucket, entry, Bytes(entry.get("Size", 0)))
        for mark in page.get("DeleteMarkers", []):
            yield _version(bucket, mark, Bytes(0), is_deletion=True)
        if not page.get("IsTruncated"):
            return
        markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def _version(
    bucket: Bucket, entry: ObjectVersionTypeDef | DeleteMarkerEntryTypeDef, size: Bytes, *, is_deletion: bool = False
) -> StoredVersion:
    return StoredVersion(
        key=bucket.place.own_key(entry.get("Key", "")),
        version=entry.get("VersionId", ""),
        # Without a time it counts as made just now, so that nothing is removed for being old.
        stored_at=entry.get("LastModified", utc_now()).astimezone(UTC),
        size=size,
        is_current=entry.get("IsLatest", True),
        is_deletion=is_deletion,
    )


def _page(bucket: Bucket, prefix: str, markers: dict[str, str]) -> ListObjectVersionsOutputTypeDef:
    place = bucket.place
    request = cast(
        "ListObjectVersionsRequestTypeDef", {"Bucket": place.bucket, "Prefix": place.full_key(prefix), **markers}
    )
    return bucket.call(Asked("s3:ListBucketVersions"), lambda: bucket.client.list_object_versions(**request))
