"""Streams into and out of a vault: compressed by zstd, sealed by age, with no file in between.

zstd adds a checksum of the plain bytes, age authenticates each piece, and the vault digests what it stores: whoever
holds that digest knows that the plain bytes are those that were sealed. Both formats are everybody's:
`age -d -i key.txt | zstd -d` opens what was sealed here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

import pyrage
import zstandard
from typing_extensions import override

from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.sizes import Bytes
from pgtend.vault.agekeys import PrivateKeys, PublicKey
from pgtend.vault.frames import FrameDamaged, FrameEnd
from pgtend.vault.model import Readable, StoredObject, Vault
from pgtend.vault.parts import MIB
from pgtend.vault.pump import Pump, Spout
from pgtend.vault.streams import damaged

_FAST = zstandard.ZstdCompressionParameters(
    compression_level=1, window_log=20, hash_log=16, min_match=6, write_checksum=True
)
"""Level 1 of zstd that looks back twice as far, into a table of a quarter of a megabyte, for matches of 6 bytes.

On rows of health records that packs a sixth smaller than level 1 as it comes, on those of pgbench a quarter, for a
twelfth more of its time. Level 3 packed less than level 1 and took twice the time; 6 took seven times.
"""
_HELPING = MIB // 4
_NO_KEY = "No matching keys found"


class KeyUnavailable(Misconfigured):
    """None of the private keys at hand opens this object."""

    code = "vault.key_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What was stored, and what it was made of."""

    stored: StoredObject
    plain_size: Bytes


def seal(vault: Vault, key: str, source: Readable, recipients: Sequence[PublicKey]) -> Sealed:
    """Store a stream for the eyes of these recipients, or merely compressed when there are none.

    A source that raises leaves nothing in the vault.
    """
    packed = _Packed(source)
    if not recipients:
        stored = vault.put(key, packed)
    else:
        parsed = [recipient.parsed() for recipient in recipients]
        with Pump(lambda spout: packed.guard(lambda: pyrage.encrypt_io(packed, spout, parsed))) as sealed:
            stored = vault.put(key, sealed)
    return Sealed(stored=stored, plain_size=Bytes(packed.size))


@contextmanager
def unseal(
    vault: Vault, key: str, keys: PrivateKeys | None = None, *, sha256: str | None = None
) -> Generator[Readable]:
    """Read what was sealed. The stream raises, instead of ending, at any damage, any cut and any wrong key.

    Without keys the object is taken for one that was merely compressed.
    """
    with vault.open(key, sha256=sha256) as raw, Pump(lambda spout: _open_up(key, raw, spout, keys)) as plain:
        yield plain


class _Guarded:
    """Keeps what was raised on our side of pyrage, which makes its own error of it and drops ours."""

    def __init__(self) -> None:
        self._trouble: BaseException | None = None

    def keep(self, error: BaseException) -> None:
        """Remember the first thing that went wrong."""
        self._trouble = self._trouble or error

    def guard(self, work: Callable[[], None]) -> None:
        """Do something, and raise what really went wrong in it."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - whatever it was goes on, or what caused it
            raise self._trouble or error from None


class _Packed(_Guarded, Readable):
    """Compresses what a source gives."""

    def __init__(self, source: Readable) -> None:
        super().__init__()
        self._source = source
        self._compress = zstandard.ZstdCompressor(compression_params=_FAST).compressobj()
        self._left = memoryview(b"")
        self._is_at_end = False
        self.size = 0

    @override
    def read(self, size: int = -1, /) -> bytes:
        try:
            while not self._left and not self._is_at_end:
                self._left = memoryview(self._more())
        except BaseException as error:
            self.keep(error)
            raise
        taken = len(self._left) if size < 0 else size
        chunk, self._left = bytes(self._left[:taken]), self._left[taken:]
        return chunk

    def _more(self) -> bytes:
        chunk = self._source.read(_HELPING)
        if not chunk:
            self._is_at_end = True
            return self._compress.flush()
        self.size += len(chunk)
        return self._compress.compress(chunk)


class _Remembering(_Guarded, Readable):
    """Reads from a vault on behalf of pyrage."""

    def __init__(self, raw: Readable) -> None:
        super().__init__()
        self._raw = raw

    @override
    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._raw.read(size)
        except BaseException as error:
            self.keep(error)
            raise


class _Unpacked(_Guarded):
    """Decompresses what is pushed into it, and pushes the result on in bounded helpings."""

    def __init__(self, spout: Spout) -> None:
        super().__init__()
        self._end = FrameEnd()
        # It asks for a whole file and calls nothing but `write`.
        sink = cast("IO[bytes]", spout)
        self._decompress = zstandard.ZstdDecompressor().stream_writer(sink, write_size=_HELPING, closefd=False)

    def write(self, chunk: bytes, /) -> int:
        """Take compressed bytes."""
        try:
            self._end.watch(chunk)
            self._decompress.write(chunk)
        except BaseException as error:
            self.keep(error)
            raise
        return len(chunk)

    def flush(self) -> None:
        """Nothing is held back: the end of the stream is what counts."""

    def finish(self) -> None:
        """Refuse a stream that ended before its frame did."""
        if not self._end.is_reached:
            raise FrameDamaged("it ends before the zstd frame does")


def _open_up(key: str, raw: Readable, spout: Spout, keys: PrivateKeys | None) -> None:
    source, unpacked = _Remembering(raw), _Unpacked(spout)

    def decrypt() -> None:
        if keys is None:
            for chunk in iter(lambda: source.read(_HELPING), b""):
                unpacked.write(chunk)
        else:
            pyrage.decrypt_io(source, unpacked, keys.identities())

    try:
        source.guard(lambda: unpacked.guard(decrypt))
        unpacked.finish()
        _refuse_more(source)
    except (FrameDamaged, zstandard.ZstdError) as error:
        raise damaged(key, f"As a zstd stream it is broken: {error}.") from error
    except pyrage.DecryptError as error:
        raise _no_key(key) if _NO_KEY in str(error) else damaged(key, "Its age header is broken.") from error
    except OSError as error:
        raise damaged(key, "age says that its content is not what was sealed.") from error


def _refuse_more(source: Readable) -> None:
    """Read behind the last sealed chunk, where pyrage stops: only then does the vault judge the whole."""
    if source.read(1):
        raise FrameDamaged("something follows the end of what was sealed")


def _no_key(key: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"no private key at hand opens '{key}'",
        detail="It is sealed for others; the manifest beside it names for whom.",
        hint="Name the file with the private key by --key; the escrow key opens it too.",
    )
