"""Where copies and evidence live: an S3 bucket or a folder."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from pgtend.fleet.settings import Settings, Span, Switch, Text, refusal


class Encryption(StrEnum):
    """How the S3 server encrypts what it stores."""

    NONE = "none"
    AES256 = "AES256"
    KMS = "aws:kms"


class Checksum(StrEnum):
    """Which checksum travels with an upload, for the S3 server to compare."""

    SHA256 = "sha256"
    CRC32 = "crc32"
    WHEN_REQUIRED = "when_required"


class LockMode(StrEnum):
    """Who may shorten the time an object is locked for."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class ObjectLock(Settings):
    """How long the S3 server refuses to delete what was stored."""

    mode: LockMode = Field(
        default=LockMode.GOVERNANCE,
        description="`governance`: people with a special right may delete earlier. `compliance`: nobody may.",
    )
    keep: Span = Field(description="How long an object cannot be deleted or replaced, counted from its upload.")


class FolderVault(Settings):
    """A folder on this machine or on a mounted file system."""

    path: Text = Field(
        default="~/.local/share/pgtend/vault", description="The folder. `~` is the home of the user who runs pgtend."
    )


class S3Vault(Settings):
    """A bucket on Amazon S3 or on any server that speaks its protocol."""

    bucket: Annotated[Text, Field(min_length=3, max_length=63)] = Field(description="Name of the bucket.")
    prefix: Annotated[str, Field(strict=True, pattern=r"^$|^[A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]*$")] = Field(
        default="", description="Put in front of every key, so that several fleets can share a bucket."
    )
    connection: Text | None = Field(
        default=None,
        description=(
            "Airflow connection of type `aws`, or outside Airflow a profile of the AWS configuration, that holds the "
            "credentials. Default: the machine's own identity."
        ),
    )
    expiry_connection: Text | None = Field(
        default=None,
        description=(
            "Connection whose credentials may delete, for retention alone; those that write backups then need no such "
            "right. Default: the vault's connection."
        ),
    )
    endpoint: Annotated[str, Field(strict=True, pattern=r"^https?://[^\s/@]+/?$")] | None = Field(
        default=None, description="Address of the S3 server, such as `https://s3.example.org:9000`. Default: Amazon's."
    )
    region: Text | None = Field(default=None, description="Region of the bucket. Default: the connection's.")
    path_style: Switch = Field(
        default=False,
        description="Name the bucket in the path of the address, not in the host: most servers but Amazon's need it.",
    )
    encryption: Encryption = Field(
        default=Encryption.NONE,
        description="Ask the server to encrypt with its own key (`AES256`) or with one from KMS (`aws:kms`).",
    )
    kms_key: Text | None = Field(default=None, description="Id or ARN of the key for `encryption: aws:kms`.")
    bucket_owner: Annotated[str, Field(strict=True, pattern=r"^\d{12}$")] | None = Field(
        default=None,
        description=(
            "AWS account that must own the bucket, 12 digits in quotes. A bucket of the same name in another account "
            "is refused."
        ),
    )
    object_lock: ObjectLock | None = Field(
        default=None, description="Lock every stored object against deletion. The bucket must have Object Lock enabled."
    )
    checksum: Checksum = Field(
        default=Checksum.SHA256,
        description=(
            "Checksum sent along with uploads. `when_required` is for servers that do not understand the newer ones; "
            "what was stored is read back and compared in any case."
        ),
    )

    @model_validator(mode="after")
    def _key_and_encryption_agree(self) -> Self:
        if self.kms_key is not None and self.encryption is not Encryption.KMS:
            raise refusal("kms_key has no effect without encryption: aws:kms", "add that line or remove kms_key")
        return self


class VaultSettings(Settings):
    """One place where copies and evidence live: a folder or a bucket."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    folder: FolderVault | None = Field(default=None, description="Keep everything in a folder.")
    s3: S3Vault | None = Field(default=None, description="Keep everything in an S3 bucket.")

    @model_validator(mode="after")
    def _is_exactly_one_kind(self) -> Self:
        if (self.folder is None) == (self.s3 is None):
            raise refusal(
                "a vault is either a folder or an S3 bucket" + (", and this is both" if self.folder else ""),
                "write one of 'folder:' and 's3:' below the vault's name",
            )
        return self
