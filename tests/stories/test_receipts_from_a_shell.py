"""Receipts as people handle them: by the real command, from making the key to the auditor's folder."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from bed.receipts import Office, outcome_of, verify_alone
from bed.shell import Shell
from bed.stored_backups import folder_vault
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.keys import read_signing_key
from pgtend.ledger.folder import FolderLedger

FLEET = """\
fleet: clinic
receipts:
  policy: Backup policy 3
  trusted_keys:
    operations: {public}
databases:
  kgc:
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Give an empty home."""
    return Shell(tmp_path)


def office_of(shell: Shell) -> Office:
    """Issue receipts where the commands of this shell look for them."""
    data = shell.home / ".local" / "share" / "pgtend"
    key = read_signing_key(shell.home / "receipts.key")
    book = ReceiptBook(vault=folder_vault(data / "vault"), fleet="clinic", trusted=(key.public,))
    return Office(data, key, book, FolderLedger(data / "ledger" / "clinic"))


def make_key(shell: Shell) -> str:
    """Make a pair of keys and write the fleet file that trusts it."""
    made = shell.pgtend("keys", "signing", "new", "receipts.key")
    assert made.status == 0, made.said
    private = (shell.home / "receipts.key").read_text(encoding="utf-8")
    assert (shell.home / "receipts.key").stat().st_mode & 0o777 == 0o600
    shell.secrets.append(private.splitlines()[1])
    (public,) = re.findall(r"ed25519:\S+", made.out)
    shell.write_fleet(FLEET.format(public=public))
    return public


def test_from_the_key_to_the_auditors_folder(shell: Shell) -> None:
    """Each command that the how-to names, in its order; the private key is never said."""
    public = make_key(shell)
    assert "There is no receipt yet" in shell.pgtend("receipt", "list").out
    office = office_of(shell)
    office.issue_many(2)
    listed = json.loads(shell.pgtend("receipt", "list", "--json").out)
    assert [(row["number"], row["database"], row["verdict"]) for row in listed] == [
        (2, "kgc", "PASS"),
        (1, "kgc", "PASS"),
    ]
    reviewed = shell.pgtend("receipt", "review", "2", "--verdict", "accepted", "--by", "Dr. Okafor")
    assert (reviewed.status, reviewed.out) == (0, "Dr. Okafor reviewed receipt 2: accepted.\n")
    corrected = shell.pgtend("receipt", "correct", listed[0]["receipt_id"], "--action", "The host was renamed.")
    assert corrected.status == 0, corrected.said
    shown = shell.pgtend("receipt", "show", "2")
    assert "Dr. Okafor: review, accepted" in shown.out
    assert "The host was renamed." in shown.out
    page = shell.pgtend("receipt", "show", "2", "--page", "receipt-2.html")
    assert page.status == 0, page.said
    assert "Dr. Okafor" in (shell.home / "receipt-2.html").read_text(encoding="utf-8")
    verified = shell.pgtend("receipt", "verify", "--all")
    assert (verified.status, "Verified 2 receipts, all sound" in verified.out) == (0, True)
    assert shell.pgtend("receipt", "export", "for-the-auditor").status == 0
    folder = shell.home / "for-the-auditor"
    assert verify_alone(folder / "receipts", keys=[public]).returncode == 0
    assert (folder / "verify_receipt.py").read_text() == shell.pgtend("receipt", "verifier").out


def test_what_is_said_of_receipts_is_true_of_what_was_asked(shell: Shell) -> None:
    """A database that nobody knows has no empty list, a page that cannot be written no file, a program its JSON."""
    make_key(shell)
    office = office_of(shell)
    office.issue_many(1)
    unknown = shell.pgtend("receipt", "list", "kgd")
    assert (unknown.status, "the fleet has no database 'kgd'" in unknown.err) == (78, True)
    (shell.home / "folder").mkdir()
    refused = shell.pgtend("receipt", "show", "1", "--page", "folder")
    assert (refused.status, "[cli.not_written]" in refused.err) == (78, True)
    assert [path.name for path in shell.home.iterdir() if path.name.startswith(".folder")] == []
    (file,) = (shell.home / ".local/share/pgtend/vault/receipts").rglob("2*.json")
    told = json.loads(shell.pgtend("receipt", "verify", str(file), "--json").out)
    assert (told["number"], told["database"], told["holds"]) == (1, "kgc", True)
    (shell.home / ".local/share/pgtend/vault/receipts/clinic/_chain/000000000002.json").write_text("{}")
    listed = shell.pgtend("receipt", "list", "--json")
    assert (len(json.loads(listed.out)), "cannot be believed" in listed.err) == (1, True)


def test_a_removed_receipt_ends_the_command_with_the_status_of_broken_evidence(shell: Shell) -> None:
    """The newest one, which no later receipt remembers."""
    make_key(shell)
    office = office_of(shell)
    office.issue_many(2)
    for path in office.folder.rglob("*.json"):
        if path.name.startswith(("000000000002", "20261205")):
            path.unlink()
    verified = shell.pgtend("receipt", "verify", "--all")
    assert verified.status == 65
    assert "receipt 2: it is missing" in verified.err
    assert "docs/runbooks/receipt-chain-broken.md" in verified.err


def test_a_file_is_verified_without_a_fleet_file(shell: Shell) -> None:
    """An auditor with pgtend has a key and a file; stock tools say the same."""
    public = make_key(shell)
    office = office_of(shell)
    (shell.home / "receipt.json").write_bytes(office.issue(outcome_of()).envelope)
    (shell.home / "fleet.yaml").unlink()
    right = shell.pgtend("receipt", "verify", "receipt.json", "--key", public)
    assert (right.status, "The signature of receipt 1 of kgc holds." in right.out) == (0, True)
    by_hand = openssl_verifies(shell, office)
    assert "Signature Verified Successfully" in by_hand
    (shell.home / "receipt.json").write_bytes(b"{}\n")
    assert shell.pgtend("receipt", "verify", "receipt.json", "--key", public).status == 65
    assert shell.pgtend("receipt", "verify", "nothing.json", "--key", public).status == 78


def openssl_verifies(shell: Shell, office: Office) -> str:
    """Run what the how-to tells people to type."""
    (shell.home / "keys").mkdir()
    (shell.home / "keys" / "public.pem").write_text(office.key.public.pem, encoding="utf-8")
    how_to = (Path(__file__).parents[2] / "docs" / "how-to" / "show-an-auditor.md").read_text(encoding="utf-8")
    block = how_to[how_to.index("jq -r .payload") : how_to.index("-sigfile signature") + len("-sigfile signature")]
    # jq is not on every machine that runs the tests; Python reads the same two fields.
    read = "python3 -c 'import json,sys; e=json.load(open(sys.argv[1])); print({field})' receipt.json"
    text = block.replace("jq -r .payload receipt.json", read.format(field='e["payload"]'))
    text = text.replace("jq -r '.signatures[0].sig' receipt.json", read.format(field='e["signatures"][0]["sig"]'))
    text = text.replace("0123456789abcdef.pem", "public.pem")
    done = subprocess.run(["/bin/sh", "-ec", text], cwd=shell.home, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
