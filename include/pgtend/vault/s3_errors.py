"""What S3 and the network say, said once in the words of a vault.

Only codes are repeated, never S3's own sentences: they hold access keys, and what was signed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from pgtend.kernel.errors import PgtendError
from pgtend.vault.errors import (
    BucketMissing,
    ClockSkewed,
    CredentialsRefused,
    ObjectMissing,
    UploadVanished,
    VaultFull,
    VaultRefused,
    VaultThrottled,
    VaultUnreachable,
)
from pgtend.vault.model import S3Place
from pgtend.vault.streams import damaged, exists

S3_TROUBLE = (BotoCoreError, ClientError)

_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, UnauthorizedSSOTokenError)
_NETWORK = (HTTPClientError, BotoConnectionError, IncompleteReadError)
_UNKNOWN_WRITER = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "InvalidToken",
    "TokenRefreshRequired", "AuthFailure", "InvalidClientTokenId",
}  # fmt: skip
_THROTTLED = {
    "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "OperationAborted", "ConditionalRequestConflict", "503", "429",
}  # fmt: skip
_LOST = {"RequestTimeout", "InternalError", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch"}
_FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "507"}
_MISSING = {"NoSuchKey", "NoSuchVersion", "NotFound", "404"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403"}
EXISTS = {"PreconditionFailed", "412"}
_ON_THE_BUCKET = {"s3:ListBucket", "s3:ListBucketMultipartUploads"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of S3: the right it needs, and for which key."""

    action: str
    key: str = ""


def translate(error: Exception, place: S3Place, asked: Asked) -> PgtendError:
    """Say what went wrong in the words of a vault."""
    if isinstance(error, ClientError):
        return _translate_answer(error, place, asked)
    if isinstance(error, _CREDENTIALS):
        return CredentialsRefused(
            f"no credentials for {place}",
            detail=f"{type(error).__name__}.",
            hint="Set the connection's access key and secret: pgtend doctor says what is missing.",
        )
    if isinstance(error, SSLError):
        return VaultRefused(
            f"{place} cannot prove who it is",
            detail="Its TLS certificate was not accepted.",
            hint="Give AWS_CA_BUNDLE the certificate of its authority; never switch the check off.",
        )
    if isinstance(error, FlexibleChecksumError):
        return damaged(asked.key, "Its checksum differs from the one S3 keeps.")
    said = f"{asked.action} ended in {type(error).__name__}."
    return _unreachable(place, asked, said) if isinstance(error, _NETWORK) else _not_taken(place, asked, said)


def _translate_answer(error: ClientError, place: S3Place, asked: Asked) -> PgtendError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{asked.action} was answered {status} {code}."
    about_object = _about_object(code, place, asked, said)
    return about_object or _about_us(code, place, asked, said) or _about_server(code, status, place, asked, said)


def _about_object(code: str, place: S3Place, asked: Asked, said: str) -> PgtendError | None:
    if code == "InvalidRange":
        return damaged(asked.key, "It ends before the bytes asked for.")
    if code in EXISTS and asked.action == "s3:GetObject":
        return damaged(asked.key, "It became another object while it was read.")
    if code in EXISTS:
        return exists(asked.key, str(place))
    if code in _MISSING:
        return ObjectMissing(f"there is no '{asked.key}' in {place}", detail=said, hint="List it: pgtend vault list.")
    if code == "NoSuchUpload":
        return UploadVanished(
            f"{place} forgot the upload of '{asked.key}'", detail=said, hint="Wait; the next run stores it anew."
        )
    return None


def _about_us(code: str, place: S3Place, asked: Asked, said: str) -> PgtendError | None:
    if code in _UNKNOWN_WRITER:
        return CredentialsRefused(
            f"{place} does not accept our credentials",
            detail=said,
            hint="Renew the access key and secret of the connection, then: pgtend doctor.",
        )
    if code == "RequestTimeTooSkewed":
        return ClockSkewed(
            f"this machine's clock is too far from the one of {place}", detail=said, hint="Set the clock: timedatectl."
        )
    if code == "NoSuchBucket":
        return BucketMissing(
            f"there is no bucket '{place.bucket}'", detail=said, hint="Make it first: docs/runbooks/vault-bucket.md."
        )
    return refused(place, asked, said) if code in _DENIED else None


def _about_server(code: str, status: int, place: S3Place, asked: Asked, said: str) -> PgtendError:
    if code in _FULL:
        return VaultFull(f"no room left in {place}", detail=said, hint="Make room: docs/runbooks/vault-full.md.")
    if code in _THROTTLED:
        return VaultThrottled(f"{place} asks us to come back later", detail=said, hint="Wait; retries follow.")
    is_down = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    if code in _LOST or is_down:
        return _unreachable(place, asked, said)
    return _not_taken(place, asked, said)


def _not_taken(place: S3Place, asked: Asked, said: str) -> VaultRefused:
    return VaultRefused(
        f"{place} does not take {asked.action}",
        detail=said,
        hint="Compare the vault's settings with what the bucket allows: pgtend doctor.",
    )


def refused(place: S3Place, asked: Asked, said: str) -> VaultRefused:
    """Say which right is missing, and the statement that grants it."""
    bucket = f"arn:aws:s3:::{place.bucket}"
    on = bucket if asked.action in _ON_THE_BUCKET else f"{bucket}/{place.full_key('*')}"
    statement = json.dumps({"Effect": "Allow", "Action": asked.action, "Resource": on})
    return VaultRefused(
        f"{place} does not allow {asked.action}", detail=said, hint=f"Add to the writer's policy: {statement}"
    )


def _unreachable(place: S3Place, asked: Asked, said: str) -> VaultUnreachable:
    return VaultUnreachable(
        f"{place} did not answer {asked.action}",
        detail=said,
        hint="Look whether the endpoint is up and reachable from here: docs/runbooks/vault-unreachable.md.",
    )
