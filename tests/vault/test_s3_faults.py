"""What happens when the server, or the line to it, fails half-way: MiniStack behind a door that fails on demand."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta

import pytest

from bed.faulty_network import faulty_network
from bed.faulty_s3 import Act, Fault, FaultyS3, error_body, faulty_s3
from bed.s3_servers import S3Site
from bed.streams import Recipe, everything
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.vault.errors import (
    ClockSkewed,
    CredentialsRefused,
    NotEncrypted,
    ObjectDamaged,
    ObjectExists,
    UploadVanished,
    VaultFull,
    VaultRefused,
    VaultThrottled,
    VaultUnreachable,
)
from pgtend.vault.model import Encryption
from pgtend.vault.parts import MIB
from pgtend.vault.s3 import S3Vault

BIG = 12 * MIB + 17


@pytest.fixture
def door(ministack: S3Site) -> Generator[FaultyS3]:
    """Stand between the vault and MiniStack."""
    with faulty_s3(ministack.endpoint) as site:
        yield site


@pytest.fixture
def vault(ministack: S3Site, door: FaultyS3) -> Generator[S3Vault]:
    """Give a vault behind the door, which has learned what the server can do before anything fails."""
    with ministack.through(door.endpoint).vault() as opened:
        assert opened.abilities.one_winner
        yield opened


def assert_nothing_there(vault: S3Vault) -> None:
    """No object, and nothing unfinished."""
    assert [stored.key for stored in vault.objects("kgc/")] == []
    assert vault.unfinished() == ()


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests")])
def test_a_part_refused_for_a_moment_is_sent_again(vault: S3Vault, door: FaultyS3, status: int, code: str) -> None:
    """A busy server costs a retry and nothing else."""
    door.faults = [Fault(Act.ANSWER, "PUT", "partNumber=2", times=2, status=status, body=error_body(code))]
    vault.put("kgc/big", Recipe(BIG))
    assert door.count("PUT", "partNumber=2") == 3
    with vault.open("kgc/big") as stream:
        assert stream.read() == everything(Recipe(BIG))


@pytest.mark.parametrize(
    ("answer", "expected", "attempts"),
    [
        ("503 SlowDown", VaultThrottled, 4),
        ("500 InternalError", VaultUnreachable, 4),
        ("403 RequestTimeTooSkewed", ClockSkewed, 1),
        ("501 NotImplemented", VaultRefused, 1),
        ("400 ExpiredToken", CredentialsRefused, 1),
        ("507 InsufficientStorage", VaultFull, 1),
        ("404 NoSuchUpload", UploadVanished, 1),
    ],
)
def test_a_part_refused_for_good_ends_the_put(
    vault: S3Vault, door: FaultyS3, answer: str, expected: type[PgtendError], attempts: int
) -> None:
    """Each answer becomes an error of the right family after the right number of attempts, and nothing is left."""
    status, code = answer.split()
    door.faults = [Fault(Act.ANSWER, "PUT", "partNumber=2", times=99, status=int(status), body=error_body(code))]
    with pytest.raises(expected) as caught:
        vault.put("kgc/big", Recipe(BIG))
    assert code in caught.value.detail
    assert caught.value.hint
    assert door.count("PUT", "partNumber=2") == attempts
    assert_nothing_there(vault)


def test_a_stalled_server_is_given_up(ministack: S3Site, door: FaultyS3) -> None:
    """A server that takes a request and never answers costs the time that was allowed, and not for ever."""
    place = ministack.through(door.endpoint).place
    patience = replace(place.patience, answer=timedelta(seconds=0.5), attempts=2)
    with ministack.vault(replace(place, patience=patience)) as vault:
        assert vault.abilities.refuses_existing
        door.faults = [Fault(Act.STALL, "PUT", "kgc/small", times=99)]
        began = time.monotonic()
        with pytest.raises(VaultUnreachable, match="did not answer"):
            vault.put("kgc/small", io.BytesIO(b"x"))
        assert time.monotonic() - began < 10
        assert_nothing_there(vault)


@pytest.mark.parametrize(("size", "method", "mark"), [(100, "PUT", "kgc/one"), (BIG, "POST", "uploadId")])
def test_a_lost_answer_to_the_last_request_is_found_out(
    vault: S3Vault, door: FaultyS3, size: int, method: str, mark: str
) -> None:
    """The server had stored it and the answer never came: the object is recognised as ours and not stored twice."""
    door.faults = [Fault(Act.LOSE_ANSWER, method, mark)]
    stored = vault.put("kgc/one", Recipe(size))
    assert stored.size == size
    with vault.open("kgc/one") as stream:
        assert stream.read() == everything(Recipe(size))
    assert vault.unfinished() == ()


def test_a_taken_key_is_refused_before_much_is_sent(vault: S3Vault, door: FaultyS3) -> None:
    """A server may judge the condition after gigabytes only, and for objects in parts not at all."""
    first = vault.put("kgc/one", Recipe(BIG))
    sent = door.count("PUT", "partNumber")
    with pytest.raises(ObjectExists):
        vault.put("kgc/one", Recipe(BIG + 1))
    assert door.count("PUT", "partNumber") == sent
    assert vault.head("kgc/one").etag == first.etag


def test_remains_that_somebody_else_swept_are_gone(vault: S3Vault, door: FaultyS3, ministack: S3Site) -> None:
    """The nights of two databases end at the same time, and both tidy the same bucket."""
    with ministack.raw() as client:
        client.create_multipart_upload(Bucket=ministack.bucket, Key=ministack.place.full_key("kgc/one"))
    door.faults = [Fault(Act.ANSWER, "DELETE", "uploadId", status=404, body=error_body("NoSuchUpload"))]
    assert len(vault.sweep(timedelta(0))) == 1
    vault.sweep(timedelta(0))
    assert_nothing_there(vault)


def test_a_lost_answer_does_not_make_anothers_object_ours(vault: S3Vault, door: FaultyS3, ministack: S3Site) -> None:
    """Another writer was first and our request's first answer was lost: we lost, and the other's object stays."""
    with ministack.vault() as other:
        other.put("kgc/one", io.BytesIO(b"the other's"))
    door.faults = [Fault(Act.LOSE_ANSWER, "PUT", "kgc/one")]
    with pytest.raises(ObjectExists):
        vault.put("kgc/one", io.BytesIO(b"ours"))
    with vault.open("kgc/one") as stream:
        assert stream.read() == b"the other's"


def test_an_error_inside_a_successful_answer_is_no_success(vault: S3Vault, door: FaultyS3) -> None:
    """S3 may answer 200 and then say in the body that completing failed: tried again, then believed."""
    failing = Fault(Act.ANSWER, "POST", "uploadId", times=99, status=200, body=error_body("InternalError"))
    door.faults = [failing]
    with pytest.raises(VaultUnreachable):
        vault.put("kgc/big", Recipe(BIG))
    assert_nothing_there(vault)
    failing.times = 1
    assert vault.put("kgc/big", Recipe(BIG)).size == BIG


def test_a_size_that_differs_on_the_far_side_is_damage(vault: S3Vault, door: FaultyS3) -> None:
    """The vault said yes and shows another size: the object is taken away and the put fails."""
    door.faults = [Fault(Act.ALTER, "HEAD", "kgc/one", headers={"content-length": "7"})]
    with pytest.raises(ObjectDamaged) as caught:
        vault.put("kgc/one", io.BytesIO(b"eleven char"))
    assert caught.value.detail == "11 bytes were sent and the vault shows 7."
    assert_nothing_there(vault)


def test_a_checksum_that_differs_on_the_far_side_is_damage(vault: S3Vault, door: FaultyS3) -> None:
    """The vault said yes and keeps another checksum of the parts: the object is taken away and the put fails."""
    door.faults = [Fault(Act.ALTER, "HEAD", "kgc/big", skip=1, headers={"x-amz-checksum-sha256": "AAAA-3"})]
    with pytest.raises(ObjectDamaged):
        vault.put("kgc/big", Recipe(BIG))
    assert_nothing_there(vault)


def test_encryption_that_was_ignored_is_an_error(ministack: S3Site, door: FaultyS3) -> None:
    """A server that takes the object and not its encryption keeps nothing of it."""
    place = replace(ministack.through(door.endpoint).place, encryption=Encryption(algorithm="AES256"))
    with ministack.vault(place) as vault:
        assert vault.put("kgc/sealed", io.BytesIO(b"x")).size == 1
        door.faults = [Fault(Act.ALTER, "HEAD", "kgc/bare", headers={"x-amz-server-side-encryption": ""})]
        with pytest.raises(NotEncrypted, match="without AES256"):
            vault.put("kgc/bare", io.BytesIO(b"x"))
        assert [stored.key for stored in vault.objects("kgc/")] == ["kgc/sealed"]


def test_nobody_listening_is_an_outage(ministack: S3Site) -> None:
    """A refused connection is tried again and then said, with where to look."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = ministack.through(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with nobody.vault() as vault, pytest.raises(VaultUnreachable) as caught:
            vault.put("kgc/x", io.BytesIO(b"x"))
    assert "Asked 4 times." in caught.value.detail
    assert "vault-unreachable" in caught.value.hint


