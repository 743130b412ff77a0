"""Removing what retention lets go of, and copying to a second vault: done to real folders."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from typing_extensions import override

from bed.full_disk import fill, small_disk
from bed.stored_backups import SEALED, day, folder_vault, put_backup
from pgtend.backup.copies import CopyWork, copy_backups, in_each, keep_copies
from pgtend.backup.errors import CopyLate
from pgtend.backup.expiry import Holding, expire
from pgtend.backup.judging import verify_and_mark
from pgtend.backup.marks import Lease, in_use
from pgtend.backup.states import BackupState
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.errors import Outage
from pgtend.kernel.times import utc_now
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.vault.errors import ObjectDamaged, ObjectLocked, VaultUnreachable
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, Readable, StoredObject

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TWO_DAYS = RetentionRules(daily=2, weekly=0, monthly=0, yearly=0, at_least=1, proven=1)


class LockingVault(FolderVault):
    """A vault that protects every manifest, as Object Lock does."""

    @override
    def delete(self, key: str, *, version: str = "") -> None:
        if key.endswith("manifest.json"):
            raise ObjectLocked(f"'{key}' is locked")
        super().delete(key, version=version)


class FailingVault(FolderVault):
    """A vault that stops answering whoever writes, after it took the note that a backup is in use."""

    @override
    def delete(self, key: str, *, version: str = "") -> None:
        raise VaultUnreachable("it did not answer")

    @override
    def put(self, key: str, stream: Readable, *, sha256: str | None = None) -> StoredObject:
        if "/marks/" in key:
            raise VaultUnreachable("it did not answer")
        return super().put(key, stream, sha256=sha256)


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    """Give a vault with a backup of each of five days."""
    made = folder_vault(tmp_path / "vault")
    for number in range(1, 6):
        put_backup(made, day(number))
    return made


def holding(vault: FolderVault) -> Holding:
    """Keep two days of kgc."""
    return Holding(vault=vault, fleet="clinic", database="kgc", rules=TWO_DAYS)


def days_in(vault: FolderVault) -> list[int]:
    """Tell of which days there is a backup."""
    return [entry.taken_at.day for entry in holding(vault).catalogue(NOW).entries]


def test_what_no_rule_keeps_is_gone_wholly(vault: FolderVault) -> None:
    """Of a removed backup not one object stays, and of a kept one all do."""
    done = expire(holding(vault), str, clock=lambda: NOW)
    assert days_in(vault) == [5, 4]
    assert len(vault.objects("backups/")) == 2 * 3
    assert (len(done.removed), done.locked) == (3, ())
    assert str(done) == "removed 3 backups, which freed 78 bytes"


def test_a_second_run_removes_nothing_more(vault: FolderVault) -> None:
    """What is kept stays kept."""
    expire(holding(vault), str, clock=lambda: NOW)
    assert expire(holding(vault), str, clock=lambda: NOW).removed == ()


def test_a_backup_that_somebody_began_to_restore_meanwhile_stays(vault: FolderVault) -> None:
    """It is judged again right before it would be removed."""
    first = holding(vault).catalogue(NOW).entries[-1].manifest
    said: list[str] = []
    with in_use(vault, first, Lease.begun(first.backup_id, "restored", "ana", NOW), str):
        expire(holding(vault), said.append, clock=lambda: NOW)
        assert days_in(vault) == [5, 4, 1]


def test_a_backup_that_somebody_verifies_meanwhile_stays(vault: FolderVault) -> None:
    """Its parts would vanish from under the reader, who would take them for damage."""
    entry = holding(vault).catalogue(NOW).entries[-1]
    seen: list[list[int]] = []

    def tidy(_line: str) -> None:
        expire(holding(vault), str, clock=lambda: NOW)
        seen.append(days_in(vault))

    verify_and_mark(vault, entry, None, "ana", tidy, clock=lambda: NOW)
    assert seen[0] == [5, 4, 1]
    assert [one.key for one in vault.objects(entry.manifest.folder) if "in-use" in one.key] == []


def test_a_backup_can_be_read_from_a_disk_that_is_full() -> None:
    """There is no room for a note that somebody reads it, and the day on which one restores is no day to demand it."""
    said: list[str] = []
    with small_disk() as disk:
        full = folder_vault(disk / "vault")
        made = put_backup(full, day(1), contents=SEALED)
        fill(disk)
        with in_use(full, made, Lease.begun(made.backup_id, "restored", "ana", NOW), said.append):
            assert full.head(made.key)
    assert said == ["there is no room in the vault: retention cannot see that the backup is in use"]


def test_hours_of_work_are_not_lost_to_a_note_that_cannot_be_removed(tmp_path: Path) -> None:
    """It is void after a day, and what came of the work is what counts: a report, or damage that was found."""
    failing = FailingVault(FolderPlace(path=tmp_path / "vault", may_create=True))
    made, said = put_backup(failing, day(1)), list[str]()
    lease = Lease.begun(made.backup_id, "restored", "ana", NOW)
    with in_use(failing, made, lease, said.append):
        pass
    with pytest.raises(ObjectDamaged), in_use(failing, made, lease, said.append):
        raise ObjectDamaged("it is damaged")
    assert said == ["the note that the backup is in use stays in the vault; it is void after 1 day"] * 2


def test_damage_is_told_where_it_cannot_be_written_down(tmp_path: Path) -> None:
    """A vault that fails right after it showed damaged bytes must not make an outage of them."""
    failing, said = FailingVault(FolderPlace(path=tmp_path / "vault", may_create=True)), list[str]()
    made = put_backup(failing, day(1))
    entry = holding(failing).catalogue(NOW).entries[0]
    (tmp_path / "vault" / made.key_of(made.parts[0])).write_bytes(b"CREATE TABLF")
    verdict = verify_and_mark(failing, entry, None, "ana", said.append, clock=lambda: NOW)
    assert not verdict.holds
    assert "what was found is not written beside the backup: it did not answer" in said


def test_doubt_removes_nothing_not_even_remains(vault: FolderVault) -> None:
    """While the newest attempt is unfinished everything stays."""
    vault.put_if_absent("backups/clinic/kgc/20261106T020000Z-dead0000/rest.dump.zst", b"half")
    done = expire(holding(vault), str, clock=lambda: NOW + timedelta(days=30))
    assert (done.removed, done.leftovers) == ((), ())
    assert days_in(vault) == [5, 4, 3, 2, 1]


def test_the_remains_of_an_old_attempt_are_swept(vault: FolderVault, tmp_path: Path) -> None:
    """Objects without a manifest cost room for ever otherwise."""
    key = "backups/clinic/kgc/20261103T030000Z-dead0000/rest.dump.zst"
    vault.put_if_absent(key, b"half")
    old = (NOW - timedelta(days=3)).timestamp()
    os.utime(tmp_path / "vault" / key, (old, old))
    done = expire(holding(vault), str, clock=lambda: NOW)
    assert [leftover.backup_id for leftover in done.leftovers] == ["20261103T030000Z-dead0000"]
    assert not vault.objects("backups/clinic/kgc/20261103T030000Z-dead0000/")


def test_what_others_put_beside_backups_is_left_alone(vault: FolderVault, tmp_path: Path) -> None:
    """Neither a note of a person nor a hidden file of NFS is the remains of a backup, or keeps one from going."""
    folder, first = tmp_path / "vault/backups/clinic/kgc", holding(vault).catalogue(NOW).entries[-1].backup_id
    strange = [folder / "read me.txt", folder / "notes.txt", folder / "notes/today.txt", folder / first / ".nfs0001"]
    (folder / "notes").mkdir()
    for path in strange:
        path.write_text("x")
        os.utime(path, (0, 0))
    for _ in range(2):
        done = expire(holding(vault), str, clock=lambda: NOW)
        assert done.leftovers == ()
    assert days_in(vault) == [5, 4]
    assert len(vault.objects("backups/")) == 2 * 3 + len(strange)
    assert all(path.exists() for path in strange)


def test_what_the_vault_locks_stays_whole(tmp_path: Path) -> None:
    """The manifest goes first: when it may not, no part of its backup goes either."""
    locking = LockingVault(FolderPlace(path=tmp_path / "vault", may_create=True))
    for number in range(1, 6):
        put_backup(locking, day(number))
    done = expire(holding(locking), str, clock=lambda: NOW)
    assert (done.removed, len(done.locked)) == ((), 3)
    assert {entry.state for entry in holding(locking).catalogue(NOW).entries} == {BackupState.VERIFIED}


def copying(vault: FolderVault, tmp_path: Path, rules: RetentionRules | None = None) -> CopyWork:
    """Copy kgc to a second folder, which keeps all five days if nothing else is said."""
    second = folder_vault(tmp_path / "second")
    return CopyWork(
        source=vault, copy=second, rules=rules or RetentionRules(), fleet="clinic", database="kgc", by="test"
    )


def test_a_second_vault_gets_everything_and_is_judged_there(vault: FolderVault, tmp_path: Path) -> None:
    """All five are copied and count as read back whole; nothing is left to do."""
    work = copying(vault, tmp_path)
    assert len(work.state(NOW).missing) == 5
    report = copy_backups(work, str, clock=lambda: NOW)
    assert (len(report.copied), report.state.missing, report.state.lag) == (5, (), timedelta())
    states = [entry.state for entry in holding(work.copy).catalogue(NOW).entries]  # type: ignore[arg-type]
    assert states == [BackupState.VERIFIED] * 5
    assert copy_backups(work, str, clock=lambda: NOW).copied == ()


def test_what_the_copy_would_let_go_of_is_not_copied(vault: FolderVault, tmp_path: Path) -> None:
    """The second vault has rules of its own: what they would remove the same night is not even brought there."""
    work = copying(vault, tmp_path, TWO_DAYS)
    assert len(copy_backups(work, str, clock=lambda: NOW).copied) == 2
    assert days_in(work.copy) == [5, 4]  # type: ignore[arg-type]


def test_in_two_months_no_backup_is_copied_twice(tmp_path: Path) -> None:
    """A copy that keeps three days and two months lets go of days that the first vault still has."""
    months = RetentionRules(daily=3, weekly=0, monthly=2, yearly=0, at_least=1, proven=1)
    work = copying(folder_vault(tmp_path / "vault"), tmp_path, months)
    second = Holding(vault=work.copy, fleet="clinic", database="kgc", rules=months)
    copied: list[str] = []
    for number in range(60):
        tonight = day(1) + timedelta(days=number)
        put_backup(work.source, tonight)
        report = copy_backups(work, str, clock=lambda now=tonight: now + timedelta(hours=1))
        assert report.state.missing == ()
        expire(second, str, clock=lambda now=tonight: now + timedelta(hours=2))
        copied.extend(report.copied)
    assert len(copied) == len(set(copied)) == 60
    assert len(second.catalogue(NOW).entries) == 5


def test_what_is_older_than_the_first_copy_is_copied_too(vault: FolderVault, tmp_path: Path) -> None:
    """The newest goes first: who is broken off after it must not forget the others."""
    work = copying(vault, tmp_path)

    def broken_off(line: str) -> None:
        if "read it there" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_backups(work, broken_off, clock=lambda: NOW)
    assert days_in(work.copy) == [5]  # type: ignore[arg-type]
    assert len(copy_backups(work, str, clock=lambda: NOW).copied) == 4


def test_the_lag_is_how_long_the_first_newer_backup_waits(vault: FolderVault, tmp_path: Path) -> None:
    """Three hours after a backup was stored, a vault that lacks it is three hours behind."""
    work = copying(vault, tmp_path)
    copy_backups(work, str, clock=lambda: NOW)
    made = put_backup(vault, day(6))
    stored = vault.head(made.key).stored_at
    put_backup(vault, day(7))
    state = work.state(stored + timedelta(hours=3))
    assert state.lag == timedelta(hours=3)
    assert (state.is_late(timedelta(hours=2)), state.is_late(timedelta(hours=4))) == (True, False)
    assert str(state) == f"{work.copy.place} lacks 2 backups of {vault.place} and is 3 h behind"


def test_a_damaged_original_is_not_copied_as_if_it_were_good(vault: FolderVault, tmp_path: Path) -> None:
    """Bytes that differ from the manifest stop the copy, and no manifest appears at the other end."""
    newest = holding(vault).catalogue(NOW).entries[0].manifest
    path = tmp_path / "vault" / f"{newest.folder}rest.dump.zst"
    path.write_bytes(b"rows rows rowz")
    work = copying(vault, tmp_path)
    with pytest.raises(ObjectDamaged):
        copy_backups(work, str, clock=lambda: NOW)
    assert days_in(work.copy) == []  # type: ignore[arg-type]


def test_a_copy_that_was_broken_off_goes_on(vault: FolderVault, tmp_path: Path) -> None:
    """Parts that arrived are judged and not sent again."""
    work = copying(vault, tmp_path)
    newest = holding(vault).catalogue(NOW).entries[0].manifest
    part = newest.parts[0]
    work.copy.copy_from(vault, newest.key_of(part), sha256=part.stored_sha256)
    assert len(copy_backups(work, str, clock=lambda: NOW).copied) == 5


def test_a_second_vault_that_stays_behind_is_an_outage(vault: FolderVault, tmp_path: Path) -> None:
    """What came while others were copied has waited for longer than is allowed, and somebody hears of it."""
    work, ledger = copying(vault, tmp_path), FolderLedger(tmp_path / "ledger")

    def meanwhile(_line: str) -> None:
        if day(6) not in [entry.taken_at for entry in work.first(NOW).entries]:
            put_backup(vault, day(6))

    def late() -> datetime:
        return utc_now() + timedelta(hours=2)

    subject = Subject("kgc", "copy", "test")
    with pytest.raises(CopyLate, match="are 2 h behind"):
        keep_copies(work, timedelta(hours=1), ledger, subject, meanwhile, clock=late)
    assert keep_copies(work, timedelta(hours=1), ledger, subject, str, clock=late).state.missing == ()


def test_nothing_to_copy_is_no_success(tmp_path: Path) -> None:
    """A first vault that somebody emptied is not said to be wholly copied."""
    work = copying(folder_vault(tmp_path / "vault"), tmp_path)
    assert str(work.state(NOW)) == f"{work.source.place} holds no sound backup that could be copied"


def test_a_damaged_copy_is_no_copy(vault: FolderVault, tmp_path: Path) -> None:
    """What is missing of it is copied again, even of the oldest; until then the second vault is behind."""
    work = copying(vault, tmp_path)
    copy_backups(work, str, clock=lambda: NOW)
    entries = holding(vault).catalogue(NOW).entries
    for entry in (entries[0], entries[-1]):
        work.copy.delete(f"{entry.manifest.folder}rest.dump.zst")
    state = work.state(entries[0].committed_at + timedelta(hours=3))
    assert (state.missing, state.lag) == ((entries[0].backup_id, entries[-1].backup_id), timedelta(hours=3))
    assert copy_backups(work, str, clock=lambda: NOW).state.missing == ()


def test_a_copy_with_other_bytes_is_an_error_and_then_made_anew(vault: FolderVault, tmp_path: Path) -> None:
    """Somebody hears of it; what differs is taken away, and the next run brings the original again."""
    work = copying(vault, tmp_path)
    copy_backups(work, str, clock=lambda: NOW)
    part = f"{holding(vault).catalogue(NOW).entries[0].manifest.folder}rest.dump.zst"
    work.copy.delete(part)
    work.copy.put(part, BytesIO(b"rows rows rowz"))
    entry = holding(work.copy).catalogue(NOW).entries[0]  # type: ignore[arg-type]
    verify_and_mark(work.copy, entry, None, "test", str, clock=lambda: NOW)
    with pytest.raises(ObjectDamaged):
        copy_backups(work, str, clock=lambda: NOW)
    assert len(copy_backups(work, str, clock=lambda: NOW + timedelta(days=1)).copied) == 1
    assert work.state(NOW).missing == ()


def test_of_several_vaults_that_fail_the_worst_is_told() -> None:
    """An outage passes by itself; damage behind it does not, and every vault had its turn."""
    said: list[str] = []
    failures = {"a": Outage("the line is dead"), "b": ObjectDamaged("the copy is not the original"), "c": None}
    kept: list[str] = []

    def keep(name: str) -> None:
        if failure := failures[name]:
            raise failure
        kept.append(name)

    with pytest.raises(ObjectDamaged):
        in_each(failures, keep, said.append)
    assert (kept, len(said)) == (["c"], 2)
