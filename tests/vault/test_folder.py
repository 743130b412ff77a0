"""What only a folder can get wrong: links, modes, missing mounts and the limits of the operating system."""

from __future__ import annotations

import io
import os
import resource
import shutil
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bed.full_disk import fill, small_disk
from bed.streams import ProducerDied, Recipe
from pgtend.vault.errors import FolderMissing, ObjectDamaged, VaultFull, VaultRefused
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

LIMITED_WRITER = """
import io, sys
from pathlib import Path
from pgtend.vault.errors import VaultFull
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

vault = FolderVault(FolderPlace(path=Path(sys.argv[1])))
try:
    vault.put("kgc/big", io.BytesIO(bytes(3 * 1024 * 1024)))
except VaultFull:
    print("full", len(vault.objects()), len(vault.unfinished()))
"""


def mode(path: Path) -> int:
    """Read the permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_are_private(folder: FolderVault) -> None:
    """Nobody but their owner may read copies, whatever the umask says."""
    old = os.umask(0)
    try:
        folder.put("kgc/run/file", io.BytesIO(b"x"))
    finally:
        os.umask(old)
    root = Path(folder.place)
    assert mode(root / "kgc" / "run" / "file") == 0o600
    assert [mode(path) for path in (root, root / "kgc", root / "kgc" / "run")] == [0o700, 0o700, 0o700]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A disk that is not mounted is said, and its mount point is not filled in its stead."""
    with pytest.raises(FolderMissing) as caught:
        FolderVault(FolderPlace(path=tmp_path / "mnt"))
    assert "install -d -m 700" in caught.value.hint
    assert not (tmp_path / "mnt").exists()


@pytest.mark.parametrize("link", ["folder", "file"])
def test_a_link_leads_nowhere(folder: FolderVault, tmp_path: Path, link: str) -> None:
    """A link planted in the vault is followed by nothing: not for writing, reading, listing or deleting."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("canary")
    root = Path(folder.place)
    if link == "folder":
        (root / "kgc").symlink_to(outside)
    else:
        (root / "kgc").mkdir()
        (root / "kgc" / "secret").symlink_to(outside / "secret")
    with pytest.raises(VaultRefused, match="leads out of"):
        folder.head("kgc/secret")
    with pytest.raises(VaultRefused), folder.open("kgc/secret"):
        pass
    with pytest.raises(VaultRefused):
        folder.objects()
    if link == "folder":
        with pytest.raises(VaultRefused):
            folder.put("kgc/new", io.BytesIO(b"x"))
        with pytest.raises(VaultRefused):
            folder.delete("kgc/secret")
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_what_the_system_calls_too_large_is_no_room(tmp_path: Path) -> None:
    """A limit on the size of files ends like a full disk, with nothing left."""
    argv = [sys.executable, "-c", LIMITED_WRITER, str(tmp_path)]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 1024 * 1024, 2 * 1024 * 1024))

    done = subprocess.run(argv, capture_output=True, text=True, check=True, preexec_fn=limit)
    assert done.stdout == "full 0 0\n"


def test_a_disk_without_place_for_a_file_is_full() -> None:
    """It is an outage that passes when room is made, and no object that was lost."""
    with small_disk() as disk:
        (disk / "vault").mkdir()
        vault = FolderVault(FolderPlace(path=disk / "vault"))
        vault.put("kgc/first", io.BytesIO(b"x"))
        fill(disk)
        with pytest.raises(VaultFull):
            vault.put("kgc/second", io.BytesIO(b"x"))


@pytest.mark.parametrize("change", ["flip", "cut"])
def test_a_file_changed_behind_our_back_is_recognised(folder: FolderVault, change: str) -> None:
    """The digest beside the file is enough to see one flipped bit or a missing end."""
    folder.put("kgc/file", io.BytesIO(b"0123456789"))
    path = Path(folder.place) / "kgc" / "file"
    with path.open("r+b") as file:
        file.write(b"1") if change == "flip" else file.truncate(9)
    with folder.open("kgc/file") as stream, pytest.raises(ObjectDamaged):
        stream.read()


def test_a_disk_without_attributes_loses_only_the_digest(folder: FolderVault) -> None:
    """A file whose attribute did not survive a copy by other tools is still read, and judged by its record."""
    stored = folder.put("kgc/file", io.BytesIO(b"hello"))
    os.removexattr(Path(folder.place) / "kgc" / "file", "user.pgtend.sha256")
    assert folder.head("kgc/file").sha256 is None
    with folder.open("kgc/file", sha256=stored.sha256) as stream:
        assert stream.read() == b"hello"


def test_a_folder_that_vanishes_hides_no_other(folder: FolderVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody removes one while the vault is listed: the rest is there, and the vault is not called empty."""
    for key in ("kgc/a/one", "kgc/b/one"):
        folder.put(key, io.BytesIO(b"x"))

    def look(name: str, **how: object) -> os.stat_result:
        found = real(name, **how)  # type: ignore[arg-type]
        if name == "b":
            shutil.rmtree(Path(folder.place) / "kgc" / "b")
        return found

    real = os.stat
    monkeypatch.setattr(os, "stat", look)
    assert [stored.key for stored in folder.objects("kgc/")] == ["kgc/a/one"]


def test_a_failed_write_leaves_no_hidden_file(folder: FolderVault) -> None:
    """Not even the place where writes arrive keeps anything of a write that failed."""
    with pytest.raises(ProducerDied):
        folder.put("kgc/file", Recipe(3_000_000, fails_at_end=True))
    assert [path for path in Path(folder.place).rglob("*") if path.is_file()] == []
    assert folder.sweep(timedelta(0)) == ()


def test_a_folder_we_may_not_write_says_so(tmp_path: Path) -> None:
    """A vault that is a file of somebody else's, or read-only, is a setting to correct."""
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / ".incoming").write_text("in the way")
    with FolderVault(FolderPlace(path=tmp_path / "vault")) as vault, pytest.raises(VaultRefused):
        vault.put("kgc/file", io.BytesIO(b"x"))
