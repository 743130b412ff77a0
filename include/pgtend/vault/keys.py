"""Keys: append-only names that mean the same in every vault and can never lead out of one."""

from __future__ import annotations

import re

from pgtend.vault.errors import BadKey

LONGEST_KEY = 700
"""Leaves room for a prefix under the 1024 bytes that S3 allows."""

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+@-]{0,199}")


def checked_key(key: str) -> str:
    """Let a key through, or say why it cannot be one."""
    if len(key) > LONGEST_KEY:
        raise BadKey(f"a key of {len(key)} characters is too long", hint=f"Keep keys under {LONGEST_KEY} characters.")
    if not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise BadKey(
            f"'{key!a}' cannot be a key",
            detail="A key is made of segments between slashes; each starts with a letter, a digit or an underscore.",
            hint="Use letters, digits and . _ = + @ - only.",
        )
    return key


def is_key(name: str) -> bool:
    """Tell whether we can have stored something under a name: others may have put anything there."""
    try:
        checked_key(name)
    except BadKey:
        return False
    return True


def checked_prefix(prefix: str) -> str:
    """Let a prefix through: nothing, or whole folders, so that `kgc/` never takes `kgc2` along."""
    if prefix:
        if not prefix.endswith("/"):
            raise BadKey(f"'{prefix!a}' is not a whole folder", hint="End a prefix with a slash.")
        checked_key(prefix[:-1])
    return prefix
