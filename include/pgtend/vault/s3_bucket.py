"""Speaking to one bucket: what the settings add to every request, bounded patience, and errors said once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from botocore.config import Config

from pgtend.kernel.errors import Outage, PgtendError
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import VaultThrottled, VaultUnreachable
from pgtend.vault.model import S3Place
from pgtend.vault.s3_errors import S3_TROUBLE, Asked, translate

if TYPE_CHECKING:
    import boto3
    from botocore.model import OperationModel
    from types_boto3_s3 import S3Client

Answer = TypeVar("Answer")
_LONGEST_PAUSE = timedelta(seconds=20)
_CREATES = ("PutObject", "CreateMultipartUpload")


class Bucket:
    """A client that knows its place. Threads may share it."""

    def __init__(self, session: boto3.Session, place: S3Place) -> None:
        self.place = place
        # The stubs know S3 and IAM only; the other four hundred services make the method "partially unknown".
        self.client: S3Client = session.client(  # pyright: ignore[reportUnknownMemberType]
            "s3",
            endpoint_url=place.endpoint or None,
            region_name=place.region or session.region_name or "us-east-1",
            config=_config(place),
        )
        self.client.meta.events.register("provide-client-params.s3", self._add_settings)

    def call(
        self,
        asked: Asked,
        work: Callable[[], Answer],
        settle: Callable[[PgtendError], Answer] | None = None,
        *,
        attempts: int | None = None,
    ) -> Answer:
        """Ask until there is an answer, patience ends or trying again cannot help.

        When an attempt may have worked although its answer was lost, `settle` finds out, or raises.
        """
        patience = self.place.patience
        give_up_at = time.monotonic() + patience.total.total_seconds()
        most = attempts or patience.attempts
        in_doubt = False
        for attempt in count(1):
            try:
                return work()
            except S3_TROUBLE as error:
                trouble = translate(error, self.place, asked)
                in_doubt = in_doubt or isinstance(trouble, Outage)
                pause = _pause(attempt, patience.first_pause)
                is_last = attempt == most or time.monotonic() + pause > give_up_at
                if is_last or not isinstance(trouble, VaultUnreachable | VaultThrottled):
                    trouble.detail += f" Asked {attempt} times." if attempt > 1 else ""
                    if settle is not None and in_doubt:
                        return settle(trouble)
                    raise trouble from error
            time.sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections that are kept open."""
        self.client.close()

    def _add_settings(self, params: MutableMapping[str, object], model: OperationModel, **_: object) -> None:
        """Add what the settings demand of every request, in one place, so that no call can forget it."""
        known = model.input_shape.members if model.input_shape else {}
        if self.place.bucket_owner and "ExpectedBucketOwner" in known:
            params["ExpectedBucketOwner"] = self.place.bucket_owner
        if model.name in _CREATES:
            params.update(_protection(self.place))


def _protection(place: S3Place) -> dict[str, object]:
    added: dict[str, object] = {}
    if place.encryption:
        added["ServerSideEncryption"] = place.encryption.algorithm
        if place.encryption.kms_key:
            added["SSEKMSKeyId"] = place.encryption.kms_key
    if place.object_lock:
        added["ObjectLockMode"] = place.object_lock.mode.value
        added["ObjectLockRetainUntilDate"] = utc_now() + place.object_lock.keep
        if place.object_lock.legal_hold:
            added["ObjectLockLegalHoldStatus"] = "ON"
    return added


def _config(place: S3Place) -> Config:
    return Config(
        connect_timeout=place.patience.connect.total_seconds(),
        read_timeout=place.patience.answer.total_seconds(),
        # One attempt: botocore counts attempts but knows no deadline, so the patience is ours.
        retries={"mode": "standard", "total_max_attempts": 1},
        s3={"addressing_style": "path" if place.path_style else "auto"},
        # Each part brings its own checksum, computed once: botocore is not to add another of its choice.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="pgtend",
        max_pool_connections=16,
    )


def _pause(attempt: int, first: timedelta) -> float:
    """Wait longer each time, and never in step with others who wait for the same bucket."""
    longest = min(first * 2 ** (attempt - 1), _LONGEST_PAUSE).total_seconds()
    return longest * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret
