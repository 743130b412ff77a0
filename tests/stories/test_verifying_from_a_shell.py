"""What a person is told who asks whether the backups are sound: doubt is never green, and never asked away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.shell import Shell
from bed.stored_backups import SEALED, day, folder_vault, put_backup
from pgtend.backup.manifest import Manifest
from pgtend.vault.agekeys import new_pair
from pgtend.vault.folder import FolderVault


@dataclass(frozen=True, slots=True)
class Office:
    """A shell beside a vault with the backups of two days."""

    shell: Shell
    vault: FolderVault
    old: Manifest
    new: Manifest

    def change(self, key: str, content: bytes) -> None:
        """Write over an object behind the back of the vault."""
        (self.shell.home / "vault" / key).write_bytes(content)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give two sound backups, sealed as far as anybody without a key can see."""
    shell = Shell(tmp_path)
    (tmp_path / "far").mkdir()
    vaults = {name: {"folder": {"path": str(tmp_path / name)}} for name in ("vault", "far")}
    kgc = {"connection": "host=/nowhere dbname=kgc", "backup": {"copies": {"far": {}}}}
    shell.write_fleet(json.dumps({"fleet": "clinic", "vaults": vaults, "databases": {"kgc": kgc}}))
    vault = folder_vault(tmp_path / "vault")
    return Office(shell, vault, *(put_backup(vault, day(number), contents=SEALED) for number in (1, 2)))


def test_sound_backups_are_green(office: Office) -> None:
    """Only then the exit status is 0; the latest alone when nothing else is asked for."""
    latest = office.shell.pgtend("verify", "kgc", "--json")
    assert (latest.status, [one["holds"] for one in json.loads(latest.out)["backups"]]) == (0, [True])
    every = office.shell.pgtend("verify", "kgc", "--all")
    assert (every.status, every.out.count("is sound")) == (0, 2)


def test_a_damaged_backup_stays_damaged_however_often_one_asks(office: Office) -> None:
    """The second time is as red as the first, although its state is known by then and an older one is sound."""
    office.change(f"{office.new.folder}rest.dump.zst.age", SEALED["rest.dump.zst.age"][:-1] + b"z")
    for _ in range(2):
        told = office.shell.pgtend("verify", "kgc")
        assert (told.status, "is DAMAGED" in told.out, "[backup.broken]" in told.err) == (65, True, True)
    assert office.shell.pgtend("verify", "kgc", "--id", office.old.backup_id).status == 0


def test_a_program_gets_one_document(office: Office) -> None:
    """Two of them one after the other could be read by nobody; what went wrong is in words beside it."""
    office.vault.delete(f"{office.new.folder}rest.dump.zst.age")
    told = office.shell.pgtend("verify", "kgc", "--json")
    faults = [fault["part"] for one in json.loads(told.out)["backups"] for fault in one["faults"]]
    assert (told.status, faults) == (65, ["rest.dump.zst.age"])
    refused = office.shell.pgtend("verify", "nosuch", "--json")
    assert (refused.status, json.loads(refused.out)["error"]["code"]) == (78, "cli.unknown_database")


def test_a_manifest_that_cannot_be_read_is_never_passed_over(office: Office) -> None:
    """It may belong to the newest backup, so the latest is in doubt, and an older one is not."""
    office.change(office.new.key, b'{"x": 1')
    for words in (("verify", "kgc"), ("verify", "kgc", "--all")):
        told = office.shell.pgtend(*words)
        assert (told.status, office.new.key in "".join(told.err.split())) == (65, True), told.said
    assert office.shell.pgtend("verify", "kgc", "--id", office.old.backup_id).status == 0


def test_a_manifest_that_is_gone_is_mentioned(office: Office) -> None:
    """Nobody can tell it from a backup that is being taken, but nobody takes the one before it for the newest."""
    office.vault.delete(office.new.key)
    told = office.shell.pgtend("verify", "kgc")
    assert f"backup {office.new.backup_id} is newer and is not finished" in told.err


def test_whoever_restores_hears_that_a_newer_backup_is_not_taken(office: Office) -> None:
    """The latest that can be restored is not the latest there is, and a person should know before anything is done."""
    office.vault.delete(f"{office.new.folder}rest.dump.zst.age")
    key = office.shell.home / "key"
    key.touch(mode=0o600)
    key.write_text(new_pair().key_file())
    said = " ".join(office.shell.pgtend("restore", "kgc", "--to", "host=/nowhere", "--key", str(key)).err.split())
    assert f"backup {office.new.backup_id} is newer and is DAMAGED, so {office.old.backup_id} is restored" in said


def test_a_damaged_copy_is_said_to_be_none(office: Office) -> None:
    """What somebody removed at the second vault shows in the list, and is copied again."""
    assert office.shell.pgtend("copy", "kgc").status == 0
    far = folder_vault(office.shell.home / "far")
    far.delete(f"{office.new.folder}rest.dump.zst.age")
    assert "DAMAGED" in office.shell.pgtend("backups", "kgc").out
    told = json.loads(office.shell.pgtend("backups", "kgc", "--json").out)
    assert [one["copies"] for one in told["backups"]] == [[], ["far"]]
    assert "copied 1 backup" in office.shell.pgtend("copy", "kgc").err
    assert office.shell.pgtend("verify", "kgc", "--copy", "far", "--all").status == 0


def test_a_ledger_that_is_gone_hides_no_damage(office: Office) -> None:
    """What was found is said and decides how the command ends; that nobody could write it down is said beside it."""
    plan = json.loads((office.shell.home / "fleet.yaml").read_text())
    office.shell.write_fleet(json.dumps({**plan, "ledger": {"connection": "host=/nowhere dbname=ledger"}}))
    office.vault.delete(f"{office.new.folder}rest.dump.zst.age")
    told = office.shell.pgtend("verify", "kgc")
    assert (told.status, "is DAMAGED" in told.out, "the ledger was not told" in told.err) == (65, True, True)
    assert office.shell.pgtend("verify", "kgc", "--id", office.old.backup_id).status == 75


@pytest.mark.parametrize("lost", ["ledger", "fleet file"])
def test_whoever_lost_what_a_restore_can_do_without_is_told_how(office: Office, lost: str) -> None:
    """On the worst day neither may be there, and the hint is what people read then."""
    plan = json.loads((office.shell.home / "fleet.yaml").read_text())
    office.shell.write_fleet(json.dumps({**plan, "ledger": {"connection": "host=/nowhere dbname=ledger"}}))
    if lost == "fleet file":
        (office.shell.home / "fleet.yaml").unlink()
    key = office.shell.home / "key"
    key.touch(mode=0o600)
    key.write_text(new_pair().key_file())
    told = office.shell.pgtend("restore", "kgc", "--to", "host=/nowhere", "--key", str(key))
    said = " ".join(told.err.split())
    assert "Or do without fleet file and ledger: pgtend restore DATABASE --from s3://bucket/prefix" in said


def test_no_key_is_proved_by_a_backup_that_is_not_encrypted(office: Office) -> None:
    """Every key would seem to open it, also a wrong one."""
    put_backup(office.vault, day(3))
    key = office.shell.home / "key"
    key.touch(mode=0o600)
    key.write_text(new_pair().key_file())
    told = office.shell.pgtend("keys", "check", "kgc", str(key))
    assert (told.status, "[cli.not_sealed]" in told.err, told.out) == (78, True, "")
