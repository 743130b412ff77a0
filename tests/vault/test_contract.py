"""What every vault promises, asked of every kind of vault."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bed.streams import CheckedPipe, ProducerDied, Recipe, everything
from pgtend.vault.errors import BadKey, NotAtomic, ObjectDamaged, ObjectExists, ObjectMissing
from pgtend.vault.model import Confirmation, Vault
from pgtend.vault.parts import MIB
from pgtend.vault.probe import Standing, probe

SEVEN_PARTS_AND_A_BIT = 12 * MIB + 17
HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def read(vault: Vault, key: str) -> bytes:
    """Read an object whole."""
    with vault.open(key) as stream:
        return b"".join(iter(lambda: stream.read(100_000), b""))


def keys(vault: Vault, prefix: str = "") -> list[str]:
    """List keys, without the vault's own trial."""
    return [stored.key for stored in vault.objects(prefix) if not stored.key.startswith("probe/")]


def test_a_small_object_comes_back_as_it_was(vault: Vault) -> None:
    """What was stored is read back, and its size, digest and moment are known."""
    stored = vault.put("kgc/one/hello.txt", io.BytesIO(b"hello"))
    assert (stored.key, stored.size, stored.sha256) == ("kgc/one/hello.txt", 5, HELLO)
    assert stored.confirmed is Confirmation.SEEN
    assert abs(datetime.now(UTC) - stored.stored_at) < timedelta(minutes=1)
    assert read(vault, "kgc/one/hello.txt") == b"hello"
    assert vault.head("kgc/one/hello.txt").sha256 == HELLO


@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, SEVEN_PARTS_AND_A_BIT])
def test_every_size_comes_back_as_it_was(vault: Vault, size: int) -> None:
    """Empty, one byte, around the border of a part, and many parts."""
    stored = vault.put("kgc/sized", Recipe(size))
    expected = everything(Recipe(size))
    assert stored.size == size
    assert stored.sha256 == hashlib.sha256(expected).hexdigest()
    assert read(vault, "kgc/sized") == expected
    assert vault.unfinished() == ()


def test_an_existing_key_is_never_replaced(vault: Vault) -> None:
    """The second writer is refused, small or large, and the first object stays."""
    vault.put("kgc/key", io.BytesIO(b"first"))
    with pytest.raises(ObjectExists, match="exists"):
        vault.put("kgc/key", io.BytesIO(b"second"))
    with pytest.raises(ObjectExists):
        vault.put("kgc/key", Recipe(6 * MIB))
    assert read(vault, "kgc/key") == b"first"
    assert vault.unfinished() == ()


def test_one_of_eight_racing_writers_wins(vault: Vault) -> None:
    """Exactly one writer may believe that it was first, or nobody is let to believe it."""
    if not vault.abilities.one_winner:
        with pytest.raises(NotAtomic, match="cannot promise one winner"):
            vault.put_if_absent("kgc/lock", b"me")
        assert keys(vault) == []
        return

    def claim(number: int) -> bool:
        try:
            vault.put_if_absent("kgc/lock", f"writer {number}".encode())
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(8)))
    assert won.count(True) == 1
    assert read(vault, "kgc/lock") == f"writer {won.index(True)}".encode()


@pytest.mark.parametrize("size", [100, SEVEN_PARTS_AND_A_BIT])
def test_a_reader_that_fails_at_the_very_end_leaves_nothing(vault: Vault, size: int) -> None:
    """All bytes came and the producer still failed: the object must not exist."""
    with pytest.raises(ProducerDied):
        vault.put("kgc/dump", Recipe(size, fails_at_end=True))
    assert keys(vault) == []
    assert vault.unfinished() == ()
    with pytest.raises(ObjectMissing):
        vault.head("kgc/dump")


def test_a_producer_that_is_killed_leaves_nothing(vault: Vault) -> None:
    """A real process, killed by -9 after twelve megabytes, makes no object."""
    pipe = CheckedPipe("sh", "-c", "head -c 12000000 /dev/zero; kill -9 $$")
    with pytest.raises(ProducerDied):
        vault.put("kgc/dump", pipe)
    assert keys(vault) == []
    assert vault.unfinished() == ()


