"""Digests: one value has one form."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pgtend.kernel.digests import canonical_json, sha256_hex


def test_the_order_of_keys_does_not_change_the_form() -> None:
    """What is hashed must not depend on who wrote it."""
    assert canonical_json({"b": 1, "a": "ü"}) == canonical_json({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'.encode()


def test_moments_are_written_in_iso_form() -> None:
    """A moment has one spelling."""
    assert canonical_json([datetime(2026, 1, 2, tzinfo=UTC)]) == b'["2026-01-02T00:00:00+00:00"]'


def test_what_has_no_canonical_form_is_refused() -> None:
    """Guessing a form would make two digests of one value."""
    with pytest.raises(TypeError, match="no canonical form"):
        canonical_json({"a": object()})


def test_the_digest_is_sha_256() -> None:
    """Anybody can compute it again with stock tools."""
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
