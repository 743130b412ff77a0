"""A vault in S3, or in anything that speaks its protocol."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import NotAtomic, ObjectLocked, ObjectMissing, UploadVanished, VaultRefused, VaultUnreachable
from pgtend.vault.keys import checked_key, checked_prefix
from pgtend.vault.model import (
    Readable,
    S3Place,
    StoredObject,
    StoredVersion,
    Unfinished,
    Vault,
    VaultAbilities,
    begun_before,
)
from pgtend.vault.parts import MIB
from pgtend.vault.s3_abilities import learn
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked
from pgtend.vault.s3_lock import hold_fast, lock_until
from pgtend.vault.s3_look import Look, look
from pgtend.vault.s3_multipart import NO_CONDITION, ONLY_IF_ABSENT, Condition, abort
from pgtend.vault.s3_read import ResumingStream, read_span
from pgtend.vault.s3_upload import Upload
from pgtend.vault.s3_versions import list_versions
from pgtend.vault.streams import JudgedStream, PartsSeal, Seal, WholeSeal, exists, judge_copy

if TYPE_CHECKING:
    import boto3
    from types_boto3_s3.type_defs import (
        DeleteObjectRequestTypeDef,
        ListMultipartUploadsOutputTypeDef,
        ListMultipartUploadsRequestTypeDef,
        ListObjectsV2RequestTypeDef,
        ObjectTypeDef,
    )

_COPIED_PIECE = 512 * MIB
_COPY_BY_HAND_UP_TO = 16 * MIB


class S3Vault(Vault):
    """A bucket, or a prefix in one."""

    def __init__(self, place: S3Place, session: boto3.Session) -> None:
        self._place = place
        self._bucket = Bucket(session, place)

    @property
    @override
    def place(self) -> str:
        return str(self._place)

    @cached_property
    def _learned(self) -> VaultAbilities:
        return learn(self._bucket)

    @property
    @override
    def abilities(self) -> VaultAbilities:
        return self._learned

    @override
    def put(self, key: str, stream: Readable, *, sha256: str | None = None) -> StoredObject:
        checked_key(key)
        return Upload(self._bucket, key, sha256, condition=self._condition(key)).run(stream)

    @override
    def put_if_absent(self, key: str, content: bytes) -> StoredObject:
        checked_key(key)
        if not self.abilities.one_winner:
            raise NotAtomic(
                f"{self.place} cannot promise one winner",
                detail=f"{self.abilities.software} lets two writers of one key both succeed.",
                hint="Keep locks and commits that must be unique in a vault that can: pgtend doctor says which.",
            )
        return self.put(key, BytesIO(content), sha256=sha256_hex(content))

    @contextmanager
    @override
    def open(self, key: str, *, sha256: str | None = None) -> Generator[Readable]:
        seen = look(self._bucket, checked_key(key))
        with ResumingStream(self._bucket, seen.stored) as raw:
            yield JudgedStream(raw, key, seen.stored.size, _seals(seen, sha256))

    @override
    def read_range(self, key: str, start: int, length: int) -> bytes:
        return read_span(self._bucket, checked_key(key), start, length)

    @override
    def head(self, key: str) -> StoredObject:
        return look(self._bucket, checked_key(key)).stored

    @override
    def objects(self, prefix: str = "") -> tuple[StoredObject, ...]:
        checked_prefix(prefix)
        found: list[StoredObject] = []
        token = ""
        while True:
            page, token = self._page(prefix, token)
            found += page
            if not token:
                return tuple(sorted(found, key=lambda stored: stored.key))

    @override
    def copy_from(self, source: Vault, key: str, *, sha256: str) -> StoredObject:
        original = source.head(key)
        stored = self._left_there(key)
        is_large = original.size > _COPY_BY_HAND_UP_TO
        if stored is None and isinstance(source, S3Vault) and self._is_beside(source) and is_large:
            stored = self._copy_inside(source, original, sha256)
        if stored is None:
            with source.open(key, sha256=sha256) as stream:
                stored = self.put(key, stream, sha256=sha256)
        judge_copy(self, key, sha256)
        return stored

    @override
    def delete(self, key: str, *, version: str = "") -> None:
        seen = look(self._bucket, checked_key(key)) if not version else None
        if seen is not None and seen.is_locked:
            raise self._locked(key)
        place = self._place
        request: DeleteObjectRequestTypeDef = {"Bucket": place.bucket, "Key": place.full_key(key)}
        if version:
            request["VersionId"] = version
        right = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        try:
            self._bucket.call(Asked(right, key), lambda: self._bucket.client.delete_object(**request))
        except VaultRefused as error:
            if version and look(self._bucket, key, version).is_locked:
                raise self._locked(key) from error
            raise

    @override
    def protect(self, stored: StoredObject, until: datetime) -> bool:
        return lock_until(self._bucket, stored, until)

    @override
    def versions(self, prefix: str) -> tuple[StoredVersion, ...]:
        checked_prefix(prefix)
        return tuple(list_versions(self._bucket, prefix))

    @override
    def room(self) -> Bytes | None:
        return None

    @override
    def unfinished(self) -> tuple[Unfinished, ...]:
        found: list[Unfinished] = []
        markers: dict[str, str] = {}
        while True:
            page = self._page_of_uploads(markers)
            found += [
                Unfinished(
                    key=self._place.own_key(upload.get("Key", "")),
                    started_at=upload["Initiated"].astimezone(UTC),
                    token=upload.get("UploadId", ""),
                )
                for upload in page.get("Uploads", [])
                if "Initiated" in upload
            ]
            if not page.get("IsTruncated"):
                return tuple(found)
            markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    @override
    def sweep(self, older_than: timedelta) -> tuple[Unfinished, ...]:
        old = begun_before(self.unfinished(), older_than)
        for leftover in old:
            with suppress(UploadVanished):  # whoever tidies another database of this bucket was faster
                abort(self._bucket, leftover.key, leftover.token)
        return old

    @override
    def close(self) -> None:
        self._bucket.close()

    def _condition(self, key: str) -> Condition:
        """Choose how a write is kept from replacing anything; where the server cannot, look before."""
        if self.abilities.refuses_existing:
            return ONLY_IF_ABSENT
        try:
            look(self._bucket, key)
        except ObjectMissing:
            return NO_CONDITION
        raise exists(key, self.place)

    def _page(self, prefix: str, token: str) -> tuple[list[StoredObject], str]:
        place = self._place
        request: ListObjectsV2RequestTypeDef = {"Bucket": place.bucket, "Prefix": place.full_key(prefix)}
        if token:
            request["ContinuationToken"] = token
        page = self._bucket.call(Asked("s3:ListBucket"), lambda: self._bucket.client.list_objects_v2(**request))
        following = page.get("NextContinuationToken", "")
        if page.get("IsTruncated") and not following:
            raise VaultUnreachable(
                f"{place} broke off its listing",
                detail="It says there is more and not where it goes on.",
                hint="Try again; if it stays so, the server needs its maker: docs/runbooks/vault-unreachable.md.",
            )
        return [_listed(place, entry) for entry in page.get("Contents", [])], following

    def _page_of_uploads(self, markers: dict[str, str]) -> ListMultipartUploadsOutputTypeDef:
        place = self._place
        request = cast(
            "ListMultipartUploadsRequestTypeDef", {"Bucket": place.bucket, "Prefix": place.full_key(""), **markers}
        )
        return self._bucket.call(
            Asked("s3:ListBucketMultipartUploads"), lambda: self._bucket.client.list_multipart_uploads(**request)
        )

    def _is_beside(self, other: S3Vault) -> bool:
        """Say whether one server holds both, so that it may copy by itself."""
        mine, theirs = self._place, other._place
        return (mine.endpoint, mine.region) == (theirs.endpoint, theirs.region)

    def _copy_inside(self, source: S3Vault, original: StoredObject, sha256: str) -> StoredObject | None:
        """Let the server copy; where its rights do not reach to the other bucket, the caller copies by hand."""
        upload = Upload(self._bucket, original.key, sha256, condition=self._condition(original.key))
        try:
            return upload.copy(source._bucket, original, sha256, _COPIED_PIECE)
        except VaultRefused:
            return self._left_there(original.key)

    def _left_there(self, key: str) -> StoredObject | None:
        """Take up what a copy left that was broken off, and lock what it could not: that is asked for last."""
        try:
            seen = look(self._bucket, key)
        except ObjectMissing:
            return None
        hold_fast(self._bucket, seen)
        return seen.stored

    def _locked(self, key: str) -> ObjectLocked:
        return ObjectLocked(
            f"'{key}' in {self.place} is locked",
            detail="Its retention has not ended, or it is under legal hold.",
            hint="Wait until its retention ends. A legal hold is lifted only by whoever set it.",
        )


def _seals(seen: Look, sha256: str | None) -> tuple[Seal, ...]:
    """Choose what the bytes are held against: every digest there is, and for parts alone the checksum of parts."""
    whole = {digest for digest in (sha256, seen.stored.sha256) if digest}
    if not whole and seen.checksum and seen.plan:
        return (PartsSeal(seen.checksum, seen.plan),)
    return tuple(WholeSeal(digest) for digest in whole)


def _listed(place: S3Place, entry: ObjectTypeDef) -> StoredObject:
    return StoredObject(
        key=place.own_key(entry.get("Key", "")),
        size=Bytes(entry.get("Size", 0)),
        stored_at=entry.get("LastModified", utc_now()).astimezone(UTC),
        etag=entry.get("ETag", ""),
    )
