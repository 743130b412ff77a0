"""The fleet file of the demo: the committed one with keys that were made for this clone, and stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.runtime.fleet_file import write_fleet_file
from demo.runtime.places import ROOT, Places
from pgtend.drill.receipts.signer import KEY_VARIABLE, signing_key_for
from pgtend.fleet.load import load_fleet
from pgtend.kernel.progress import quietly


def test_the_demo_can_sign_receipts_that_its_fleet_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is made once, nobody else may read it, and only its public half is in the file."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    places = Places(ROOT, tmp_path)
    write_fleet_file(places, "http://127.0.0.1:8080")
    fleet, private = load_fleet(places.fleet), places.signing_key.read_text(encoding="utf-8")
    rules = fleet.receipts.model_copy(update={"signing_key": str(places.signing_key)})
    assert list(fleet.receipts.trusted_keys.values()) == [signing_key_for(rules, quietly).public.text]
    assert places.signing_key.stat().st_mode & 0o077 == 0
    assert private.splitlines()[1] not in places.fleet.read_text(encoding="utf-8")
    assert fleet.watchdog.airflow == "http://127.0.0.1:8080"
    write_fleet_file(places, "http://127.0.0.1:8080")
    assert places.signing_key.read_text(encoding="utf-8") == private
