"""A disk in memory for what tests make and drop: databases by the hundred, whose copies wait for a real disk."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_PLACE = Path("/dev/shm")  # noqa: S108 - no predictable name: a folder of ours is made in it
_ENOUGH = 6 << 30


def quick_folder() -> Callable[[], None]:
    """Let temporary files be in memory, here and in every process begun from here; give what takes them away again.

    Whoever says where by TMPDIR decides, and a machine with little memory keeps its disk.
    """
    if "TMPDIR" in os.environ or _room() < _ENOUGH:
        return lambda: None
    folder = Path(tempfile.mkdtemp(prefix="pgtend-tests-", dir=_PLACE))
    # The account of a server gets through, to its own folder inside.
    folder.chmod(0o755)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)

    def take_away() -> None:
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)

    return take_away


def _room() -> int:
    """Tell how many bytes fit: both the disk and what backs it must have them."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
    if not (_PLACE.is_dir() and os.access(_PLACE, os.W_OK) and found):
        return 0
    return min(shutil.disk_usage(_PLACE).free, int(found.group(1)) * 1024)
