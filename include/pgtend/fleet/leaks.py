"""Finds secrets that were written into a fleet file. They are named by their place and never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from pgtend.fleet.findings import Finding, Path

_NAMES = {
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "pgpassword",
    "passfile",
    "secret",
    "secrets",
    "token",
    "credentials",
}
_JOINED = ("apikey", "accesskey", "secretkey", "privatekey", "password", "sharedsecret")
_VALUES = (
    (re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@]*:[^/\s@]+@", re.IGNORECASE), "an address with a password in it"),
    (
        re.compile(r"(?:^|[\s?&;])(?:pg)?pass(?:word|wd)\s*=\s*\S", re.IGNORECASE),
        "a connection string with a password in it",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\bAGE-SECRET-KEY-1"), "a secret key"),
)
HINT = (
    "the fleet file holds no secrets: put it into the Airflow connection or the libpq service file, name that "
    "connection here, and change the secret if this file was ever shared"
)


def is_secret_name(name: str) -> bool:
    """Tell whether a setting is named like something that must stay secret."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return not _NAMES.isdisjoint(words) or any(part in "".join(words) for part in _JOINED)


def secret_in(text: str) -> str:
    """Say what kind of secret a text contains; an empty string means none."""
    return next((what for pattern, what in _VALUES if pattern.search(text)), "")


def find_secrets(values: object, path: Path = ()) -> Iterator[Finding]:
    """Find every value that contains a secret."""
    if isinstance(values, str) and (what := secret_in(values)):
        yield Finding(path, f"{what} is written here", HINT)
    elif isinstance(values, dict):
        for name, value in cast("dict[str, object]", values).items():
            yield from find_secrets(value, (*path, name))
    elif isinstance(values, list):
        for index, value in enumerate(cast("list[object]", values)):
            yield from find_secrets(value, (*path, index))
