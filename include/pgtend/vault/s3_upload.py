"""One object on its way into a bucket: all of it arrives and is confirmed, or nothing of it stays."""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, cast

from pgtend.kernel.errors import PgtendError
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import NotEncrypted, ObjectMissing, StoreUncertain, VaultRefused
from pgtend.vault.model import Checksum, Confirmation, Readable, StoredObject
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked
from pgtend.vault.s3_lock import hold_fast
from pgtend.vault.s3_look import PARTS, PUT_ID, SHA256, look
from pgtend.vault.s3_multipart import ONLY_IF_ABSENT, Condition, Multipart, SentPart, algorithm, checksums_of
from pgtend.vault.streams import agree, checksum_of_parts, damaged, exists, in_parts

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What we know we wrote, to be held against what the vault shows."""

    size: Bytes
    sha256: str
    checksum: str = ""
    """What S3 must show for an object of many parts; empty where the vault was not asked to keep it."""


class Upload:
    """One put of one object. Made for one use."""

    def __init__(
        self, bucket: Bucket, key: str, sha256: str | None = None, *, condition: Condition = ONLY_IF_ABSENT
    ) -> None:
        self._condition = condition
        self._bucket = bucket
        self._key = key
        self._promised = sha256
        self._id = secrets.token_hex(8)
        self._plan = bucket.place.parts

    def run(self, stream: Readable) -> StoredObject:
        """Store a stream to its end. What fits in one part goes in one request, the rest in parts."""
        parts = in_parts(stream, self._plan)
        first = next(parts)
        if len(first) < self._plan.size_of(1):
            return self._confirm(self.store(bytes(first)))
        parts = chain([first], parts)
        del first  # two parts on their way and one being filled is all the memory there is to be used
        return self._confirm(self._store_parts(parts))

    def store(self, content: bytes) -> Written:
        """Store what is in memory, in one request."""
        sha256 = hashlib.sha256(content).hexdigest()
        agree(self._key, self._promised, sha256)
        place = self._bucket.place
        request = cast(
            "PutObjectRequestTypeDef",
            {
                "Bucket": place.bucket,
                "Key": place.full_key(self._key),
                "Body": content,
                "Metadata": {SHA256: sha256, PUT_ID: self._id},
                **self._condition,
                **checksums_of(content, place.checksum),
                **algorithm(place.checksum),
            },
        )

        def send() -> None:
            self._bucket.client.put_object(**request)

        self._bucket.call(Asked("s3:PutObject", self._key), send, self._settle)
        return Written(size=Bytes(len(content)), sha256=sha256)

    def copy(self, source: Bucket, original: StoredObject, sha256: str, piece: int) -> StoredObject:
        """Let the vault itself copy an object, in pieces."""
        upload = Multipart(self._bucket, self._key, {SHA256: sha256, PUT_ID: self._id})
        try:
            starts = range(0, original.size, piece)
            parts = [
                upload.copy(number, source, original.key, original.etag, (start, min(start + piece, original.size) - 1))
                for number, start in enumerate(starts, 1)
            ]
            upload.complete(parts, original.size, self._condition, self._settle)
        except BaseException as error:
            upload.abandon(error)
            raise
        return self._confirm(Written(size=original.size, sha256=sha256))

    def _store_parts(self, parts: Iterator[bytearray]) -> Written:
        self._refuse_taken()
        upload = Multipart(self._bucket, self._key, {PUT_ID: self._id, PARTS: str(self._plan)})
        try:
            sent, written = self._send(upload, parts)
            agree(self._key, self._promised, written.sha256)
            upload.complete(sent, written.size, self._condition, self._settle)
        except BaseException as error:
            upload.abandon(error)
            raise
        return written

    def _refuse_taken(self) -> None:
        """Look before much is sent: the condition is judged at the end, and by some servers for small objects alone."""
        try:
            look(self._bucket, self._key)
        except (ObjectMissing, VaultRefused):
            return
        raise exists(self._key, str(self._bucket.place))

    def _send(self, upload: Multipart, parts: Iterator[bytearray]) -> tuple[list[SentPart], Written]:
        digest, size = hashlib.sha256(), 0
        sent: list[SentPart] = []
        on_the_way: deque[Future[SentPart]] = deque()
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="vault") as pool:
            for number, part in enumerate(parts, 1):
                while len(on_the_way) >= self._plan.in_flight(number):
                    sent.append(on_the_way.popleft().result())
                on_the_way.append(pool.submit(upload.send, number, part))
                digest.update(part)
                size += len(part)
            sent.extend(future.result() for future in on_the_way)
        keeps_digests = self._bucket.place.checksum is Checksum.SHA256
        checksum = checksum_of_parts([part.digest for part in sent]) if keeps_digests else ""
        return sent, Written(size=Bytes(size), sha256=digest.hexdigest(), checksum=checksum)

    def _settle(self, trouble: PgtendError) -> None:
        """Find out whether a write happened whose answer was lost: the object carries the mark of its put."""
        try:
            seen = look(self._bucket, self._key)
        except ObjectMissing:
            raise trouble from None
        except VaultRefused as error:
            raise StoreUncertain(
                f"nobody can say whether '{self._key}' was stored",
                detail=f"{trouble.message}, and this writer may not look.",
                hint="Run again: it stores under a new key. To be able to tell, allow the writer s3:GetObject.",
            ) from error
        if seen.put_id != self._id:
            raise trouble

    def _confirm(self, written: Written) -> StoredObject:
        """Hold what the vault shows against what was written. What differs is taken away again."""
        try:
            seen = look(self._bucket, self._key)
        except VaultRefused:
            return StoredObject(
                key=self._key,
                size=written.size,
                sha256=written.sha256,
                stored_at=utc_now(),
                confirmed=Confirmation.ACKNOWLEDGED,
            )
        if seen.put_id != self._id:
            raise exists(self._key, str(self._bucket.place))
        problem = _difference(written, seen.stored.size, seen.checksum)
        if problem:
            self._take_away(trouble := damaged(self._key, problem))
            raise trouble
        wanted = self._bucket.place.encryption
        if wanted and seen.encryption != wanted.algorithm:
            self._take_away(unsealed := _not_encrypted(self._key, wanted.algorithm))
            raise unsealed
        hold_fast(self._bucket, seen)
        return replace(seen.stored, sha256=written.sha256)

    def _take_away(self, cause: PgtendError) -> None:
        place = self._bucket.place
        try:
            self._bucket.call(
                Asked("s3:DeleteObject", self._key),
                lambda: self._bucket.client.delete_object(Bucket=place.bucket, Key=place.full_key(self._key)),
            )
        except PgtendError as trouble:
            cause.add_note(f"It could not be taken away: {trouble.message}.")


def _difference(written: Written, size: Bytes, checksum: str) -> str:
    if size != written.size:
        return f"{int(written.size)} bytes were sent and the vault shows {int(size)}."
    if checksum and written.checksum and checksum != written.checksum:
        return "The checksum the vault shows differs from the one of what was sent."
    return ""


def _not_encrypted(key: str, algorithm_wanted: str) -> NotEncrypted:
    return NotEncrypted(
        f"'{key}' was stored without {algorithm_wanted}",
        detail="The vault accepted the request and ignored the encryption it asked for.",
        hint="Set up encryption on the server, or take `encryption` out of the vault's settings.",
    )
