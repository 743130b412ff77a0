"""Digests taken while bytes pass by, and the judgement at the end of a stream."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Protocol

from typing_extensions import override

from pgtend.kernel.errors import PgtendError
from pgtend.kernel.sizes import Bytes
from pgtend.vault.errors import ObjectDamaged, ObjectExists
from pgtend.vault.model import Readable, Vault
from pgtend.vault.parts import MIB, PartPlan


class Seal(Protocol):
    """Something that watches all bytes of an object and then says whether they are the right ones."""

    def update(self, chunk: bytes, /) -> None:
        """See the next bytes."""
        ...

    def is_whole(self) -> bool:
        """Say whether everything was right."""
        ...


class WholeSeal(Seal):
    """The SHA-256 of all bytes."""

    def __init__(self, expected: str) -> None:
        self._expected = expected.lower()
        self._digest = hashlib.sha256()

    @override
    def update(self, chunk: bytes, /) -> None:
        self._digest.update(chunk)

    @override
    def is_whole(self) -> bool:
        return self._digest.hexdigest() == self._expected


class PartsSeal(Seal):
    """S3's checksum of an object in parts: the SHA-256 of the parts' SHA-256s, and their number."""

    def __init__(self, expected: str, plan: PartPlan) -> None:
        self._expected = expected
        self._plan = plan
        self._digests: list[bytes] = []
        self._part = hashlib.sha256()
        self._taken = 0

    @override
    def update(self, chunk: bytes, /) -> None:
        view = memoryview(chunk)
        while view:
            room = self._plan.size_of(len(self._digests) + 1) - self._taken
            self._part.update(view[:room])
            self._taken += min(room, len(view))
            if room <= len(view):
                self._end_part()
            view = view[room:]

    @override
    def is_whole(self) -> bool:
        if self._taken:
            self._end_part()
        return checksum_of_parts(self._digests) == self._expected

    def _end_part(self) -> None:
        self._digests.append(self._part.digest())
        self._part = hashlib.sha256()
        self._taken = 0


def checksum_of_parts(digests: list[bytes]) -> str:
    """Compute what S3 shows as the checksum of an object made of parts."""
    return f"{base64.b64encode(hashlib.sha256(b''.join(digests)).digest()).decode()}-{len(digests)}"


class JudgedStream(Readable):
    """Passes bytes through, and raises instead of ending when they were not what was stored."""

    def __init__(self, raw: Readable, key: str, size: Bytes, seals: tuple[Seal, ...]) -> None:
        self._raw = raw
        self._key = key
        self._size = size
        self._seals = seals
        self._seen = 0
        self._judged = False

    @override
    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(MIB), b""))
        chunk = self._raw.read(size)
        self._seen += len(chunk)
        for seal in self._seals:
            seal.update(chunk)
        if self._seen > self._size or (size and not chunk and self._seen < self._size):
            raise damaged(self._key, f"It has {self._seen} bytes and {int(self._size)} were stored.")
        if self._seen == self._size and not self._judged:
            self._judge()
        return chunk

    def _judge(self) -> None:
        """Judge at the last byte, not at the end: a reader that knows the size never asks for the end."""
        self._judged = True
        if not all(seal.is_whole() for seal in self._seals):
            raise damaged(self._key, "Its SHA-256 differs from the one it was stored with.")


def damaged(key: str, detail: str) -> ObjectDamaged:
    """Say that an object is not what was stored."""
    return ObjectDamaged(
        f"'{key}' is damaged", detail=detail, hint="Use another copy, and see docs/runbooks/vault-object-damaged.md."
    )


def exists(key: str, place: str) -> ObjectExists:
    """Say that a key is taken."""
    return ObjectExists(
        f"'{key}' exists in {place}",
        detail="Keys are append-only: nothing that was stored is ever replaced.",
        hint="Another run stored it first; look at it before anything else: pgtend vault list.",
    )


def agree(key: str, expected: str | None, found: str) -> None:
    """Hold what was read against what was promised."""
    if expected is not None and expected.lower() != found:
        raise damaged(key, "The bytes that came have another SHA-256 than was promised.")


def judge_copy(vault: Vault, key: str, sha256: str) -> None:
    """Read a copy to its last byte; one that is not the original is taken away again."""
    try:
        with vault.open(key, sha256=sha256) as stream:
            while stream.read(MIB):
                pass
    except ObjectDamaged as error:
        try:
            vault.delete(key)
        except PgtendError as trouble:
            error.add_note(f"The damaged copy could not be taken away: {trouble.message}.")
        raise


def fill(stream: Readable, size: int) -> bytearray:
    """Read exactly so many bytes, less only at the end: pipes give what they have, not what was asked for."""
    part = bytearray()
    while len(part) < size:
        chunk = stream.read(min(MIB, size - len(part)))
        if not chunk:
            break
        part += chunk
    return part


def in_parts(stream: Readable, plan: PartPlan) -> Iterator[bytearray]:
    """Cut a stream by plan. The first part always comes, and may be empty."""
    number = 1
    part = fill(stream, plan.size_of(number))
    yield part
    while len(part) == plan.size_of(number):
        number += 1
        part = fill(stream, plan.size_of(number))
        if part:
            yield part
