"""Reading from a bucket: a connection that breaks is taken up again at the byte where it broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from typing_extensions import override

from pgtend.vault.errors import VaultUnreachable
from pgtend.vault.model import Readable, StoredObject
from pgtend.vault.parts import MIB
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import S3_TROUBLE, Asked, translate
from pgtend.vault.streams import damaged

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3.type_defs import GetObjectRequestTypeDef


class ResumingStream(Readable):
    """The bytes of one object, and of no other: a change under way is an error."""

    def __init__(self, bucket: Bucket, stored: StoredObject) -> None:
        self._bucket = bucket
        self._stored = stored
        self._at = 0
        self._body: StreamingBody | None = None
        self._breaks = 0

    @override
    def read(self, size: int = MIB, /) -> bytes:
        while self._at < self._stored.size:
            try:
                chunk = self._open_body().read(size)
            except S3_TROUBLE as error:
                self._endure(error)
                continue
            if chunk:
                self._at += len(chunk)
                self._breaks = 0
                return chunk
            break
        return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_body()

    def _open_body(self) -> StreamingBody:
        if self._body is None:
            request: GetObjectRequestTypeDef = {
                "Bucket": self._bucket.place.bucket,
                "Key": self._bucket.place.full_key(self._stored.key),
                "IfMatch": self._stored.etag,
            }
            if self._at:
                request["Range"] = f"bytes={self._at}-"
            answer = self._bucket.call(
                Asked("s3:GetObject", self._stored.key), lambda: self._bucket.client.get_object(**request)
            )
            self._body = answer["Body"]
        return self._body

    def _endure(self, error: Exception) -> None:
        """Take a break in the line as long as there is progress between two of them."""
        self._close_body()
        self._breaks += 1
        trouble = translate(error, self._bucket.place, Asked("s3:GetObject", self._stored.key))
        if self._breaks >= self._bucket.place.patience.attempts or not isinstance(trouble, VaultUnreachable):
            raise trouble from error

    def _close_body(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


def read_span(bucket: Bucket, key: str, start: int, length: int) -> bytes:
    """Read exactly so many bytes from the middle of an object."""
    if length == 0:
        return b""

    def fetch() -> bytes:
        answer = bucket.client.get_object(
            Bucket=bucket.place.bucket,
            Key=bucket.place.full_key(key),
            Range=f"bytes={start}-{start + length - 1}",
        )
        with answer["Body"] as body:
            return body.read(length)

    content = bucket.call(Asked("s3:GetObject", key), fetch)
    if len(content) != length:
        raise damaged(key, f"It ends at {start + len(content)}, before the {start + length} bytes asked for.")
    return content
