"""Object Lock, held fast: what a server did not lock on its own is locked before anybody relies on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from pgtend.kernel.times import utc_now
from pgtend.vault.model import StoredObject
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import Asked
from pgtend.vault.s3_look import Look, look

_ROUNDING = timedelta(seconds=1)
"""S3 keeps whole seconds."""


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


def lock_until(bucket: Bucket, stored: StoredObject, until: datetime) -> bool:
    """Make the retention of one object longer than the bucket's usual one, and see that it is."""
    lock = bucket.place.object_lock
    if lock is None:
        return False
    seen = look(bucket, stored.key, stored.version)
    if not _reaches(seen, until):
        place = bucket.place
        bucket.call(
            Asked("s3:PutObjectRetention", stored.key),
            lambda: bucket.client.put_object_retention(
                Bucket=place.bucket,
                Key=place.full_key(stored.key),
                VersionId=seen.stored.version,
                Retention={"Mode": lock.mode.value, "RetainUntilDate": until},
            ),
        )
        seen = look(bucket, stored.key, seen.stored.version)
    return _reaches(seen, until)


def _reaches(seen: Look, until: datetime) -> bool:
    return seen.locked_until is not None and seen.locked_until >= until - _ROUNDING
