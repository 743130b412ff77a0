"""What a server can really do, learned by asking it.

One small object under `probe/` is written only if absent. It stays, so that every later question is one request that is
refused and leaves nothing behind. A server that takes the write twice ignores conditions. Swift honours them one after
the other and not at the same moment (two of eight racing writers won), and its answers carry OpenStack's marks.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import ClientError

from pgtend.vault.model import Checksum, VaultAbilities
from pgtend.vault.s3_bucket import Bucket
from pgtend.vault.s3_errors import EXISTS, Asked
from pgtend.vault.s3_multipart import checksums_of

PROBE_KEY = "probe/conditional-writes"
_CONTENT = b"pgtend asks here whether this server refuses to write an object twice.\n"
_OPENSTACK = ("x-openstack-request-id", "x-trans-id")
_NO_CONDITIONS = "NotImplemented"


def learn(bucket: Bucket) -> VaultAbilities:
    """Ask a server what it does with a second write of a key."""
    code, headers = _write(bucket)
    if not code:
        code, headers = _write(bucket)
    is_swift = any(name in headers for name in _OPENSTACK)
    refuses = code in EXISTS
    return VaultAbilities(
        refuses_existing=refuses,
        one_winner=refuses and not is_swift,
        software="Swift" if is_swift else headers.get("server", "unknown software"),
    )


def _write(bucket: Bucket) -> tuple[str, Mapping[str, str]]:
    """Write the probe if it is absent; give the code of a refusal, and the marks of who answered."""

    def ask() -> tuple[str, Mapping[str, str]]:
        try:
            answer = bucket.client.put_object(
                Bucket=bucket.place.bucket,
                Key=bucket.place.full_key(PROBE_KEY),
                Body=_CONTENT,
                IfNoneMatch="*",
                ContentMD5=checksums_of(_CONTENT, Checksum.WHEN_REQUIRED)["ContentMD5"],
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in {*EXISTS, _NO_CONDITIONS}:
                raise
            return code, error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return "", answer["ResponseMetadata"]["HTTPHeaders"]

    return bucket.call(Asked("s3:PutObject", PROBE_KEY), ask)
