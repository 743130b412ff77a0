"""Asks a web server something, and leaves no connection behind whatever it answers."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Final, cast

PATIENCE: Final = 10
_LONGEST: Final = 100_000


def ask(address: str, *, method: str = "GET", content: bytes | None = None) -> bytes:
    """Give the beginning of the answer; one that says no is an HTTPError."""
    if not address.startswith(("http://", "https://")):
        raise ValueError("neither http nor https")
    headers = {"Content-Type": "application/json"} if content else {}
    request = urllib.request.Request(address, data=content, headers=headers, method=method)  # noqa: S310 - see above
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - see above
            return cast("bytes", answer.read(_LONGEST))
    except urllib.error.HTTPError as refused:
        refused.close()
        raise
