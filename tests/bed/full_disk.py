"""A disk of a few places for files, which a test can fill to the last one."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest


@contextmanager
def small_disk() -> Generator[Path]:
    """Mount a disk in memory; without the right to mount one there is no such test."""
    with tempfile.TemporaryDirectory(prefix="pgtend-disk-") as folder:
        mounted = ("/usr/bin/mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=64", "pgtend", folder)
        if os.geteuid() or subprocess.run(mounted, check=False).returncode:
            pytest.skip("no disk of one's own may be mounted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(("/usr/bin/umount", folder), check=True)


def fill(disk: Path) -> None:
    """Take every place for a file that is left."""
    try:
        for number in count():
            (disk / f"filler-{number}").touch()
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends in no other way
