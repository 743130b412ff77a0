"""Tries a vault out, for the doctor: what works here, what is refused, and what would fail at night."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.errors import BrokenEvidence, PgtendError
from pgtend.kernel.names import counted, new_run_id
from pgtend.kernel.times import utc_now
from pgtend.vault.errors import NotAtomic, ObjectExists, ObjectLocked, VaultRefused
from pgtend.vault.model import Confirmation, Vault

_RACERS = 8


class Standing(StrEnum):
    """How one trial went."""

    WORKS = "works"
    REFUSED = "refused, which is fine"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str
    standing: Standing
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """Everything that was tried in one vault."""

    place: str
    findings: tuple[Finding, ...]

    @property
    def is_usable(self) -> bool:
        """Say whether backups can be stored here."""
        return all(finding.standing is not Standing.FAILS for finding in self.findings)


def probe(vault: Vault) -> ProbeReport:
    """Write one small object, read it back, try to replace it, race for another, and try to remove both."""
    name = new_run_id(utc_now())
    key, raced = f"probe/{name}", f"probe/{name}-race"
    written = _try("write", lambda: _write(vault, key))
    if written.standing is Standing.FAILS:
        return ProbeReport(vault.place, (written,))
    return ProbeReport(
        vault.place,
        (
            written,
            _try("read back", lambda: _read_back(vault, key), refusable=True),
            _try("list", lambda: f"{counted(len(vault.objects('probe/')), 'object')} under probe/", refusable=True),
            _try("never replace", lambda: _replace(vault, key)),
            _try("one winner", lambda: _race(vault, raced), refusable=True),
            _try("delete", lambda: _remove(vault, key, raced), refusable=True),
        ),
    )


def _try(what: str, trial: Callable[[], str], *, refusable: bool = False) -> Finding:
    try:
        return Finding(what, Standing.WORKS, trial())
    except PgtendError as trouble:
        may_be = refusable and isinstance(trouble, VaultRefused | ObjectLocked | NotAtomic)
        standing = Standing.REFUSED if may_be else Standing.FAILS
        return Finding(what, standing, f"{trouble.message}. {trouble.detail}".strip(), trouble.hint)


def _content(key: str) -> bytes:
    return f"pgtend tried this vault out: {key}\n".encode()


def _write(vault: Vault, key: str) -> str:
    stored = vault.put(key, io.BytesIO(_content(key)), sha256=sha256_hex(_content(key)))
    return stored.confirmed.value if stored.confirmed is Confirmation.ACKNOWLEDGED else f"{stored.size} stored and seen"


def _read_back(vault: Vault, key: str) -> str:
    with vault.open(key, sha256=sha256_hex(_content(key))) as stream:
        return f"{len(stream.read())} bytes, digest equal"


def _replace(vault: Vault, key: str) -> str:
    try:
        vault.put(key, io.BytesIO(b"something else\n"))
    except ObjectExists:
        return "a second write of the same key was refused"
    raise BrokenEvidence(
        f"{vault.place} replaced an object",
        detail="A second write of the same key was taken.",
        hint="Turn on versioning or Object Lock there, or use another vault.",
    )


def _race(vault: Vault, key: str) -> str:
    """Let several writers store one key at the same moment; whoever shares the winning has proved nothing is safe."""
    with ThreadPoolExecutor(_RACERS) as pool:
        winners = sum(pool.map(_wins, [vault] * _RACERS, [key] * _RACERS))
    if winners != 1 or not vault.abilities.one_winner:
        raise NotAtomic(
            f"{winners} of {_RACERS} racing writers won at {vault.place}",
            detail=f"{vault.abilities.software} cannot promise one winner.",
            hint="Fine for backups, whose keys are unique. Keep locks in another vault.",
        )
    return f"{_RACERS} writers raced, one won"


def _wins(vault: Vault, key: str) -> bool:
    try:
        vault.put(key, io.BytesIO(secrets.token_bytes(64)))
    except ObjectExists:
        return False
    return True


def _remove(vault: Vault, *keys: str) -> str:
    for key in keys:
        vault.delete(key)
    return "this writer may delete: better give that right to retention alone"
