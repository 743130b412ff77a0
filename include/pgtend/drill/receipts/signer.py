"""Who signs receipts on this machine, which keys are believed, and which vault keeps the receipts of a fleet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pgtend.drill.receipts.keys import (
    BadSigningKey,
    SigningKey,
    VerifyingKey,
    new_signing_key,
    read_signing_key,
    read_verifying_key,
)
from pgtend.fleet.model import Fleet, ReceiptRules, first_vault
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.progress import Progress

KEY_VARIABLE = "PGTEND_SIGNING_KEY_FILE"


class NoSigningKey(Misconfigured):
    """There is no key to sign receipts with on this machine."""

    code = "drill.no_signing_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Whoever issues receipts: the key, and the rules of the fleet."""

    key: SigningKey
    policy: str = ""
    keep: timedelta

    @classmethod
    def under(cls, rules: ReceiptRules, key: SigningKey) -> Signer:
        """Sign by the rules of a fleet."""
        return cls(key=key, policy=rules.policy or "", keep=rules.keep)


def signing_key_for(rules: ReceiptRules, progress: Progress, *, may_make: bool = False) -> SigningKey:
    """Find the key of this machine; ask before a drill begins, because without it there is no receipt.

    In a person's shell, where nothing says which keys are trusted, the first drill makes one.
    """
    path = key_file(rules)
    if not path.exists() and may_make and not rules.trusted_keys:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = new_signing_key()
        made.write(path)
        progress(f"a key to sign receipts with is made: {path}. Others trust it as {made.public.text}")
    if not path.exists():
        raise NoSigningKey(
            "there is no key to sign the receipt with on this machine",
            detail=f"It should be in {path}.",
            hint=f"`pgtend keys signing new {path}` makes one; {KEY_VARIABLE} names another file.",
        )
    key = read_signing_key(path)
    if rules.trusted_keys and key.public.text not in rules.trusted_keys.values():
        raise BadSigningKey(
            "the signing key of this machine is not among the trusted keys of the fleet",
            detail=f"Its public half is {key.public.text}.",
            hint="Add it to receipts.trusted_keys in the fleet file, or use the key that is named there.",
        )
    return key


def trusted_keys(rules: ReceiptRules, own: SigningKey | None = None) -> tuple[VerifyingKey, ...]:
    """List the keys whose receipts are believed: those of the fleet file, or else the one on this machine."""
    if rules.trusted_keys:
        return tuple(read_verifying_key(text) for text in rules.trusted_keys.values())
    if own is not None:
        return (own.public,)
    path = key_file(rules)
    return (read_signing_key(path).public,) if path.exists() else ()


def vault_of_receipts(fleet: Fleet) -> str:
    """Name the vault that keeps the receipts of the whole fleet."""
    return fleet.receipts.vault or first_vault(list(fleet.vaults))


def key_file(rules: ReceiptRules) -> Path:
    """Say where the signing key of this machine is."""
    return Path(os.environ.get(KEY_VARIABLE) or rules.signing_key).expanduser()
