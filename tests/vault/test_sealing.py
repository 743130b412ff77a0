"""What is sealed comes back byte for byte, opens with stock tools, and never ends quietly when anything is wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from pgtend.vault.agekeys import BadKeyFile, BadPublicKey, PrivateKeys, PublicKey, new_pair, read_key_file
from pgtend.vault.errors import ObjectDamaged
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace
from pgtend.vault.parts import MIB
from pgtend.vault.sealing import KeyUnavailable, seal, unseal

OPERATIONS, ESCROW, STRANGER = new_pair(), new_pair(), new_pair()
RECIPIENTS = (PublicKey("operations", OPERATIONS.public), PublicKey("escrow", ESCROW.public))
CHANCE = random.Random(3)  # noqa: S311 - the same damage in every run
NOISE = CHANCE.randbytes(300_000)
ROWS = b"".join(b"%d\tpatient %d\tnote\n" % (n, n * 7919 % 1009) for n in range(60_000)) + NOISE
KEY = "backups/one.dump.zst.age"


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    """Give an empty vault in a folder."""
    return FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))


def stock(tool: str, *arguments: str, content: bytes = b"") -> bytes:
    """Run a stock tool."""
    path = shutil.which(tool)
    assert path, f"{tool} is not installed: run `make parts`"
    return subprocess.run((path, *arguments), input=content, capture_output=True, check=True).stdout


def everything(vault: FolderVault, keys: PrivateKeys | None, key: str = KEY) -> bytes:
    """Read an object to its end."""
    with unseal(vault, key, keys) as stream:
        return b"".join(iter(lambda: stream.read(MIB), b""))


def spoil(vault: FolderVault, content: bytes) -> None:
    """Put other bytes in the object's place, behind the vault's back."""
    path = Path(vault.place) / KEY
    path.unlink()
    path.write_bytes(content)


def test_rows_full_of_padding_take_a_third_of_what_gzip_makes_of_them(vault: FolderVault) -> None:
    """Rows of pgbench's accounts repeat each other over a distance that a small window forgets."""
    rows = b"".join(b"%d\t%d\t0\t%84s\n" % (number, 1 + number // 100_000, b"") for number in range(100_000, 200_000))
    sealed = seal(vault, KEY, io.BytesIO(rows), RECIPIENTS)
    gzipped = len(gzip.compress(rows, 6))
    print(f"{sealed.stored.size:,} bytes, and {gzipped:,} by gzip -6")  # noqa: T201 - a figure people ask for
    assert sealed.stored.size <= 0.35 * gzipped


@pytest.mark.parametrize("pair", [OPERATIONS, ESCROW], ids=["operations", "escrow"])
def test_each_recipient_alone_opens_what_was_sealed(vault: FolderVault, pair: object) -> None:
    """One private key of several is enough, so that the loss of one is no disaster."""
    sealed = seal(vault, KEY, io.BytesIO(ROWS), RECIPIENTS)
    assert sealed.plain_size == len(ROWS)
    assert everything(vault, PrivateKeys((pair,))) == ROWS  # type: ignore[arg-type]


def test_the_digest_of_the_stored_bytes_is_that_of_the_file(vault: FolderVault) -> None:
    """The manifest's digest can be checked by sha256sum."""
    sealed = seal(vault, KEY, io.BytesIO(ROWS), RECIPIENTS)
    stored = (Path(vault.place) / KEY).read_bytes()
    assert sealed.stored.sha256 == hashlib.sha256(stored).hexdigest()
    assert sealed.stored.size == len(stored)
    assert b"patient" not in stored


def test_nothing_at_all_can_be_sealed(vault: FolderVault) -> None:
    """An empty stream is an object too."""
    seal(vault, KEY, io.BytesIO(b""), RECIPIENTS)
    assert everything(vault, PrivateKeys((OPERATIONS,))) == b""


def test_stock_tools_open_what_was_sealed(vault: FolderVault, tmp_path: Path) -> None:
    """`age -d -i key | zstd -d` needs nothing of ours."""
    seal(vault, KEY, io.BytesIO(ROWS), RECIPIENTS)
    key = tmp_path / "key.txt"
    key.write_text(ESCROW.key_file())
    stored = Path(vault.place) / KEY
    opened = stock("age", "-d", "-i", str(key), str(stored))
    assert stock("zstd", "-d", content=opened) == ROWS


def test_what_stock_tools_seal_is_opened(vault: FolderVault) -> None:
    """A part that was sealed again by hand, for a new recipient, is as good as ours."""
    packed = stock("zstd", "-9", content=ROWS)
    sealed = stock("age", "-r", OPERATIONS.public, content=packed)
    vault.put(KEY, io.BytesIO(sealed))
    assert everything(vault, PrivateKeys((STRANGER, OPERATIONS))) == ROWS


def test_without_recipients_it_is_compressed_only(vault: FolderVault) -> None:
    """What the fleet file calls unencrypted is plain zstd."""
    seal(vault, KEY, io.BytesIO(ROWS), ())
    stored = (Path(vault.place) / KEY).read_bytes()
    assert stock("zstd", "-d", content=stored) == ROWS
    assert everything(vault, None) == ROWS


def damages(stored: bytes) -> Iterator[bytes]:
    """Think of ways in which stored bytes go bad."""
    for _ in range(12):
        at = CHANCE.randrange(len(stored))
        yield stored[:at] + bytes([stored[at] ^ 1 << CHANCE.randrange(8)]) + stored[at + 1 :]
    for size in (0, 1, 60, len(stored) // 2, len(stored) - 65_552, len(stored) - 5, len(stored) - 1):
        yield stored[: max(size, 0)]
    yield stored + b"x"
    yield stored + stored
    yield bytes(len(stored))


@pytest.mark.parametrize("recipients", [RECIPIENTS, ()], ids=["sealed", "compressed only"])
def test_no_damage_passes(vault: FolderVault, recipients: tuple[PublicKey, ...]) -> None:
    """Flipped, cut, lengthened or replaced bytes make the stream raise, even when the vault knows no digest."""
    seal(vault, KEY, io.BytesIO(ROWS), recipients)
    stored = (Path(vault.place) / KEY).read_bytes()
    for content in damages(stored):
        spoil(vault, content)
        with pytest.raises((ObjectDamaged, KeyUnavailable)):
            everything(vault, PrivateKeys((OPERATIONS,)) if recipients else None)


def test_a_stream_without_a_checksum_of_its_own_is_refused(vault: FolderVault) -> None:
    """What was sealed is told from what was opened by that checksum, so it has to be there."""
    vault.put(KEY, io.BytesIO(zstandard.ZstdCompressor(write_checksum=False).compress(ROWS)))
    with pytest.raises(ObjectDamaged, match="damaged") as found:
        everything(vault, None)
    assert "no checksum of its content" in found.value.detail


def test_another_object_in_its_place_is_noticed(vault: FolderVault) -> None:
    """A whole, well-sealed object of another backup does not pass for this one: the digest says so."""
    first = seal(vault, KEY, io.BytesIO(ROWS), RECIPIENTS)
    seal(vault, "backups/other.dump.zst.age", io.BytesIO(ROWS[:-1]), RECIPIENTS)
    spoil(vault, (Path(vault.place) / "backups/other.dump.zst.age").read_bytes())
    with unseal(vault, KEY, PrivateKeys((ESCROW,)), sha256=first.stored.sha256) as stream, pytest.raises(ObjectDamaged):
        stream.read()


def test_a_strangers_key_opens_nothing(vault: FolderVault) -> None:
    """The wrong key is a matter of keys and not of damage."""
    seal(vault, KEY, io.BytesIO(ROWS), RECIPIENTS)
    with pytest.raises(KeyUnavailable, match="no private key at hand opens"):
        everything(vault, PrivateKeys((STRANGER,)))


class Failing:
    """A producer that dies half-way."""

    def __init__(self) -> None:
        self.left = 40

    def read(self, _size: int = -1, /) -> bytes:
        """Give some bytes, then fail."""
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the producer died")
        return NOISE[:65_536]


@pytest.mark.parametrize("recipients", [RECIPIENTS, ()], ids=["sealed", "compressed only"])
def test_a_producer_that_fails_leaves_nothing(vault: FolderVault, recipients: tuple[PublicKey, ...]) -> None:
    """The producer's own error comes out, and the vault has neither an object nor a leftover."""
    with pytest.raises(RuntimeError, match="the producer died"):
        seal(vault, KEY, Failing(), recipients)
    assert vault.objects() == ()
    assert vault.unfinished() == ()


def test_a_reader_may_stop_half_way(vault: FolderVault) -> None:
    """Nothing hangs when only the beginning is wanted."""
    seal(vault, KEY, io.BytesIO(ROWS * 4), RECIPIENTS)
    with unseal(vault, KEY, PrivateKeys((OPERATIONS,))) as stream:
        assert ROWS.startswith(stream.read(100))


def test_a_private_key_is_refused_as_a_recipient_and_not_repeated() -> None:
    """Somebody who pastes the wrong half is told so without seeing it in a log."""
    with pytest.raises(BadPublicKey) as caught:
        PublicKey("operations", OPERATIONS.private.get_secret_value()).parsed()
    assert "a private key" in str(caught.value)
    assert OPERATIONS.private.get_secret_value() not in str(caught.value)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """Whoever reads the key reads every backup."""
    path = tmp_path / "key.txt"
    path.write_text(OPERATIONS.key_file())
    path.chmod(0o640)
    with pytest.raises(BadKeyFile, match="others may read"):
        read_key_file(path)
    path.chmod(0o600)
    assert read_key_file(path).fits([OPERATIONS.public])
    assert OPERATIONS.private.get_secret_value() not in repr(read_key_file(path))


@pytest.mark.parametrize("content", ["", "# only a comment\n", "AGE-SECRET-KEY-1QQQQ\n"])
def test_a_file_without_a_usable_key_is_refused(tmp_path: Path, content: str) -> None:
    """Neither an empty file nor a broken key passes for one, and the key is not repeated."""
    path = tmp_path / "key.txt"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(BadKeyFile) as caught:
        read_key_file(path)
    assert "1QQQQ" not in str(caught.value)
