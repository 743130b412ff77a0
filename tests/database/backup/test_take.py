"""A backup that was taken is right: one moment, all of it, readable, and by no key but those it is sealed for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.backups import ESCROW, KEYS, OPERATIONS, Depot
from bed.clusters import asked
from bed.impatient import wait_for
from bed.racing import race
from pgtend.backup.errors import BackupBroken
from pgtend.backup.manifest import read_manifest
from pgtend.backup.record import Coverage, Role, State
from pgtend.backup.verify import Depth, verify_backup
from pgtend.kernel.progress import quietly
from pgtend.vault.agekeys import PrivateKeys, new_pair
from pgtend.vault.sealing import KeyUnavailable


def test_a_backup_is_verified_down_to_its_last_row(depot: Depot) -> None:
    """What was counted in the snapshot is what the archives hold, and either key opens them."""
    manifest = depot.take()
    assert manifest.state is State.VERIFIED
    assert manifest.rows == 5100
    assert read_manifest(depot.vault, manifest.key) == manifest
    for pair in (OPERATIONS, ESCROW):
        verdict = verify_backup(depot.vault, manifest, PrivateKeys((pair,)), quietly)
        assert verdict.faults == ()
        assert verdict.depth is Depth.ROWS


def test_without_a_key_the_stored_bytes_are_judged_and_no_more_is_claimed(depot: Depot) -> None:
    """A worker, which has no private key, can still tell that nothing changed."""
    verdict = verify_backup(depot.vault, depot.take(), None, quietly)
    assert verdict.holds
    assert verdict.depth is Depth.STORED


def test_a_strangers_key_is_a_matter_of_keys_and_not_of_damage(depot: Depot) -> None:
    """Nobody is paged because somebody named the wrong key file."""
    manifest = depot.take()
    with pytest.raises(KeyUnavailable):
        verify_backup(depot.vault, manifest, PrivateKeys((new_pair(),)), quietly)


def test_large_tables_get_parts_of_their_own(depot: Depot) -> None:
    """Names with quotes, spaces, dots and wildcards are names and nothing else."""
    depot.live.run(
        'CREATE TABLE clinic."odd * ""name"".x" (id int)',
        'INSERT INTO clinic."odd * ""name"".x" SELECT generate_series(1, 20000)',
        address=depot.live.owner,
    )
    depot.rules = {"own_part_from": "100 kB"}
    manifest = depot.take()
    own = {str(table) for part in manifest.parts_of(Role.TABLE) for table in part.tables}
    assert own == {"clinic.visits", 'clinic.odd * "name".x'}
    assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()


def test_tables_beyond_the_budget_are_sampled_and_the_manifest_says_so(depot: Depot) -> None:
    """A fingerprint that covers less than every row never looks like one that covers all."""
    depot.live.run("CREATE TABLE clinic.keyless AS SELECT generate_series(1, 50) AS x", address=depot.live.owner)
    depot.rules = {"fingerprint_budget": "1 ms"}  # enough for 80 kB
    manifest = depot.take()
    covered = {table.name: table.coverage for table in manifest.tables}
    assert covered == {"visits": Coverage.SAMPLE, "patients": Coverage.FULL, "keyless": Coverage.FULL}
    assert any("clinic.visits" in remark and "sample" in remark for remark in manifest.remarks)
    assert manifest.rows == 5150


def test_a_sample_of_objects_read_back_is_no_verified_backup(depot: Depot) -> None:
    """Whoever saves time gets a state that says so."""
    depot.rules = {"read_back": "sample"}
    manifest = depot.take()
    assert manifest.state is State.STORED
    assert sum(part.read_back for part in manifest.parts) == 2


def test_an_unencrypted_backup_says_so_every_time(depot: Depot) -> None:
    """Readable for everybody only by wish, and never without a word."""
    depot.rules = {"unencrypted": True}
    manifest = depot.take()
    assert any("not encrypted" in remark for remark in manifest.remarks)
    assert any("not encrypted" in line for line in depot.lines)
    assert verify_backup(depot.vault, manifest, None, quietly).depth is Depth.ROWS


def test_backups_during_reloads_and_ddl_are_right_or_refused(depot: Depot) -> None:
    """Tables that are emptied and loaded, made, altered and dropped all the time: five backups, and none is wrong.

    The same with fifty backups and at three paces is a bench: make bench ONLY=race.
    """
    depot.rules = {"patience": "20 s"}
    tally = race(depot, rounds=5, pause=0.5)
    assert tally.wrong == []
    assert tally.right >= 3, tally
    assert {key.split("/")[3] for key in depot.stored()} == {manifest.backup_id for manifest in tally.taken}


def test_without_a_pause_a_backup_is_refused_and_says_who_is_in_the_way(depot: Depot) -> None:
    """Somebody who wants a table for himself again at once lets nobody in; the backup gives way and names him."""
    depot.rules = {"patience": "1 s"}
    tally = race(depot, rounds=1, pause=0.0)
    assert tally.wrong == []
    assert tally.right + sum(tally.refused.values()) == 1
    assert set(tally.refused) <= {"backup.gave_way", "postgres.locked_out", "postgres.transaction_lost"}


@pytest.mark.parametrize("what", ["flipped", "cut", "missing", "emptied", "swapped"])
def test_damage_to_any_object_is_found_and_named(depot: Depot, what: str) -> None:
    """Every part is looked at, with a key and without one."""
    manifest = depot.take()
    for number, part in enumerate(manifest.parts):
        path = Path(depot.vault.place) / manifest.key_of(part)
        sound = path.read_bytes()
        other = Path(depot.vault.place) / manifest.key_of(manifest.parts[number - 1])
        damaged = {
            "flipped": sound[:-20] + bytes([sound[-20] ^ 1]) + sound[-19:],
            "cut": sound[:-1],
            "missing": None,
            "emptied": b"",
            "swapped": other.read_bytes(),
        }[what]
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        for keys in (KEYS, None):
            verdict = verify_backup(depot.vault, manifest, keys, quietly)
            assert [fault.part for fault in verdict.faults] == [part.name]
            with pytest.raises(BackupBroken):
                verdict.raise_if_broken()
        path.unlink(missing_ok=True)
        path.write_bytes(sound)


def test_an_archive_without_the_rows_that_were_counted_is_found(depot: Depot) -> None:
    """A dump of an emptied table, whole and well sealed, does not pass: the snapshot counted other rows."""
    manifest = depot.take()
    tables = tuple(
        table.model_copy(update={"rows": table.rows + 1}) if table.name == "patients" else table
        for table in manifest.tables
    )
    verdict = verify_backup(depot.vault, manifest.model_copy(update={"tables": tables}), KEYS, quietly)
    assert [fault.what for fault in verdict.faults] == [
        "it holds 100 rows of clinic.patients, and the snapshot had 101"
    ]


def test_nothing_of_ours_stays_in_the_server(depot: Depot) -> None:
    """No session, no lock and no transaction outlives a backup."""
    depot.take()
    left = asked("SELECT application_name AS word FROM pg_stat_activity WHERE application_name LIKE 'pgtend:backup%%'")
    with depot.live.session() as session:
        # Who said goodbye is out of the door a moment later.
        wait_for(lambda: not session.rows(left))
        assert session.rows(left) == []
