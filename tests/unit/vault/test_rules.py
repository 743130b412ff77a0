"""Keys, parts, seals and settings: what a vault decides without touching anything."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.fleet import vaults
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import BadKey, CredentialsRefused, FolderMissing, ObjectDamaged, ObjectTooLarge
from pgtend.vault.folder import FolderVault
from pgtend.vault.keys import checked_key, checked_prefix
from pgtend.vault.model import Checksum, Encryption, LockMode, ObjectLock, Unfinished, begun_before
from pgtend.vault.open import aws_profiles, folder_place, open_vault, s3_place
from pgtend.vault.parts import MIB, MOST_PARTS, STANDARD_PARTS, PartPlan
from pgtend.vault.streams import JudgedStream, PartsSeal, WholeSeal, checksum_of_parts, in_parts

TINY = PartPlan(((2, Bytes(4)), (3, Bytes(6))))
HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.mark.parametrize("key", ["a", "kgc/20261121T134500Z-9f2c1a7b/data-001.zst.age", "_x/y=1/z@2+3", "a" * 200])
def test_a_plain_key_passes_as_it_is(key: str) -> None:
    """Run ids, file names and partition names are keys."""
    assert checked_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", ".a", "-a", "a b", "a\n", "ä", "a" * 201]
)
def test_what_is_no_plain_name_is_no_key(key: str) -> None:
    """Whatever could mean something else to a file system, a shell or a server is refused."""
    with pytest.raises(BadKey):
        checked_key(key)


def test_a_key_must_leave_room_for_a_prefix() -> None:
    """Seven hundred characters and no more."""
    long = "/".join(["a" * 99] * 7)
    assert checked_key(long) == long
    with pytest.raises(BadKey, match="too long"):
        checked_key(long + "/bb")


@given(st.text(max_size=30))
def test_no_key_ever_leads_upwards(text: str) -> None:
    """Whatever passes stays below the root, by the file system's own reckoning."""
    try:
        checked_key(text)
    except BadKey:
        return
    root = Path("/vault")
    assert root in (root / text).parents


def test_a_prefix_is_whole_folders_or_nothing() -> None:
    """A prefix that could match half a name is refused."""
    assert (checked_prefix(""), checked_prefix("kgc/"), checked_prefix("a/b/")) == ("", "kgc/", "a/b/")
    for prefix in ("kgc", "/", "../", "a//"):
        with pytest.raises(BadKey):
            checked_prefix(prefix)


def test_the_standard_parts_hold_five_terabytes_in_the_parts_s3_allows() -> None:
    """S3's limits: ten thousand parts, each of 5 MB to 5 GB, and an object of 5 TB."""
    assert sum(count for count, _ in STANDARD_PARTS.runs) == MOST_PARTS == 10_000
    assert STANDARD_PARTS.largest_object >= 5 * 1024**4
    assert all(5 * MIB <= size <= 5 * 1024 * MIB for _, size in STANDARD_PARTS.runs)


@pytest.mark.parametrize(
    ("number", "memory"), [(1, 48 * MIB), (2000, 48 * MIB), (2001, 192 * MIB), (6000, 192 * MIB), (6001, 2560 * MIB)]
)
def test_memory_is_small_as_long_as_it_can_be(number: int, memory: int) -> None:
    """Three parts of 16 MB up to 31 GB, of 64 MB up to 281 GB, and two huge ones beyond."""
    assert STANDARD_PARTS.memory_at(number) == memory


def test_the_part_after_the_last_is_refused() -> None:
    """An object that no server can hold is refused with what to do."""
    assert [TINY.size_of(number) for number in range(1, 6)] == [4, 4, 6, 6, 6]
    with pytest.raises(ObjectTooLarge, match="26 bytes"):
        TINY.size_of(6)


def test_a_plan_is_read_back_from_an_object_s_marks() -> None:
    """What was written beside an object says how to judge it years later."""
    assert PartPlan.parse(str(STANDARD_PARTS)) == STANDARD_PARTS
    assert PartPlan.parse("") is None


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(0, [0]), (3, [3]), (4, [4]), (5, [4, 1]), (8, [4, 4]), (15, [4, 4, 6, 1]), (20, [4, 4, 6, 6])],
)
def test_a_stream_is_cut_by_plan(size: int, lengths: list[int]) -> None:
    """The first part always comes; no empty one follows."""
    assert [len(part) for part in in_parts(io.BytesIO(bytes(size)), TINY)] == lengths


@given(st.binary(max_size=25), st.integers(min_value=1, max_value=9))
def test_the_seal_of_parts_is_s3_s_own(content: bytes, helping: int) -> None:
    """However the bytes come, the seal is the digest of the digests of the parts."""
    digests = [hashlib.sha256(part).digest() for part in in_parts(io.BytesIO(content), TINY) if part]
    expected = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode() + f"-{len(digests)}"
    assert checksum_of_parts(digests) == expected
    seal = PartsSeal(expected, TINY)
    for start in range(0, len(content), helping):
        seal.update(content[start : start + helping])
    assert seal.is_whole()


