"""Passwords and keys of one demo: made once, kept in a file that only its owner may read."""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from collections.abc import Iterator, Mapping

from demo.runtime.places import Places, write_private

TYPED = ("admin", "op", "researcher", "viewer")
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
KEYS = ("jwt", "api", "postgres", "airflow")


def typed_password() -> str:
    """Invent a password that a person can read off a screen and select with a double click."""
    return "".join(secrets.choice(LETTERS) for _ in range(12))


class SecretWords(Mapping[str, str]):
    """The secrets by name."""

    def __init__(self, places: Places) -> None:
        self.writing = threading.Lock()
        self.file = places.state / "secrets.json"
        self.words: dict[str, str] = json.loads(self.file.read_text()) if self.file.exists() else {}
        missing = {name: typed_password() for name in TYPED if name not in self.words}
        missing |= {name: secrets.token_urlsafe(48) for name in KEYS if name not in self.words}
        if "fernet" not in self.words:
            missing["fernet"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
        if missing:
            self.keep(**missing)

    def keep(self, **words: str) -> None:
        """Add or replace secrets."""
        with self.writing:
            self.words |= words
            write_private(self.file, json.dumps(self.words, indent=1))

    def password_of(self, role: str) -> str:
        """Give the password of a database role, inventing it at the first call."""
        if role not in self.words:
            self.keep(**{role: secrets.token_urlsafe(24)})
        return self.words[role]

    def __getitem__(self, name: str) -> str:
        return self.words[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)
