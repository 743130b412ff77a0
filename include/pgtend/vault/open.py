"""From the fleet file's words to a vault. What a vault needs is imported only when one is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pgtend.fleet import vaults
from pgtend.vault.errors import CredentialsRefused
from pgtend.vault.model import Checksum, Encryption, FolderPlace, LockMode, ObjectLock, Patience, S3Place, Vault

if TYPE_CHECKING:
    import boto3

    Sessions: TypeAlias = Callable[[str], boto3.Session]

_DEFAULT_FOLDER: str = vaults.FolderVault().path


def open_vault(settings: vaults.VaultSettings, sessions: Sessions, *, patience: Patience | None = None) -> Vault:
    """Open the vault that the fleet file describes. Nothing is asked of it yet."""
    if settings.s3 is not None:
        from pgtend.vault.s3 import S3Vault  # noqa: PLC0415 - boto3 takes half a second and folders need none of it

        place = s3_place(settings.s3)
        place = replace(place, patience=patience) if patience else place
        return S3Vault(place, sessions(settings.s3.connection or ""))
    from pgtend.vault.folder import FolderVault  # noqa: PLC0415 - same reason the other way round

    return FolderVault(folder_place(settings.folder or vaults.FolderVault()))


def may_delete(settings: vaults.VaultSettings) -> vaults.VaultSettings:
    """Describe the same vault with the credentials that may delete."""
    if settings.s3 is None or not settings.s3.expiry_connection:
        return settings
    return settings.model_copy(
        update={"s3": settings.s3.model_copy(update={"connection": settings.s3.expiry_connection})}
    )


def aws_profiles(connection: str) -> boto3.Session:
    """Find credentials outside Airflow: a profile of the AWS configuration, or the machine's own identity."""
    import boto3  # noqa: PLC0415 - only who speaks to S3 pays for it
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415 - same

    try:
        return boto3.Session(profile_name=connection or None)
    except ProfileNotFound as error:
        raise CredentialsRefused(
            f"there is no AWS profile '{connection}'",
            detail="A vault's connection is a profile of ~/.aws/config when Airflow is not there to know it.",
            hint=f"Make it: aws configure --profile {connection}",
        ) from error


def s3_place(settings: vaults.S3Vault) -> S3Place:
    """Say in the vault's words what the fleet file says about a bucket."""
    encryption = (
        None
        if settings.encryption is vaults.Encryption.NONE
        else Encryption(algorithm=settings.encryption.value, kms_key=settings.kms_key or "")
    )
    lock = settings.object_lock
    return S3Place(
        bucket=settings.bucket,
        prefix=settings.prefix.strip("/"),
        endpoint=settings.endpoint or "",
        region=settings.region or "",
        path_style=settings.path_style,
        bucket_owner=settings.bucket_owner or "",
        encryption=encryption,
        object_lock=ObjectLock(mode=LockMode(lock.mode.upper()), keep=lock.keep) if lock else None,
        checksum=Checksum(settings.checksum.value),
    )


def folder_place(settings: vaults.FolderVault) -> FolderPlace:
    """Only the default folder is made by itself: any other may be a disk that is not mounted."""
    return FolderPlace(path=Path(settings.path), may_create=settings.path == _DEFAULT_FOLDER)
