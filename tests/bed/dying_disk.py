"""A disk that loses what lies beyond some point: the kernel itself answers EIO, as it does for a broken one."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_FIBMAP = 1
_SIZE = 96 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DyingDisk:
    """A file system in a file that can be cut off."""

    image: Path
    folder: Path
    """Where it is mounted."""

    def lose_half_of(self, path: Path) -> None:
        """Take away the second half of a file, and all that lies behind it on the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            block = os.fstatvfs(descriptor).f_bsize
            middle = os.fstat(descriptor).st_size // 2 // block
            (place,) = struct.unpack("i", fcntl.ioctl(descriptor, _FIBMAP, struct.pack("i", middle)))
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
        os.truncate(self.image, place * block)


@contextmanager
def dying_disk() -> Generator[DyingDisk]:
    """Mount a disk that can be made to fail; without the right to mount one there is no such test."""
    with tempfile.TemporaryDirectory(prefix="pgtend-disk-") as top:
        Path(top).chmod(0o755)
        disk = DyingDisk(Path(top) / "image", Path(top) / "mounted")
        disk.folder.mkdir()
        with disk.image.open("wb") as image:
            image.truncate(_SIZE)
        # In one group of blocks, whose own records lie in front: what is lost behind is no folder of the file system.
        made = ("/usr/sbin/mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal", str(disk.image))
        mounted = ("/usr/bin/mount", "-o", "loop", str(disk.image), str(disk.folder))
        for command in (made, mounted):
            if os.geteuid() or not Path(command[0]).exists() or subprocess.run(command, check=False).returncode:
                pytest.skip("no disk of one's own may be mounted here")
        try:
            yield disk
        finally:
            subprocess.run(("/usr/bin/umount", str(disk.folder)), check=True)
