"""Objects that were changed behind our back are recognised when they are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bed.faulty_s3 import faulty_s3
from bed.s3_servers import LOCKED_BUCKET, S3Site
from bed.streams import Recipe, everything
from pgtend.vault.errors import ObjectDamaged, ObjectLocked
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, LockMode, ObjectLock, Vault
from pgtend.vault.parts import MIB

SIZE = 12 * MIB + 5


def open_one(kind: str, site: S3Site, folder: Path) -> Vault:
    """Open a vault in a folder, or on a server."""
    return FolderVault(FolderPlace(path=folder)) if kind == "folder" else site.vault()


def overwrite(site: S3Site, key: str, content: bytes) -> None:
    """Replace an object and keep all marks on it, as somebody would who wants not to be noticed."""
    full = site.place.full_key(key)
    with site.raw() as client:
        marks = client.head_object(Bucket=site.bucket, Key=full)["Metadata"]
        client.put_object(Bucket=site.bucket, Key=full, Body=content, Metadata=marks)


@pytest.mark.parametrize("kind", ["ministack", "swift"])
@pytest.mark.parametrize("change", ["flipped", "truncated", "emptied"])
@pytest.mark.parametrize("size", [1000, SIZE])
def test_a_changed_object_is_recognised(kind: str, change: str, size: int, request: pytest.FixtureRequest) -> None:
    """One flipped bit, a missing end, no content at all: none is ever read as if it were whole."""
    site: S3Site = request.getfixturevalue(kind)
    with site.vault() as vault:
        stored = vault.put("kgc/x", Recipe(size))
        content = everything(Recipe(size))
        changed = {
            "flipped": content[:500] + bytes([content[500] ^ 1]) + content[501:],
            "truncated": content[:-1],
            "emptied": b"",
        }[change]
        overwrite(site, "kgc/x", changed)
        with vault.open("kgc/x", sha256=stored.sha256) as stream, pytest.raises(ObjectDamaged):
            b"".join(iter(lambda: stream.read(MIB), b""))


def test_a_flipped_bit_on_the_server_s_disk_is_recognised_without_a_record(ministack: S3Site) -> None:
    """The marks on an object alone are enough to see that its parts are not what was stored."""
    assert ministack.server is not None
    with ministack.vault() as vault:
        vault.put("kgc/rotten", Recipe(SIZE))
        file = next(ministack.server.folder.rglob(f"{ministack.prefix}/kgc/rotten"))
        with file.open("r+b") as disk:
            disk.seek(7 * MIB)
            byte = disk.read(1)[0]
            disk.seek(7 * MIB)
            disk.write(bytes([byte ^ 1]))
        with vault.open("kgc/rotten") as stream, pytest.raises(ObjectDamaged, match="damaged"):
            b"".join(iter(lambda: stream.read(MIB), b""))


def test_an_object_that_changes_while_it_is_read_is_an_error(ministack: S3Site) -> None:
    """Half of one object and half of another are never joined."""
    with ministack.vault() as vault:
        vault.put("kgc/x", Recipe(SIZE))
        with vault.open("kgc/x") as stream:
            overwrite(ministack, "kgc/x", b"another")
            with pytest.raises(ObjectDamaged):
                stream.read(MIB)


@pytest.mark.parametrize("kind", ["ministack", "swift"])
def test_a_copy_is_judged_by_reading_it_there(kind: str, request: pytest.FixtureRequest) -> None:
    """Copied inside one server or by hand from another, small or large, a copy counts when its bytes were read."""
    site: S3Site = request.getfixturevalue(kind)
    other = request.getfixturevalue("swift" if kind == "ministack" else "ministack")
    beside = replace(site, prefix=f"{site.prefix}-copy")
    for size in (1000, 20 * MIB):
        key = f"kgc/{size}"
        with site.vault() as source, beside.vault() as near, other.vault() as far:
            stored = source.put(key, Recipe(size))
            assert stored.sha256
            for target in (near, far):
                copy = target.copy_from(source, key, sha256=stored.sha256)
                assert (copy.size, copy.sha256) == (size, stored.sha256)
                with target.open(key, sha256=stored.sha256) as stream:
                    assert stream.read() == everything(Recipe(size))


@pytest.mark.parametrize("target", ["ministack", "folder"])
def test_a_copy_that_is_there_is_judged_and_not_sent_again(
    target: str, ministack: S3Site, swift: S3Site, tmp_path: Path
) -> None:
    """A copy that is broken off every night would send the same terabyte for ever, and never end."""
    with faulty_s3(swift.endpoint) as door, swift.through(door.endpoint).vault() as source:
        stored = source.put("kgc/x", Recipe(SIZE))
        assert stored.sha256
        with open_one(target, ministack, tmp_path) as copy:
            for _ in range(2):
                assert copy.copy_from(source, "kgc/x", sha256=stored.sha256).size == SIZE
        assert door.count("GET", "kgc/x") == 1


@pytest.mark.parametrize("kind", ["ministack", "swift"])
def test_a_copy_that_was_never_locked_is_locked_by_the_next_run(kind: str, request: pytest.FixtureRequest) -> None:
    """The lock may be all that was still to do when a copy was broken off, by hand or inside one server."""
    site: S3Site = request.getfixturevalue("ministack")
    origin: S3Site = request.getfixturevalue(kind)
    bare = replace(site.place, prefix=f"{site.prefix}-copy", bucket=LOCKED_BUCKET)
    locking = replace(bare, object_lock=ObjectLock(mode=LockMode.GOVERNANCE, keep=timedelta(minutes=1)))
    with origin.vault() as source, site.vault(bare) as begun, site.vault(locking) as copy:
        stored = source.put("kgc/x", Recipe(SIZE))
        assert stored.sha256
        begun.copy_from(source, "kgc/x", sha256=stored.sha256)
        copy.copy_from(source, "kgc/x", sha256=stored.sha256)
        with pytest.raises(ObjectLocked):
            copy.delete("kgc/x")


def test_a_copy_of_a_damaged_object_fails(ministack: S3Site, swift: S3Site) -> None:
    """What is not the promised object is not copied, by hand or by the server."""
    beside = replace(ministack, prefix=f"{ministack.prefix}-copy")
    with ministack.vault() as source, beside.vault() as near, swift.vault() as far:
        stored = source.put("kgc/x", Recipe(20 * MIB))
        assert stored.sha256
        overwrite(ministack, "kgc/x", everything(Recipe(20 * MIB))[:-1] + b"!")
        for target in (near, far):
            with pytest.raises(ObjectDamaged):
                target.copy_from(source, "kgc/x", sha256=stored.sha256)
            assert [found.key for found in target.objects("kgc/")] == []


def test_every_object_of_many_pages_is_listed(ministack: S3Site) -> None:
    """More objects than one page holds are listed to the last."""
    with ministack.raw() as client, ministack.vault() as vault:
        for number in range(1005):
            client.put_object(Bucket=ministack.bucket, Key=ministack.place.full_key(f"kgc/{number:05}"), Body=b"")
        listed = vault.objects("kgc/")
        assert len(listed) == 1005
        assert listed[-1].key == "kgc/01004"
