"""A disk that loses what lies beyond some point, or takes nothing more: the kernel answers EIO, as for a broken one."""

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
    """A file system in a file in memory, which can be cut off and sealed."""

    image: int
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

    def refuse_to_write(self) -> None:
        """Take nothing more: the file system does, in memory, and hears of it when it wants to keep that."""
        fcntl.fcntl(self.image, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


@contextmanager
def dying_disk() -> Generator[DyingDisk]:
    """Mount a disk that can be made to fail; without the right to mount one there is no such test."""
    image = os.memfd_create("disk", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryDirectory(prefix="pgtend-disk-") as folder, os.fdopen(image, "wb") as file:
        Path(folder).chmod(0o755)
        file.truncate(_SIZE)
        disk, device = DyingDisk(image, Path(folder)), f"/proc/{os.getpid()}/fd/{image}"
        # In one group of blocks, whose own records lie in front: what is lost behind is no folder of the file system.
        made = ("/usr/sbin/mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal", device)
        mounted = ("/usr/bin/mount", "-o", "loop", device, str(disk.folder))
        for command in (made, mounted):
            if os.geteuid() or not Path(command[0]).exists() or subprocess.run(command, check=False).returncode:
                pytest.skip("no disk of one's own may be mounted here")
        try:
            yield disk
        finally:
            subprocess.run(("/usr/bin/umount", str(disk.folder)), check=True)
