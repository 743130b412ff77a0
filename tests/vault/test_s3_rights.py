"""Who may do what: users with real signatures and policies, and what a refusal tells them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bed.faulty_s3 import Act, Fault, faulty_s3
from bed.ministack_site import AccessKey
from bed.s3_servers import LOCKED_BUCKET, WRITE_ONLY, S3Site
from bed.streams import Recipe
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import BucketMissing, CredentialsRefused, ObjectLocked, StoreUncertain, VaultRefused
from pgtend.vault.model import Checksum, Confirmation, LockMode, ObjectLock
from pgtend.vault.parts import MIB
from pgtend.vault.probe import Standing, probe
from pgtend.vault.s3 import S3Vault

CANARY = "canary-5ecret-do-not-print"


def test_a_writer_that_may_only_write_can_write(ministack: S3Site) -> None:
    """Least privilege is enough for a put, small or large, and the result says that it was only acknowledged."""
    with ministack.as_user(WRITE_ONLY).vault() as writer, ministack.vault() as owner:
        small, big = writer.put("kgc/small", io.BytesIO(b"x")), writer.put("kgc/big", Recipe(12 * MIB))
        assert small.confirmed is big.confirmed is Confirmation.ACKNOWLEDGED
        assert owner.head("kgc/big").size == big.size == 12 * MIB


@pytest.mark.parametrize(
    ("action", "attempt"),
    [
        ("s3:GetObject", lambda vault: vault.head("kgc/x")),
        ("s3:GetObject", lambda vault: vault.read_range("kgc/x", 0, 1)),
        ("s3:ListBucket", lambda vault: vault.objects("kgc/")),
        ("s3:ListBucketMultipartUploads", lambda vault: vault.unfinished()),
        ("s3:DeleteObjectVersion", lambda vault: vault.delete("kgc/x", version="v1")),
    ],
)
def test_a_missing_right_is_named_with_the_statement_that_grants_it(
    ministack: S3Site, action: str, attempt: Callable[[S3Vault], object]
) -> None:
    """The hint holds a policy statement that can be pasted."""
    with ministack.as_user(WRITE_ONLY).vault() as writer, pytest.raises(VaultRefused) as caught:
        attempt(writer)
    right = "s3:GetObject" if action == "s3:DeleteObjectVersion" and "GetObject" in caught.value.message else action
    statement = json.loads(caught.value.hint.partition(": ")[2])
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == right
    on_bucket = right in {"s3:ListBucket", "s3:ListBucketMultipartUploads"}
    assert statement["Resource"] == f"arn:aws:s3:::copies{'' if on_bucket else f'/{ministack.prefix}/*'}"


def test_the_probe_of_a_write_only_user_is_fine(ministack: S3Site) -> None:
    """That a writer may not read, list or delete is as it should be, and is said."""
    with ministack.as_user(WRITE_ONLY).vault() as writer:
        report = probe(writer)
    assert report.is_usable
    assert {finding.what for finding in report.findings if finding.standing is Standing.REFUSED} == {
        "read back",
        "list",
        "delete",
    }


def test_a_lost_answer_that_nobody_may_look_into_is_uncertain(ministack: S3Site) -> None:
    """A writer that may not look cannot know whether its object is there, and says so instead of guessing."""
    with faulty_s3(ministack.endpoint) as door, ministack.as_user(WRITE_ONLY).through(door.endpoint).vault() as writer:
        assert writer.abilities.refuses_existing
        door.faults = [Fault(Act.LOSE_ANSWER, "PUT", "kgc/one")]
        with pytest.raises(StoreUncertain, match="nobody can say"):
            writer.put("kgc/one", io.BytesIO(b"x"))


@pytest.mark.parametrize("known", [True, False])
def test_wrong_credentials_are_refused_and_never_printed(ministack: S3Site, known: bool) -> None:  # noqa: FBT001 - two rows of one table
    """A wrong secret and an unknown key end in the same error, which repeats neither, nor any content."""
    key = AccessKey(ministack.key.key_id if known else "AKIACANARYCANARY", CANARY)
    with replace(ministack, key=key).vault() as vault, pytest.raises(CredentialsRefused) as caught:
        vault.put("kgc/x", io.BytesIO(CANARY.encode()))
    said = f"{caught.value}{caught.value!r}{caught.value.__notes__ if hasattr(caught.value, '__notes__') else ''}"
    assert CANARY not in said
    assert key.key_id not in said
    assert "pgtend doctor" in caught.value.hint


def test_a_session_without_credentials_says_so(ministack: S3Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials anywhere is an error of the settings and not of the network."""
    import boto3  # noqa: PLC0415 - only this test makes a session of its own

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with S3Vault(ministack.place, boto3.Session()) as vault, pytest.raises(CredentialsRefused, match="no credentials"):
        vault.put("kgc/x", io.BytesIO(b"x"))


