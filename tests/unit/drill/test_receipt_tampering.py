"""A receipt in which one byte differs is found, by pgtend and by the script that knows nothing of pgtend."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pgtend.drill.receipts.verify_receipt as script
from bed.receipts import Office, outcome_of, verify_alone
from pgtend.drill.receipts.envelope import ReceiptBroken, open_envelope, pae, seal_envelope
from pgtend.drill.receipts.keys import SigningKey, new_signing_key
from pgtend.drill.receipts.model import read_statement
from pgtend.kernel.digests import canonical_json


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Give one office for all tests that only read."""
    return Office.at(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def envelope(office: Office) -> bytes:
    """Give one receipt as it lies in the vault."""
    return office.issue(outcome_of()).envelope


def pgtend_believes(office: Office, content: bytes) -> bool:
    """Ask the library."""
    try:
        read_statement(open_envelope(content, (office.key.public,)).payload)
    except ReceiptBroken:
        return False
    return True


def script_believes(office: Office, content: bytes) -> bool:
    """Ask the script, as a module."""
    public = script.read_key(office.key.public.text)
    try:
        script.open_receipt(Path("x.json"), content, {script.key_id(public): public})
    except script.Wrong:
        return False
    return True


BELIEVERS = [pgtend_believes, script_believes]
believers = pytest.mark.parametrize("believes", BELIEVERS, ids=["pgtend", "script"])


@believers
def test_a_whole_receipt_is_believed(
    office: Office, envelope: bytes, believes: Callable[[Office, bytes], bool]
) -> None:
    """Otherwise the tests below would prove nothing."""
    assert believes(office, envelope)


def test_every_single_byte_that_is_changed_is_found_by_pgtend(office: Office, envelope: bytes) -> None:
    """Each position, once with one bit turned and once with any other byte."""
    dice = random.Random(20261121)  # noqa: S311 - which byte it becomes is no secret
    for position, byte in enumerate(envelope):
        for mask in (1 << dice.randrange(8), dice.randrange(1, 256)):
            changed = envelope[:position] + bytes([byte ^ mask]) + envelope[position + 1 :]
            assert not pgtend_believes(office, changed), position


def test_every_single_byte_that_is_changed_is_found_by_the_script(office: Office, envelope: bytes) -> None:
    """Each position outside the payload, and every sixtieth inside: there each costs a signature in pure Python."""
    payload_ends = envelope.index(b'","payloadType"')
    for position in [*range(0, payload_ends, 60), *range(payload_ends - 8, len(envelope))]:
        changed = envelope[:position] + bytes([envelope[position] ^ 1]) + envelope[position + 1 :]
        assert not script_believes(office, changed), position


@pytest.mark.parametrize("believes", BELIEVERS, ids=["pgtend", "script"])
@given(data=st.data())
def test_no_byte_can_be_taken_out_or_put_in(
    office: Office, envelope: bytes, believes: Callable[[Office, bytes], bool], data: st.DataObject
) -> None:
    """Blanks between the words of JSON and the ends of base64 are where such things hide."""
    position = data.draw(st.integers(0, len(envelope)))
    inserted = data.draw(st.binary(min_size=1, max_size=2))
    assert not believes(office, envelope[:position] + inserted + envelope[position:])
    taken = data.draw(st.integers(1, 3))
    if position < len(envelope):
        assert not believes(office, envelope[:position] + envelope[position + taken :])


def rewritten(envelope: bytes, change: Callable[[dict[str, object]], object]) -> bytes:
    """Change an envelope as an object and write it as pgtend would."""
    parsed = cast("dict[str, object]", json.loads(envelope))
    change(parsed)
    return canonical_json(parsed) + b"\n"


def signature_of(parsed: dict[str, object]) -> dict[str, str]:
    """Find the only signature of an envelope."""
    return cast("list[dict[str, str]]", parsed["signatures"])[0]


@believers
@pytest.mark.parametrize(
    "change",
    [
        lambda parsed: parsed.update(signatures=[]),
        lambda parsed: parsed["signatures"].append(parsed["signatures"][0]),
        lambda parsed: parsed.update(payloadType="text/plain"),
        lambda parsed: parsed.update(more=1),
        lambda parsed: parsed.pop("payload"),
        lambda parsed: parsed.update(payload=7),
        lambda parsed: parsed.update(signatures=[7]),
        lambda parsed: signature_of(parsed).update(keyid="00" * 32),
        lambda parsed: signature_of(parsed).update(sig=base64.b64encode(bytes(64)).decode()),
        lambda parsed: signature_of(parsed).update(sig=""),
        lambda parsed: signature_of(parsed).update(sig=base64.b64encode(b"\xff" * 64).decode()),
    ],
)
def test_an_envelope_that_is_put_together_otherwise_is_refused(
    office: Office,
    envelope: bytes,
    believes: Callable[[Office, bytes], bool],
    change: Callable[[dict[str, object]], object],
) -> None:
    """Written in the canonical way, and yet not what was signed."""
    assert not believes(office, rewritten(envelope, change))


@believers
@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\xfe", b"[" * 100_000, b'{"payload":"\\ud800"}\n']
)
def test_what_is_no_receipt_at_all_is_refused(
    office: Office, believes: Callable[[Office, bytes], bool], content: bytes
) -> None:
    """In our words, and not with a traceback."""
    assert not believes(office, content)


@believers
def test_the_signature_of_another_key_is_not_believed(
    office: Office, envelope: bytes, believes: Callable[[Office, bytes], bool]
) -> None:
    """Even when the envelope names the key that is trusted."""
    thief = new_signing_key()
    payload = open_envelope(envelope, (office.key.public,)).payload
    forged = seal_envelope(payload, thief)
    renamed = forged.replace(thief.public.key_id.encode(), office.key.public.key_id.encode())
    assert not believes(office, forged)
    assert renamed != forged
    assert not believes(office, renamed)


def test_something_else_that_the_key_signed_is_no_receipt(office: Office) -> None:
    """A key that signs other things too must not make receipts of them."""
    for payload in (b"{}", canonical_json({"_type": "https://in-toto.io/Statement/v1", "predicateType": "other"})):
        sealed = seal_envelope(payload, office.key)
        assert open_envelope(sealed, (office.key.public,)).payload == payload
        assert not script_believes(office, sealed)


def test_what_is_signed_is_what_dsse_says() -> None:
    """The example of the DSSE specification."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize(
    ("secret", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
)
def test_the_script_verifies_the_vectors_of_the_rfc(secret: str, public: str, message: str, signature: str) -> None:
    """RFC 8032, 7.1, tests 1 and 2; the private keys are there to be known."""
    assert len(secret) == 64
    key, said, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert script.signature_holds(key, said, signed)
    assert not script.signature_holds(key, said + b"x", signed)
    more = (int.from_bytes(signed[32:], "little") + script.L).to_bytes(32, "little")
    assert not script.signature_holds(key, said, signed[:32] + more)


@settings(max_examples=30)
@given(message=st.binary(max_size=200), seed=st.binary(min_size=32, max_size=32))
def test_the_script_and_cryptography_agree(message: bytes, seed: bytes) -> None:
    """Two who share no code, on any key and any message."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - the only test

    key = SigningKey(Ed25519PrivateKey.from_private_bytes(seed))
    signature = key.sign(message)
    assert script.signature_holds(key.public.raw, message, signature)
    broken = bytes([signature[0] ^ 1]) + signature[1:]
    assert key.public.verifies(broken, message) is False
    try:
        assert not script.signature_holds(key.public.raw, message, broken)
    except script.Wrong:
        assert broken != signature


def test_the_script_needs_nothing_of_ours(office: Office, envelope: bytes, tmp_path: Path) -> None:
    """In a Python without packages and without our environment: right and wrong receipts, keys in each form."""
    right, wrong, pem = tmp_path / "right.json", tmp_path / "wrong.json", tmp_path / "public.pem"
    right.write_bytes(envelope)
    wrong.write_bytes(envelope.replace(b"a", b"b", 1))
    pem.write_text(office.key.public.pem, encoding="utf-8")
    for key in (office.key.public.text, str(pem)):
        done = verify_alone(right, keys=[key])
        assert (done.returncode, done.stderr) == (0, "")
        assert "PASS  clinic/kgc" in done.stdout
    assert verify_alone(wrong, keys=[str(pem)]).returncode == 1
    assert verify_alone(right, keys=[new_signing_key().public.text]).returncode == 1
    assert verify_alone(right, keys=[str(tmp_path / "nothing.pem")]).returncode == 2
    assert verify_alone(right, keys=["ed25519:AAAA"]).returncode == 2
    assert verify_alone(tmp_path / "nothing.json", keys=[str(pem)]).returncode == 2
