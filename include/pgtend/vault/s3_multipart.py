"""An upload in parts: begun, fed, and then completed or abandoned."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from pgtend.kernel.errors import PgtendError
from pgtend.kernel.sizes import Bytes
from pgtend.vault.errors import UploadVanished
from pgtend.vault.model import Checksum
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import (
        CompleteMultipartUploadRequestTypeDef,
        CreateMultipartUploadRequestTypeDef,
        UploadPartRequestTypeDef,
    )

Condition: TypeAlias = dict[str, str]
ONLY_IF_ABSENT: Condition = {"IfNoneMatch": "*"}
NO_CONDITION: Condition = {}
"""For servers that refuse the question itself; there the key is looked at before."""


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that the vault has taken: how it calls it, and the checksum it was taken with."""

    number: int
    etag: str
    checksums: dict[str, str]

    @property
    def digest(self) -> bytes:
        """The part's SHA-256, where that was asked for."""
        return base64.b64decode(self.checksums.get("ChecksumSHA256", ""))

    def as_completed(self) -> dict[str, object]:
        """Write it the way the list of parts wants it."""
        kept = {name: value for name, value in self.checksums.items() if name != "ContentMD5"}
        return {"PartNumber": self.number, "ETag": self.etag, **kept}


def checksums_of(body: bytes | bytearray, kind: Checksum) -> dict[str, str]:
    """Compute what a body is sent with, under the names of S3's parameters."""
    if kind is Checksum.SHA256:
        return {"ChecksumSHA256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
    if kind is Checksum.CRC32:
        return {"ChecksumCRC32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()}
    return {"ContentMD5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}


def algorithm(kind: Checksum) -> dict[str, str]:
    """Name the algorithm: a checksum alone is silently ignored by some servers."""
    return {} if kind is Checksum.WHEN_REQUIRED else {"ChecksumAlgorithm": kind.upper()}


class Multipart:
    """One upload in parts. Nothing is visible before `complete`."""

    def __init__(self, bucket: Bucket, key: str, marks: dict[str, str]) -> None:
        self._bucket = bucket
        self._kind = bucket.place.checksum
        self._asked = Asked("s3:PutObject", key)
        self._where = {"Bucket": bucket.place.bucket, "Key": bucket.place.full_key(key)}
        request = cast(
            "CreateMultipartUploadRequestTypeDef", {**self._where, "Metadata": marks, **algorithm(self._kind)}
        )
        begun = bucket.call(self._asked, lambda: bucket.client.create_multipart_upload(**request))
        self._id = begun["UploadId"]

    def send(self, number: int, body: bytearray) -> SentPart:
        """Send one part, held by the vault against its checksum."""
        checksums = checksums_of(body, self._kind)
        request = cast(
            "UploadPartRequestTypeDef",
            {**self._part(number), "Body": body, **checksums, **algorithm(self._kind)},
        )
        answer = self._bucket.call(self._asked, lambda: self._bucket.client.upload_part(**request))
        return SentPart(number, answer["ETag"], checksums)

    def copy(self, number: int, source: Bucket, key: str, etag: str, span: tuple[int, int]) -> SentPart:
        """Let the vault take one part from another object by itself."""
        answer = self._bucket.call(
            Asked("s3:GetObject", key),
            lambda: self._bucket.client.upload_part_copy(
                Bucket=self._where["Bucket"],
                Key=self._where["Key"],
                UploadId=self._id,
                PartNumber=number,
                CopySource={"Bucket": source.place.bucket, "Key": source.place.full_key(key)},
                CopySourceIfMatch=etag,
                CopySourceRange=f"bytes={span[0]}-{span[1]}",
            ),
        )
        result = answer["CopyPartResult"]
        checksums = {name: str(value) for name, value in result.items() if name.startswith("Checksum")}
        return SentPart(number, result.get("ETag", ""), checksums)

    def complete(
        self, parts: Sequence[SentPart], size: Bytes, condition: Condition, settle: Callable[[PgtendError], None]
    ) -> None:
        """Make it an object, unless the key is taken."""
        request = cast(
            "CompleteMultipartUploadRequestTypeDef",
            {
                **self._where,
                "UploadId": self._id,
                "MultipartUpload": {"Parts": [part.as_completed() for part in parts]},
                "MpuObjectSize": int(size),
                **condition,
            },
        )

        def send() -> None:
            self._bucket.client.complete_multipart_upload(**request)

        self._bucket.call(self._asked, send, settle)

    def abandon(self, cause: BaseException) -> None:
        """Leave nothing behind; where even that fails, the cause says so and a sweep will do it."""
        try:
            abort(self._bucket, self._asked.key, self._id, attempts=2)
        except UploadVanished:
            return
        except PgtendError as trouble:
            cause.add_note(f"The unfinished upload stays until it is swept: {trouble.message}.")

    def _part(self, number: int) -> dict[str, object]:
        return {**self._where, "UploadId": self._id, "PartNumber": number}


def abort(bucket: Bucket, key: str, upload: str, *, attempts: int | None = None) -> None:
    """End an upload in parts and free what it took."""
    place = bucket.place
    bucket.call(
        Asked("s3:AbortMultipartUpload", key),
        lambda: bucket.client.abort_multipart_upload(Bucket=place.bucket, Key=place.full_key(key), UploadId=upload),
        attempts=attempts,
    )