@given(st.binary(min_size=1, max_size=20), st.data())
def test_one_flipped_bit_breaks_the_seal_of_parts(content: bytes, data: st.DataObject) -> None:
    """A seal that any change passes would be none."""
    digests = [hashlib.sha256(part).digest() for part in in_parts(io.BytesIO(content), TINY)]
    at = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    seal = PartsSeal(checksum_of_parts(digests), TINY)
    seal.update(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert not seal.is_whole()


@pytest.mark.parametrize(("content", "size"), [(b"hell", 5), (b"hello!", 5), (b"hellO", 5), (b"", 5), (b"x", 0)])
def test_a_stream_that_is_not_what_was_stored_never_ends_well(content: bytes, size: int) -> None:
    """Shorter, longer or other: the last read raises."""
    stream = JudgedStream(io.BytesIO(content), "kgc/x", Bytes(size), (WholeSeal(HELLO),))
    with pytest.raises(ObjectDamaged):
        stream.read()


def test_a_reader_that_knows_the_size_is_judged_too() -> None:
    """The verdict comes with the last byte, and not only when the end is asked for."""
    assert JudgedStream(io.BytesIO(b"hello"), "kgc/x", Bytes(5), (WholeSeal(HELLO),)).read(5) == b"hello"
    with pytest.raises(ObjectDamaged):
        JudgedStream(io.BytesIO(b"hellO"), "kgc/x", Bytes(5), (WholeSeal(HELLO),)).read(5)


def test_only_old_leftovers_are_swept() -> None:
    """What began a moment ago may still be alive."""
    old = Unfinished(key="a", started_at=utc_now() - timedelta(hours=25), token="1")
    young = Unfinished(key="b", started_at=utc_now() - timedelta(hours=23), token="2")
    assert begun_before((old, young), timedelta(hours=24)) == (old,)
    assert begun_before((old, young), timedelta(0)) == (old, young)


def test_the_fleet_file_s_words_become_a_place() -> None:
    """Every setting of a bucket arrives."""
    settings = vaults.VaultSettings.model_validate(
        {
            "s3": {
                "bucket": "copies",
                "prefix": "clinic/",
                "endpoint": "https://s3.example.org",
                "region": "eu-1",
                "path_style": True,
                "encryption": "aws:kms",
                "kms_key": "key-1",
                "bucket_owner": "123456789012",
                "object_lock": {"mode": "compliance", "keep": "30 days"},
                "checksum": "crc32",
            }
        }
    )
    assert settings.s3 is not None
    place = s3_place(settings.s3)
    assert (place.full_key("kgc/x"), place.own_key("clinic/kgc/x")) == ("clinic/kgc/x", "kgc/x")
    assert str(place) == "s3://copies/clinic"
    assert (place.endpoint, place.region, place.path_style) == ("https://s3.example.org", "eu-1", True)
    assert place.encryption == Encryption(algorithm="aws:kms", kms_key="key-1")
    assert place.object_lock == ObjectLock(mode=LockMode.COMPLIANCE, keep=timedelta(days=30))
    assert (place.bucket_owner, place.checksum) == ("123456789012", Checksum.CRC32)


def test_only_the_default_folder_is_made_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that somebody named may be a disk that is not mounted."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def no_sessions(_: str) -> object:
        raise AssertionError("a folder needs no session")

    with open_vault(vaults.VaultSettings(folder=vaults.FolderVault()), no_sessions) as vault:  # type: ignore[arg-type]
        assert isinstance(vault, FolderVault)
        assert vault.place == str(tmp_path / ".local/share/pgtend/vault")
        assert vault.put("kgc/x", io.BytesIO(b"x")).size == 1
    with pytest.raises(FolderMissing):
        FolderVault(folder_place(vaults.FolderVault(path=str(tmp_path / "elsewhere"))))


def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A connection that leads to no credentials is said before anything is tried."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(CredentialsRefused, match="there is no AWS profile 'offsite'"):
        aws_profiles("offsite")


def test_the_model_is_imported_without_boto() -> None:
    """Whoever only speaks of vaults does not pay for the client: parsing the DAG files imports no boto3."""
    program = (
        "import sys, pgtend.vault.model, pgtend.vault.open, pgtend.vault.folder, pgtend.vault.probe; "
        "print([m for m in ('boto3', 'botocore') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_error_of_the_room_has_a_code_and_a_sentence() -> None:
    """Codes are stable and unique, and the docstring says what each means."""
    from pgtend.vault import errors  # noqa: PLC0415 - looked at as a whole

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PgtendError)]
    own = [kind for kind in kinds if kind.__module__ == errors.__name__]
    assert len({kind.code for kind in own}) == len(own) == 18
    assert all(kind.code.startswith("vault.") and (kind.__doc__ or "").endswith(".") for kind in own)
