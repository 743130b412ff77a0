"""What a vault tells about its backups, without a ledger and without a fleet file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from bed.impatient import wait_for
from bed.stored_backups import day, folder_vault, manifest_digest, put_backup
from pgtend.backup.catalogue import Catalogue, databases_in, read_catalogue
from pgtend.backup.errors import NoSuchBackup
from pgtend.backup.manifest import Manifest
from pgtend.backup.marks import Lease, Mark, in_use, put_mark
from pgtend.backup.states import BackupState
from pgtend.kernel.times import utc_now
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, StoredObject

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    """Give an empty vault."""
    return folder_vault(tmp_path / "vault")


def catalogue(vault: FolderVault, now: datetime = NOW) -> Catalogue:
    """List the backups of kgc."""
    return read_catalogue(vault, "clinic", "kgc", now)


def notes_of_use(vault: FolderVault, made: Manifest) -> list[str]:
    """Name the notes that say that somebody reads a backup."""
    return [one.key for one in vault.objects(made.folder) if "in-use" in one.key]


def test_backups_are_listed_newest_first(vault: FolderVault) -> None:
    """The order is that of the moments they show."""
    for number in (3, 1, 2):
        put_backup(vault, day(number))
    found = catalogue(vault)
    assert [entry.taken_at for entry in found.entries] == [day(3), day(2), day(1)]
    assert [entry.state for entry in found.entries] == [BackupState.VERIFIED] * 3
    assert (found.leftovers, found.unreadable) == ((), ())


def test_parts_without_a_manifest_are_no_backup(vault: FolderVault) -> None:
    """A backup that was killed half-way does not exist, but its remains are seen."""
    vault.put_if_absent("backups/clinic/kgc/20261105T020000Z-dead0000/rest.dump.zst", b"half")
    found = catalogue(vault)
    assert found.entries == ()
    assert [(one.backup_id, one.size) for one in found.leftovers] == [("20261105T020000Z-dead0000", 4)]


def test_a_missing_part_makes_a_backup_damaged(vault: FolderVault) -> None:
    """A listing alone shows it, and retention is told to remove nothing."""
    made = put_backup(vault, day(1))
    vault.delete(f"{made.folder}rest.dump.zst")
    entry = catalogue(vault).entries[0]
    assert (entry.state, entry.faults) == (BackupState.DAMAGED, ("rest.dump.zst is missing",))
    assert "is damaged, rest.dump.zst is missing" in catalogue(vault).holdings().doubts[0]


def test_a_part_of_another_size_makes_a_backup_damaged(vault: FolderVault, tmp_path: Path) -> None:
    """A part that was cut is noticed without reading it."""
    made = put_backup(vault, day(1))
    (tmp_path / "vault" / f"{made.folder}rest.dump.zst").write_bytes(b"rows")
    assert catalogue(vault).entries[0].faults == ("rest.dump.zst has 4 bytes and not 14",)


def test_a_manifest_that_is_none_casts_doubt(vault: FolderVault) -> None:
    """It may be the manifest of the only good backup, so nothing is removed."""
    vault.put_if_absent("backups/clinic/kgc/20261105T020000Z-00000000/manifest.json", b"{}")
    found = catalogue(vault)
    assert found.entries == ()
    assert found.holdings().doubts[0].startswith("Nothing is removed: 'backups/clinic/kgc/20261105T020000Z-00000000")


def test_the_manifest_of_another_backup_is_not_believed(vault: FolderVault) -> None:
    """An older manifest replayed under a newer name makes no newer backup."""
    made = put_backup(vault, day(1))
    with vault.open(made.key) as stream:
        vault.put_if_absent("backups/clinic/kgc/20261109T020000Z-00000000/manifest.json", stream.read(1 << 20))
    found = catalogue(vault)
    assert [entry.backup_id for entry in found.entries] == [made.backup_id]
    assert found.unreadable == ("backups/clinic/kgc/20261109T020000Z-00000000/manifest.json",)


def test_a_mark_raises_the_state_of_exactly_the_manifest_it_was_made_for(vault: FolderVault) -> None:
    """A drill proves one backup; a mark for other bytes proves nothing."""
    first, second = put_backup(vault, day(1)), put_backup(vault, day(2), state="STORED")
    by, at = "drill", NOW
    for made, digest in ((first, manifest_digest(first)), (second, "11" * 32)):
        put_mark(
            vault,
            made,
            Mark(backup_id=made.backup_id, state=BackupState.PROVEN, at=at, manifest_sha256=digest, by=by),
        )
    states = {entry.taken_at: entry.state for entry in catalogue(vault).entries}
    assert states == {day(1): BackupState.PROVEN, day(2): BackupState.STORED}


def drilled(vault: FolderVault, made: Manifest, state: BackupState, at: datetime) -> None:
    """Mark a backup as a drill does."""
    mark = Mark(backup_id=made.backup_id, state=state, at=at, manifest_sha256=manifest_digest(made), by="drill")
    put_mark(vault, made, mark)


def test_the_last_drill_decides(vault: FolderVault) -> None:
    """A backup may break after it was proven, and a drill that went wrong may be repeated."""
    first, second = put_backup(vault, day(1)), put_backup(vault, day(2))
    drilled(vault, first, BackupState.PROVEN, NOW)
    drilled(vault, first, BackupState.BROKEN, NOW + timedelta(days=7))
    drilled(vault, second, BackupState.BROKEN, NOW)
    drilled(vault, second, BackupState.PROVEN, NOW + timedelta(days=7))
    states = {entry.taken_at: entry.state for entry in catalogue(vault).entries}
    assert states == {day(1): BackupState.BROKEN, day(2): BackupState.PROVEN}
    assert catalogue(vault).holdings().doubts == ()


def test_a_broken_backup_is_given_to_nobody_who_asks_for_the_latest(vault: FolderVault) -> None:
    """Who names it gets it; and while none after it is proven, nothing is removed."""
    first, second = put_backup(vault, day(1)), put_backup(vault, day(2))
    drilled(vault, first, BackupState.PROVEN, NOW)
    drilled(vault, second, BackupState.BROKEN, NOW)
    found = catalogue(vault)
    assert found.choose("latest").backup_id == first.backup_id
    assert found.choose("2026-11-30").backup_id == first.backup_id
    assert found.choose(second.backup_id).backup_id == second.backup_id
    assert f"a drill found backup {second.backup_id} broken" in found.holdings().doubts[0]


def test_a_broken_mark_hides_no_backup_and_casts_doubt(vault: FolderVault) -> None:
    """Garbage beside a manifest must not keep anybody from restoring."""
    made = put_backup(vault, day(1))
    vault.put_if_absent(f"{made.folder}marks/odd.json", b"not json")
    found = catalogue(vault)
    assert found.choose("latest").backup_id == made.backup_id
    assert found.unreadable == (f"{made.folder}marks/odd.json",)


def test_a_damaged_manifest_hides_no_other_backup(vault: FolderVault, tmp_path: Path) -> None:
    """One flipped byte in one manifest must not keep anybody from restoring all the others."""
    first, second = put_backup(vault, day(1)), put_backup(vault, day(2))
    path = tmp_path / "vault" / second.key
    path.write_bytes(path.read_bytes().replace(b"kgc", b"kgd", 1))
    found = catalogue(vault)
    assert found.choose("latest").backup_id == first.backup_id
    assert found.unreadable == (second.key,)
    assert found.passed_over("latest", found.entries[0]) == (f"backup {second.backup_id} is newer and cannot be read",)
    assert found.passed_over("2026-11-01T12:00", found.entries[0]) == ()


def test_a_backup_that_is_removed_while_it_is_listed_is_not_there(vault: FolderVault) -> None:
    """Retention may run beside any look at the vault."""
    first, second = put_backup(vault, day(1)), put_backup(vault, day(2))

    class Forgetful(FolderVault):
        """Loses a manifest right after it was listed."""

        @override
        def objects(self, prefix: str) -> Sequence[StoredObject]:
            listed = super().objects(prefix)
            self.delete(second.key)
            return listed

    found = catalogue(Forgetful(FolderPlace(path=Path(vault.place))))
    assert [entry.backup_id for entry in found.entries] == [first.backup_id]
    assert found.unreadable == ()


def test_a_lease_shows_while_somebody_reads_and_runs_out(vault: FolderVault) -> None:
    """A killed restore does not protect a backup for ever."""
    made = put_backup(vault, day(1))
    lease = Lease.begun(made.backup_id, "restored", "ana", NOW)
    with in_use(vault, made, lease, str):
        assert catalogue(vault).entries[0].in_use == "being restored by ana since 2026-11-21 12:00 UTC"
        assert catalogue(vault, NOW + timedelta(days=2)).entries[0].in_use == ""
    assert catalogue(vault).entries[0].in_use == ""


def test_a_lease_lasts_as_long_as_its_reader(vault: FolderVault) -> None:
    """A restore of two days must not lose its backup after one. It shows once, however often it was renewed."""
    made = put_backup(vault, day(1))
    began = utc_now() - timedelta(days=2)
    lease = Lease.begun(made.backup_id, "restored", "ana", began)
    with in_use(vault, made, lease, str, renewal=timedelta(milliseconds=20)):
        wait_for(lambda: len(notes_of_use(vault, made)) > 3)
        shown = catalogue(vault, utc_now() + timedelta(hours=23)).entries[0].in_use
    assert shown == f"being restored by ana since {began:%Y-%m-%d %H:%M} UTC"
    assert notes_of_use(vault, made) == []


def test_an_attempt_newer_than_the_newest_backup_is_a_doubt(vault: FolderVault) -> None:
    """While backups fail, the old ones stay."""
    put_backup(vault, day(1))
    vault.put_if_absent("backups/clinic/kgc/20261120T020000Z-dead0000/rest.dump.zst", b"half")
    assert catalogue(vault).holdings().doubts == (
        "Nothing is removed: the newest attempt, 20261120T020000Z-dead0000, was not finished.",
    )


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("latest", 3),
        ("20261102T020000Z-00000000", 2),
        ("2026-11-02T12:00:00", 2),
        ("2026-11-02 03:00:00+01:00", 2),
        ("2026-11-02T01:59:59Z", 1),
    ],
)
def test_a_backup_is_chosen_by_name_by_moment_or_as_the_latest(vault: FolderVault, wanted: str, number: int) -> None:
    """A moment means the newest backup that is not later."""
    for each in (1, 2, 3):
        put_backup(vault, day(each))
    assert catalogue(vault).choose(wanted).taken_at == day(number)


def test_the_latest_is_never_a_damaged_one(vault: FolderVault) -> None:
    """On the worst day the newest that can be restored is wanted."""
    put_backup(vault, day(1))
    vault.delete(f"{put_backup(vault, day(2)).folder}rest.dump.zst")
    assert catalogue(vault).choose("latest").taken_at == day(1)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("20261109T020000Z-00000000", "there is no backup '20261109T020000Z-00000000' of kgc"),
        ("2020-01-01", "there is no backup as early as 2020-01-01 00:00:00 UTC of kgc"),
    ],
)
def test_a_backup_that_is_not_there_is_named(vault: FolderVault, wanted: str, message: str) -> None:
    """The error says where it was looked for and what lists the others."""
    put_backup(vault, day(1))
    with pytest.raises(NoSuchBackup, match=message) as caught:
        catalogue(vault).choose(wanted)
    assert "which holds 1 backup of it" in caught.value.detail


def test_whoever_finds_no_sound_backup_is_sent_to_the_second_vault(vault: FolderVault) -> None:
    """It may be the only place that is left; a damaged backup is given only to whoever names it."""
    with pytest.raises(NoSuchBackup) as nothing:
        catalogue(vault).choose("latest")
    assert nothing.value.hint == "A second vault may hold one: --copy VAULT. `pgtend backup kgc` takes one."
    vault.delete(f"{put_backup(vault, day(1)).folder}rest.dump.zst")
    with pytest.raises(NoSuchBackup) as damaged:
        catalogue(vault).choose("latest")
    assert damaged.value.hint.endswith("Name a damaged one to use it all the same.")


def test_a_vault_names_the_databases_it_holds(vault: FolderVault) -> None:
    """Without a fleet file the vault still tells what is in it."""
    put_backup(vault, day(1))
    vault.put_if_absent("backups/clinic/half/20261105T020000Z-dead0000/rest.dump.zst", b"half")
    assert databases_in(vault) == (("clinic", "kgc"),)
