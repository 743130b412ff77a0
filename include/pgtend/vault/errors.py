"""What can go wrong with a vault. Each error is born where a vault touches the outside world, and nowhere else."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, Refusal


class VaultUnreachable(Outage):
    """The vault did not answer, or its answer never arrived."""

    code = "vault.unreachable"


class VaultThrottled(Outage):
    """The vault asks us to come back later."""

    code = "vault.throttled"


class VaultFull(Outage):
    """There is no room left in the vault."""

    code = "vault.full"


class StoreUncertain(Outage):
    """The answer to a write was lost, and this writer may not look whether it happened."""

    code = "vault.store_uncertain"


class UploadVanished(Outage):
    """The vault forgot an upload that was under way, as a server does that was restarted."""

    code = "vault.upload_vanished"


class CredentialsRefused(Misconfigured):
    """The vault does not accept who we say we are."""

    code = "vault.credentials_refused"


class VaultRefused(Misconfigured):
    """The vault knows us and does not let us do this."""

    code = "vault.refused"


class BucketMissing(Misconfigured):
    """There is no such bucket."""

    code = "vault.bucket_missing"


class FolderMissing(Misconfigured):
    """The folder that should hold the copies is not there: often a disk that is not mounted."""

    code = "vault.folder_missing"


class ClockSkewed(Misconfigured):
    """This machine's clock is too far from the vault's for a signature to be believed."""

    code = "vault.clock_skewed"


class NotEncrypted(Misconfigured):
    """The vault took the object but not the encryption the settings ask for."""

    code = "vault.not_encrypted"


class BadKey(Refusal):
    """A key could point out of the vault or would not survive every kind of vault."""

    code = "vault.bad_key"


class ObjectExists(Refusal):
    """Keys are append-only, and this one is taken."""

    code = "vault.object_exists"


class ObjectLocked(Refusal):
    """The object is under retention or legal hold and cannot be removed yet."""

    code = "vault.object_locked"


class ObjectTooLarge(Refusal):
    """More bytes than one object may have."""

    code = "vault.object_too_large"


class NotAtomic(Refusal):
    """This vault lets two writers both believe that they were first."""

    code = "vault.not_atomic"


class ObjectMissing(BrokenEvidence):
    """The vault has no such object."""

    code = "vault.object_missing"


class ObjectDamaged(BrokenEvidence):
    """The object's bytes are not the bytes that were stored."""

    code = "vault.object_damaged"