@pytest.mark.parametrize("size", [100, SEVEN_PARTS_AND_A_BIT])
def test_a_promised_digest_must_turn_out_right(vault: Vault, size: int) -> None:
    """Bytes that are not the promised ones are not stored; the right ones are."""
    digest = hashlib.sha256(everything(Recipe(size))).hexdigest()
    with pytest.raises(ObjectDamaged, match="damaged"):
        vault.put("kgc/promised", Recipe(size), sha256=HELLO)
    assert keys(vault) == []
    assert vault.put("kgc/promised", Recipe(size), sha256=digest).sha256 == digest


@pytest.mark.parametrize("size", [100, SEVEN_PARTS_AND_A_BIT])
def test_reading_with_another_digest_raises_at_the_end(vault: Vault, size: int) -> None:
    """A reader that knows the digest is told when the bytes are others."""
    vault.put("kgc/read", Recipe(size))
    with vault.open("kgc/read", sha256=HELLO) as stream, pytest.raises(ObjectDamaged):
        b"".join(iter(lambda: stream.read(MIB), b""))


def test_a_range_gives_exactly_what_was_asked(vault: Vault) -> None:
    """The middle of an object can be read, and a range past its end is an error and not less."""
    vault.put("kgc/ranged", io.BytesIO(b"0123456789"))
    assert vault.read_range("kgc/ranged", 3, 4) == b"3456"
    assert vault.read_range("kgc/ranged", 0, 10) == b"0123456789"
    assert vault.read_range("kgc/ranged", 4, 0) == b""
    with pytest.raises(ObjectDamaged):
        vault.read_range("kgc/ranged", 8, 4)
    with pytest.raises(ObjectDamaged):
        vault.read_range("kgc/ranged", 20, 4)


def test_a_listing_is_complete_sorted_and_by_whole_folders(vault: Vault) -> None:
    """`kgc/` never takes `kgc2` along, and an empty place lists nothing."""
    for key in ("kgc/b", "kgc/a.txt", "kgc2/c", "kgc/a/deep/er", "kgc-x"):
        vault.put(key, io.BytesIO(b"x"))
    assert keys(vault, "kgc/") == ["kgc/a.txt", "kgc/a/deep/er", "kgc/b"]
    assert keys(vault) == ["kgc-x", "kgc/a.txt", "kgc/a/deep/er", "kgc/b", "kgc2/c"]
    assert keys(vault, "nothing/here/") == []
    with pytest.raises(BadKey, match="not a whole folder"):
        vault.objects("kgc")


def test_what_is_deleted_is_gone_and_its_neighbour_stays(vault: Vault) -> None:
    """Removing takes one object, and removing it again says that it is not there."""
    vault.put("kgc/gone", io.BytesIO(b"x"))
    vault.put("kgc/stays", io.BytesIO(b"y"))
    vault.delete("kgc/gone")
    assert keys(vault) == ["kgc/stays"]
    with pytest.raises(ObjectMissing):
        vault.delete("kgc/gone")
    with pytest.raises(ObjectMissing):
        read(vault, "kgc/gone")


@pytest.mark.parametrize("key", ["../x", "a/../b", "/abs", "a//b", "a/", "", ".hidden", "a/.incoming/x", "ü", "a b"])
def test_a_key_cannot_lead_anywhere_else(vault: Vault, key: str) -> None:
    """Every method refuses a key that is not a plain name below the vault."""
    for attempt in (
        lambda: vault.put(key, io.BytesIO(b"x")),
        lambda: vault.put_if_absent(key, b"x"),
        lambda: vault.head(key),
        lambda: vault.read_range(key, 0, 1),
        lambda: vault.delete(key),
        lambda: read(vault, key),
    ):
        with pytest.raises(BadKey):
            attempt()


def test_a_probe_tries_everything_and_says_what_it_found(vault: Vault) -> None:
    """The doctor's trial passes on a healthy vault and takes its own objects away again."""
    report = probe(vault)
    assert report.is_usable
    standings = {finding.what: finding.standing for finding in report.findings}
    one_winner = standings.pop("one winner")
    assert standings == dict.fromkeys(["write", "read back", "list", "never replace", "delete"], Standing.WORKS)
    assert one_winner is (Standing.WORKS if vault.abilities.one_winner else Standing.REFUSED)
    assert keys(vault) == []
