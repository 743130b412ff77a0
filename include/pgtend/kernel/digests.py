"""Digests: the same value always gives the same bytes, and the same bytes the same SHA-256."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime


def canonical_json(value: object) -> bytes:
    """Write a value as JSON in the one form that is hashed and signed: sorted keys, no blanks, UTC times."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode()


def sha256_hex(content: bytes) -> str:
    """Digest bytes that are in memory."""
    return hashlib.sha256(content).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")
