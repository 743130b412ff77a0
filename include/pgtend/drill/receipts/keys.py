"""Keys that sign receipts: one private key where drills run, and public ones for everybody who wants to verify.

Ed25519, in the files that openssl writes and reads (PKCS #8 and SubjectPublicKeyInfo in PEM), so that nobody depends on
pgtend to check what pgtend signed.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pgtend.fleet.receipts import PUBLIC_PREFIX
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.errors import Misconfigured

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CONTAINER_SECRETS = Path("/run/secrets")
_PEM = "-----BEGIN "


class BadSigningKey(Misconfigured):
    """A key that should sign or verify receipts cannot be used."""

    code = "drill.bad_signing_key"


@dataclass(frozen=True)
class VerifyingKey:
    """The public half: whoever has it can tell whether a receipt was changed."""

    raw: bytes

    @cached_property
    def key_id(self) -> str:
        """Name the key by the digest of its DER form: `openssl pkey -pubin -outform DER | sha256sum` says the same."""
        return sha256_hex(self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def text(self) -> str:
        """Write it in one line, for the fleet file."""
        return PUBLIC_PREFIX + base64.b64encode(self.raw).decode()

    @property
    def pem(self) -> str:
        """Write it the way openssl does."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the private half signed exactly this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True)
class SigningKey:
    """The private half. It appears in no print, and never in the words of a command."""

    _private: Ed25519PrivateKey = field(repr=False)

    @cached_property
    def public(self) -> VerifyingKey:
        """The half that everybody may have."""
        return VerifyingKey(self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes."""
        return self._private.sign(message)

    def write(self, path: Path) -> None:
        """Write it into a new file that nobody else may read; a key is never overwritten."""
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadSigningKey(
                f"{path} cannot be made: {os.strerror(error.errno or 0).lower()}",
                hint="Name a file that is not there yet, in a folder that is: a key is never overwritten.",
            ) from error
        with os.fdopen(number, "wb") as file:
            file.write(pem)


def new_signing_key() -> SigningKey:
    """Make a pair of keys."""
    return SigningKey(Ed25519PrivateKey.generate())


def read_signing_key(path: Path) -> SigningKey:
    """Read the private key from a file that nobody else may read."""
    content = _content_of(path)
    if path.stat().st_mode & _OTHERS and not path.resolve().is_relative_to(_CONTAINER_SECRETS):
        raise BadSigningKey(
            f"others may read the signing key {path}",
            detail="Whoever has it can write receipts that look like ours.",
            hint=f"Run `chmod 600 {path}`; if others may have read it, follow docs/how-to/show-an-auditor.md.",
        )
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _not_a_key(str(path), "private") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise _not_a_key(str(path), "private")
    return SigningKey(private)


def read_verifying_key(written: str) -> VerifyingKey:
    """Read a public key: in one line, in PEM, or from the file of that name that holds either."""
    text = written.strip()
    if not text.startswith((PUBLIC_PREFIX, _PEM)):
        return read_verifying_key(_readable(_content_of(Path(text).expanduser()), text))
    try:
        if text.startswith(PUBLIC_PREFIX):
            raw = base64.b64decode(text.removeprefix(PUBLIC_PREFIX), validate=True)
            Ed25519PublicKey.from_public_bytes(raw)
            return VerifyingKey(raw)
        public = load_pem_public_key(text.encode())
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise _not_a_key("what was given", "public") from error
    if not isinstance(public, Ed25519PublicKey):
        raise _not_a_key("what was given", "public")
    return VerifyingKey(public.public_bytes(Encoding.Raw, PublicFormat.Raw))


def find_key(keys: Sequence[VerifyingKey], key_id: str) -> VerifyingKey | None:
    """Find the key that a signature names, among those that are trusted."""
    return next((key for key in keys if key.key_id == key_id), None)


def _content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSigningKey(
            f"the key file {path} cannot be read: {os.strerror(error.errno or 0).lower()}",
            hint="Name another file; `pgtend keys signing new` makes a pair.",
        ) from error


def _readable(content: bytes, name: str) -> str:
    """Take the text of a key file; one that does not begin as a public key must not send us to another file."""
    text = content.decode("utf-8", "replace").strip()
    if not text.startswith((PUBLIC_PREFIX, _PEM)):
        raise _not_a_key(name, "public")
    return text


def _not_a_key(place: str, half: str) -> BadSigningKey:
    return BadSigningKey(
        f"there is no {half} Ed25519 key in {place}",
        detail="A private key in PEM begins with BEGIN PRIVATE KEY, a public one with BEGIN PUBLIC KEY or ed25519:.",
        hint="`pgtend keys signing new` makes a pair; `pgtend keys signing show` prints the public half of one.",
    )
