"""The fleet file that the demo runs with: the committed one, and the public keys that were made for this clone."""

from __future__ import annotations

from demo.runtime.places import Places, write_private

RECIPIENTS = ("operations", "escrow")
REMARK = """
# The keys of this demo, made by `make demo`. The private halves lie in keys/ beside this file, which no worker of a
# real installation would have: there, `pgtend keys new` is run on another machine.
"""


def write_fleet_file(places: Places, airflow: str) -> None:
    """Complete the committed fleet file with keys, which are made once, and with where Airflow is watched."""
    recipients = "".join(f"    {name}: {public_key(places, name)}\n" for name in RECIPIENTS)
    committed = (places.root / "demo" / "fleet.yaml").read_text(encoding="utf-8")
    receipts = f"receipts:\n  trusted_keys:\n    demo: {verifying_key(places)}\n"
    watchdog = f"watchdog:\n  airflow: {airflow}\n"
    write_private(places.fleet, f"{committed}{REMARK}keys:\n  recipients:\n{recipients}{receipts}{watchdog}")


def public_key(places: Places, name: str) -> str:
    """Give the public key of a recipient, making the pair at the first call."""
    from pgtend.vault.agekeys import new_pair, read_key_file  # noqa: PLC0415 - only this step needs the library

    file = places.key(name)
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(file, new_pair().key_file())
    return read_key_file(file).pairs[0].public


def verifying_key(places: Places) -> str:
    """Give the public key of whoever signs receipts, making the pair at the first call."""
    from pgtend.drill.receipts.keys import new_signing_key, read_signing_key  # noqa: PLC0415 - as above

    file = places.signing_key
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new_signing_key().write(file)
    return read_signing_key(file).public.text
