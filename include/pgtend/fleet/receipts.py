"""How receipts of drills are signed, where they are kept, and for how long."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, Strict

from pgtend.fleet.settings import Kind, Settings, Slug, Span, Text, refusal

PUBLIC_PREFIX = "ed25519:"
_PUBLIC_KEY = re.compile(r"ed25519:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
SIX_YEARS = timedelta(days=2192)
"""Six years with two leap days in them."""


def _read_public_key(value: object) -> object:
    if isinstance(value, str) and not _PUBLIC_KEY.fullmatch(value):
        if "PRIVATE KEY" in value.upper():
            raise refusal(
                "this is a private key, and whoever can read the file could now sign receipts",
                "make a new pair with `pgtend keys signing new`, and write the public one here: ed25519:...",
            )
        raise refusal(
            "this is no public key for receipts", "it begins with ed25519:; `pgtend keys signing new` prints it"
        )
    return value


SigningPublicKeyText: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("public key of receipts"),
    BeforeValidator(_read_public_key),
    Field(json_schema_extra={"pattern": f"^{_PUBLIC_KEY.pattern}$"}),
]


class ReceiptRules(Settings):
    """How receipts of drills are signed and kept."""

    signing_key: Text = Field(
        default="~/.config/pgtend/receipts.key",
        description=(
            "File with the private key that signs receipts where drills run; `pgtend keys signing new` makes one. "
            "`PGTEND_SIGNING_KEY_FILE` names another on one machine."
        ),
    )
    trusted_keys: dict[Slug, SigningPublicKeyText] = Field(
        default_factory=dict,
        description=(
            "Public keys, by name, whose receipts are believed: the one in use, and retired ones as long as their "
            "receipts are kept. Default: the public half of the signing key on this machine."
        ),
    )
    vault: Slug | None = Field(
        default=None,
        description="Name of the vault that keeps the receipts of the whole fleet. Default: `main`, or else the first.",
    )
    keep: Span = Field(
        default=SIX_YEARS,
        ge=timedelta(days=365),
        description=(
            "How long a receipt is kept. Nothing of ours deletes one; a bucket with `object_lock` lets nobody do it."
        ),
    )
    policy: Text | None = Field(
        default=None,
        description="The backup policy that drills carry out, as your auditor knows it; printed on every receipt.",
    )