def test_a_missing_bucket_is_named(ministack: S3Site) -> None:
    """A bucket that is not there is an error of the settings."""
    with ministack.vault(replace(ministack.place, bucket="no-such-bucket")) as vault:
        with pytest.raises(BucketMissing, match="there is no bucket 'no-such-bucket'"):
            vault.put("kgc/x", io.BytesIO(b"x"))
        with pytest.raises(BucketMissing):
            vault.objects()


@pytest.mark.parametrize("mode", list(LockMode))
def test_a_locked_object_cannot_be_removed(ministack: S3Site, mode: LockMode) -> None:
    """Retention protects every object from the moment it is stored, from us and from the server's side."""
    lock = ObjectLock(mode=mode, keep=timedelta(hours=1))
    place = replace(ministack.place, bucket=LOCKED_BUCKET, object_lock=lock)
    with ministack.vault(place) as vault:
        small, big = vault.put("kgc/small", io.BytesIO(b"x")), vault.put("kgc/big", Recipe(12 * MIB))
        for stored in (small, big):
            with pytest.raises(ObjectLocked, match="is locked"):
                vault.delete(stored.key)
            with pytest.raises(ObjectLocked):
                vault.delete(stored.key, version=stored.version)
            assert vault.head(stored.key).size == stored.size


@pytest.mark.parametrize("mode", list(LockMode))
def test_one_object_can_be_guarded_for_longer_than_the_others(ministack: S3Site, mode: LockMode) -> None:
    """A receipt stays for six years where a backup stays for weeks; asking again for less shortens nothing."""
    lock = ObjectLock(mode=mode, keep=timedelta(hours=1))
    place = replace(ministack.place, bucket=LOCKED_BUCKET, object_lock=lock)
    until = utc_now() + timedelta(days=2192)
    with ministack.vault(place) as vault, ministack.raw() as client:
        stored = vault.put_if_absent(f"receipts/{mode.value.lower()}", b"x")
        assert vault.protect(stored, until)
        assert vault.protect(stored, utc_now())
        seen = client.head_object(Bucket=LOCKED_BUCKET, Key=place.full_key(stored.key))
        assert abs(seen["ObjectLockRetainUntilDate"] - until) < timedelta(seconds=2)
        assert seen["ObjectLockMode"] == mode.value


def test_a_bucket_without_a_lock_guards_nothing_and_says_so(ministack: S3Site) -> None:
    """Doubt is never green."""
    with ministack.vault(ministack.place) as vault:
        assert vault.protect(vault.put("receipts/plain", io.BytesIO(b"x")), utc_now() + timedelta(days=1)) is False


def test_a_legal_hold_protects_until_it_is_lifted(ministack: S3Site) -> None:
    """A hold has no end of its own."""
    lock = ObjectLock(mode=LockMode.GOVERNANCE, keep=timedelta(seconds=1), legal_hold=True)
    place = replace(ministack.place, bucket=LOCKED_BUCKET, object_lock=lock)
    with ministack.vault(place) as vault, ministack.raw() as client:
        vault.put("kgc/held", io.BytesIO(b"x"))
        seen = client.head_object(Bucket=LOCKED_BUCKET, Key=place.full_key("kgc/held"))
        assert seen["ObjectLockLegalHoldStatus"] == "ON"
        with pytest.raises(ObjectLocked):
            vault.delete("kgc/held")


@pytest.mark.parametrize("checksum", list(Checksum))
@pytest.mark.parametrize("kind", ["ministack", "swift"])
def test_every_checksum_mode_stores_and_reads(kind: str, checksum: Checksum, request: pytest.FixtureRequest) -> None:
    """All three modes work on both servers, small and in parts."""
    site: S3Site = request.getfixturevalue(kind)
    with site.vault(replace(site.place, checksum=checksum)) as vault:
        for key, size in (("kgc/small", 100), ("kgc/big", 12 * MIB)):
            stored = vault.put(key, Recipe(size))
            with vault.open(key, sha256=stored.sha256) as stream:
                assert len(stream.read()) == size


def test_the_bucket_s_owner_is_sent_with_every_request(ministack: S3Site) -> None:
    """A bucket of the same name in another account must be refused, whatever the request."""
    seen: list[str] = []
    with ministack.vault(replace(ministack.place, bucket_owner="000000000000")) as vault:
        vault._bucket.client.meta.events.register(
            "before-call.s3", lambda params, **_: seen.append(params["headers"].get("x-amz-expected-bucket-owner", ""))
        )
        vault.put("kgc/big", Recipe(12 * MIB))
        vault.objects()
        vault.unfinished()
        vault.read_range("kgc/big", 0, 1)
        vault.delete("kgc/big")
    assert len(seen) >= 11
    assert set(seen) == {"000000000000"}
