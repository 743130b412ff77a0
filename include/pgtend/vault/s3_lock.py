"""Object Lock, held fast: what a server did not lock on its own is locked before anybody relies on it."""

from __future__ import annotations

from pgtend.kernel.times import utc_now
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked
from pgtend.vault.s3_look import Look


def hold_fast(bucket: Bucket, seen: Look) -> None:
    """Lock an object that does not show the lock it was stored with.

    Some servers ignore the lock of an upload in parts, and S3 hides a lock from those who may not see it. Asking again
    does no harm: a retention can always be made longer.
    """
    lock = bucket.place.object_lock
    if lock is None:
        return
    place, key, version = bucket.place, seen.stored.key, seen.stored.version
    if seen.locked_until is None:
        bucket.call(
            Asked("s3:PutObjectRetention", key),
            lambda: bucket.client.put_object_retention(
                Bucket=place.bucket,
                Key=place.full_key(key),
                VersionId=version,
                Retention={"Mode": lock.mode.value, "RetainUntilDate": utc_now() + lock.keep},
            ),
        )
    if lock.legal_hold and not seen.is_held:
        bucket.call(
            Asked("s3:PutObjectLegalHold", key),
            lambda: bucket.client.put_object_legal_hold(
                Bucket=place.bucket, Key=place.full_key(key), VersionId=version, LegalHold={"Status": "ON"}
            ),
        )
