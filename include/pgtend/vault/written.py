"""A vault written in one line, for the day on which there is no fleet file: `s3://bucket/prefix`, or a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pgtend.fleet.vaults import FolderVault, S3Vault, VaultSettings
from pgtend.kernel.errors import Misconfigured


class BadVaultAddress(Misconfigured):
    """A vault is written in a way we do not know."""

    code = "vault.bad_address"


def vault_written(address: str, environment: Mapping[str, str] | None = None) -> VaultSettings:
    """Read where a vault is. What else S3 needs comes from where every AWS tool takes it: `AWS_ENDPOINT_URL` and so on.

    A server at an address of its own is asked by path: a bucket's name in front of the host is what Amazon does.
    """
    known = os.environ if environment is None else environment
    try:
        parts = urlsplit(address)
        if parts.scheme == "s3":
            endpoint = known.get("AWS_ENDPOINT_URL_S3") or known.get("AWS_ENDPOINT_URL")
            bucket = S3Vault(
                bucket=parts.netloc,
                prefix=parts.path.strip("/"),
                endpoint=endpoint or None,
                region=known.get("AWS_REGION") or known.get("AWS_DEFAULT_REGION") or None,
                path_style=bool(endpoint),
                connection=known.get("AWS_PROFILE") or None,
            )
            return VaultSettings(s3=bucket)
        if address and not parts.scheme:
            return VaultSettings(folder=FolderVault(path=str(Path(address).expanduser().absolute())))
    except (ValueError, RuntimeError) as error:
        # Also half an IPv6 address, and the home of a user that nobody knows.
        raise _unreadable(address) from error
    raise _unreadable(address)


def _unreadable(address: str) -> BadVaultAddress:
    return BadVaultAddress(
        f"'{address[:200]}' is no address of a vault", hint="Write s3://bucket/prefix, or the path of a folder."
    )
