"""Repairs one defect of an ELF file: a dynamic section that lies in a read-only segment.

The loader writes into that section before main() runs, so such a program crashes at once. `pg_verifybackup` of the
wheel is one: the tool that set its library path moved the section and left the segment read-only.
"""

from __future__ import annotations

import struct
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC = 1, 2
_EXECUTABLE, _WRITABLE = 1, 2
_PAGE = 4096
_HEADER_SIZE = 56


def make_dynamic_section_writable(path: Path) -> bool:
    """Set the writable flag of the segments that hold the dynamic section, and tell whether it was needed."""
    content = bytearray(path.read_bytes())
    if content[:5] != b"\x7fELF\x02":
        raise ValueError(f"{path} is not a 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", content, 32)
    (count,) = struct.unpack_from("<H", content, 56)
    headers = [table + _HEADER_SIZE * number for number in range(count)]
    dynamic = next(_pages(content, header) for header in headers if _kind(content, header)[0] == _PT_DYNAMIC)
    broken = [header for header in headers if _is_read_only(content, header) and _overlap(content, header, dynamic)]
    for header in broken:
        struct.pack_into("<I", content, header + 4, _kind(content, header)[1] | _WRITABLE)
    if broken:
        path.write_bytes(content)
    return bool(broken)


def _kind(content: bytearray, header: int) -> tuple[int, int]:
    kind, flags = struct.unpack_from("<II", content, header)
    return kind, flags


def _is_read_only(content: bytearray, header: int) -> bool:
    kind, flags = _kind(content, header)
    return kind == _PT_LOAD and not flags & (_WRITABLE | _EXECUTABLE)


def _pages(content: bytearray, header: int) -> tuple[int, int]:
    (start,) = struct.unpack_from("<Q", content, header + 16)
    (size,) = struct.unpack_from("<Q", content, header + 40)
    return start & -_PAGE, (start + size + _PAGE - 1) & -_PAGE


def _overlap(content: bytearray, header: int, pages: tuple[int, int]) -> bool:
    start, end = _pages(content, header)
    return start < pages[1] and end > pages[0]