def test_a_line_cut_in_mid_part_costs_a_retry(ministack: S3Site) -> None:
    """A reset in the middle of a part is survived when the line comes back, and said when it does not."""
    with faulty_network(int(ministack.endpoint.rpartition(":")[2])) as network:
        site = ministack.through(f"http://127.0.0.1:{network.port}")
        with site.vault() as vault:
            assert vault.abilities.refuses_existing
            network.cut_direction, network.cut_after = "up", 3 * MIB
            with pytest.raises(Outage):
                vault.put("kgc/big", Recipe(BIG))
            network.cut_after = None
            assert_nothing_there(vault)
            assert vault.put("kgc/big", Recipe(BIG)).size == BIG


def test_a_download_goes_on_where_the_line_broke(ministack: S3Site) -> None:
    """Reading survives a line that breaks every five megabytes, and every byte is right."""
    with ministack.vault() as direct:
        direct.put("kgc/big", Recipe(BIG))
    with faulty_network(int(ministack.endpoint.rpartition(":")[2])) as network:
        site = ministack.through(f"http://127.0.0.1:{network.port}")
        with site.vault() as vault:
            network.cut_after = 5 * MIB
            with vault.open("kgc/big") as stream:
                content = b"".join(iter(lambda: stream.read(MIB), b""))
    assert content == everything(Recipe(BIG))
    assert network.connections >= 3


def test_a_download_that_never_moves_is_given_up(ministack: S3Site, door: FaultyS3) -> None:
    """A line that breaks again and again without progress ends in an outage."""
    with ministack.through(door.endpoint).vault() as vault:
        vault.put("kgc/big", Recipe(BIG))
        door.faults = [Fault(Act.LOSE_ANSWER, "GET", "kgc/big", times=99)]
        with vault.open("kgc/big") as stream, pytest.raises(VaultUnreachable):
            stream.read(MIB)
