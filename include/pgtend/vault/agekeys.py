"""Keys of age: public ones, which workers have, and private ones, which they must not have."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pyrage import IdentityError, RecipientError, x25519

from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.times import utc_now

_SECRET_MARK = "AGE-SECRET-KEY-1"  # noqa: S105 - what every private key begins with, and no key
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadPublicKey(Misconfigured):
    """A recipient of backups is no public key of age."""

    code = "vault.bad_public_key"


class BadKeyFile(Misconfigured):
    """A file that should hold a private key cannot be used."""

    code = "vault.bad_key_file"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whom something is sealed for."""

    name: str
    text: str

    def parsed(self) -> x25519.Recipient:
        """Read it, or say whose key is wrong; a private key in its place is not repeated."""
        try:
            return x25519.Recipient.from_str(self.text)
        except RecipientError as error:
            shown = "a private key" if self.text.upper().startswith(_SECRET_MARK) else f"'{self.text[:70]}'"
            raise BadPublicKey(
                f"the key of recipient '{self.name}' is no public key of age: {shown}",
                hint="It begins with age1. `pgtend keys new` makes a pair and prints the public one.",
            ) from error


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key, and the public one that belongs to it."""

    public: str
    private: SecretStr

    def key_file(self) -> str:
        """Write it the way age-keygen does, so that every tool of age reads it."""
        made = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
        return f"# created: {made}\n# public key: {self.public}\n{self.private.get_secret_value()}\n"


@dataclass(frozen=True, slots=True)
class PrivateKeys:
    """The private keys at hand, each tried in turn; they appear in no print."""

    pairs: tuple[KeyPair, ...]

    def identities(self) -> list[x25519.Identity]:
        """Give them in pyrage's form."""
        return [x25519.Identity.from_str(pair.private.get_secret_value()) for pair in self.pairs]

    def fits(self, recipients: Sequence[str]) -> bool:
        """Tell whether one of them belongs to one of these public keys."""
        return any(pair.public in recipients for pair in self.pairs)


def new_pair() -> KeyPair:
    """Make a pair of keys."""
    identity = x25519.Identity.generate()
    return KeyPair(str(identity.to_public()), SecretStr(str(identity)))


def read_key_file(path: Path) -> PrivateKeys:
    """Read private keys from a file of age-keygen, which nobody else may read."""
    try:
        status = path.stat()
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it is no text"
        raise BadKeyFile(f"the key file {path} cannot be read: {why.lower()}", hint="Name another file.") from error
    if status.st_mode & _OTHERS:
        raise BadKeyFile(
            f"others may read the key file {path}",
            detail="Whoever has a private key can read every backup.",
            hint=f"Run `chmod 600 {path}`; if others may have read it, make a new pair with `pgtend keys new`.",
        )
    return parse_keys(lines, str(path))


def parse_keys(lines: Sequence[str], place: str) -> PrivateKeys:
    """Read private keys from lines; what cannot be read is not repeated, because it may be nearly right."""
    keys = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not keys:
        raise BadKeyFile(f"there is no private key in {place}", hint="A line of it begins with AGE-SECRET-KEY-1.")
    try:
        identities = [x25519.Identity.from_str(key) for key in keys]
    except IdentityError as error:
        raise BadKeyFile(
            f"a line of {place} is no private key of age",
            detail="Keys protected by a passphrase, in plugins or of ssh are opened by age itself.",
            hint="Make the file with `pgtend keys new` or age-keygen; `age -d` opens one with a passphrase.",
        ) from error
    pairs = (KeyPair(str(one.to_public()), SecretStr(str(one))) for one in identities)
    return PrivateKeys(tuple(pairs))
