"""What the programs of PostgreSQL write and are told is in the encoding of the database, which need not be UTF-8.

Rows are never converted on their way: not every character has its like in every encoding. Only names are.
"""

from __future__ import annotations

import codecs
import os
import re

_SPELT_OTHERWISE = (re.compile(r"^WIN(?=\d)"), "cp"), (re.compile(r"^KOI8(?=[RU])"), "koi8_")


def decoded(text: bytes, encoding: str) -> str:
    """Read what a program wrote. What does not fit the encoding is kept as it is, and not lost."""
    return text.decode(_codec(encoding), errors="surrogateescape")


def encoded(text: str, encoding: str) -> bytes:
    """Write what was read so."""
    return text.encode(_codec(encoding), errors="surrogateescape")


def as_argument(text: str, encoding: str) -> str:
    """Write what a program is told on its command line, which it takes for text of the database."""
    return os.fsdecode(encoded(text, encoding))


def unquoted(name: str) -> str:
    """Read a name as SQL writes it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _codec(encoding: str) -> str:
    """Find what Python calls it. Where it knows none, names in the letters of ASCII are read all the same."""
    name = encoding
    for pattern, spelling in _SPELT_OTHERWISE:
        name = pattern.sub(spelling, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"
