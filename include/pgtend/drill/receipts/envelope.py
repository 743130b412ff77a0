"""The envelope around a receipt: DSSE, one Ed25519 signature, and exactly one way to write it in bytes.

A signature covers the payload and its type. Everything around it, the blanks and the base64, could be changed without
the signature noticing, so an envelope that is not byte for byte what we would write is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pgtend.drill.receipts.keys import SigningKey, VerifyingKey, find_key
from pgtend.kernel.digests import canonical_json, sha256_hex
from pgtend.kernel.errors import BrokenEvidence
from pgtend.kernel.names import counted

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_RUNBOOK = "Keep the file as it is, and follow docs/runbooks/receipt-chain-broken.md."


class ReceiptBroken(BrokenEvidence):
    """A receipt is not what was signed, or nobody we trust signed it."""

    code = "drill.receipt_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What lay in an envelope whose signature holds."""

    payload: bytes
    key_id: str
    sha256: str
    """Of the whole envelope: by this digest the next receipt and the audit know it."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """Write what is really signed, as DSSE says: the lengths keep type and payload apart."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal_envelope(payload: bytes, key: SigningKey) -> bytes:
    """Sign a payload, and write the envelope."""
    return _write(payload, key.public.key_id, key.sign(pae(PAYLOAD_TYPE, payload)))


def open_envelope(content: bytes, trusted: Sequence[VerifyingKey]) -> Opened:
    """Take the payload out of an envelope, or say what is wrong with it."""
    payload, key_id, signature = _read(content)
    if _write(payload, key_id, signature) != content:
        raise _broken("its bytes are not as pgtend writes them, although the signed part may be whole")
    key = find_key(trusted, key_id)
    if key is None:
        raise ReceiptBroken(
            "the receipt is signed by a key that is not trusted here",
            detail=f"The id of that key is {key_id}. Trusted are {counted(len(trusted), 'key')}.",
            hint="Name its public key with --key or in receipts.trusted_keys, if it is one of yours.",
        )
    if not key.verifies(signature, pae(PAYLOAD_TYPE, payload)):
        raise _broken("its signature does not hold")
    return Opened(payload=payload, key_id=key_id, sha256=sha256_hex(content))


def _write(payload: bytes, key_id: str, signature: bytes) -> bytes:
    return (
        canonical_json(
            {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
            }
        )
        + b"\n"
    )


def _read(content: bytes) -> tuple[bytes, str, bytes]:
    try:
        envelope = cast("dict[str, object]", json.loads(content))
        (signed,) = cast("list[dict[str, str]]", envelope["signatures"])
        payload = base64.b64decode(cast("str", envelope["payload"]), validate=True)
        return payload, str(signed["keyid"]), base64.b64decode(signed["sig"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(f"it is no envelope with one signature ({type(error).__name__})") from error


def _broken(why: str) -> ReceiptBroken:
    return ReceiptBroken("the receipt is not what was signed", detail=f"{why[0].upper()}{why[1:]}.", hint=_RUNBOOK)
