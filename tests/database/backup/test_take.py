"""A backup that was taken is right: one moment, all of it, readable, and by no key but those it is sealed for."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bed.backups import ESCROW, KEYS, OPERATIONS, Depot
from bed.clusters import asked, statement
from pgtend.backup.errors import BackupBroken
from pgtend.backup.manifest import read_manifest
from pgtend.backup.record import Coverage, Role, State
from pgtend.backup.verify import Depth, verify_backup
from pgtend.kernel.errors import Outage
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


@contextmanager
def reloading(depot: Depot) -> Generator[None]:
    """Truncate and load a table again in one transaction, all the time, while another table is locked.

    The pauses are there because whoever waits for a table with TRUNCATE also keeps the dumps out of it, and a backup is
    then refused: without any pause, every one of them is.
    """
    stop = threading.Event()

    def work() -> None:
        with depot.live.session(depot.live.owner) as session:
            while not stop.is_set():
                with session.transaction():
                    session.run(statement("LOCK TABLE clinic.patients IN ACCESS EXCLUSIVE MODE"))
                    session.run(statement("TRUNCATE clinic.reloaded"))
                    session.run(statement("INSERT INTO clinic.reloaded SELECT generate_series(1, 1000)"))
                stop.wait(1.5)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_table_that_is_reloaded_all_the_time_is_never_empty(depot: Depot) -> None:
    """Each of several backups holds all 1,000 rows or is refused; none is wrong."""
    depot.live.run(
        "CREATE TABLE clinic.reloaded (x int)",
        "INSERT INTO clinic.reloaded SELECT generate_series(1, 1000)",
        address=depot.live.owner,
    )
    taken = []
    with reloading(depot):
        for _ in range(15):
            try:
                taken.append(depot.take())
            except Outage:
                continue
            if len(taken) > 1:
                break
    assert taken, "not one of the backups was possible"
    for manifest in taken:
        rows = {table.name: table.rows for table in manifest.tables}
        assert rows == {"visits": 5000, "patients": 100, "reloaded": 1000}
        assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()


def test_tables_that_come_and_go_make_a_backup_right_or_refused(depot: Depot) -> None:
    """Whatever list of tables the snapshot shows is the list that is dumped."""
    stop = threading.Event()

    def churn() -> None:
        with depot.live.session(depot.live.owner) as session:
            number = 0
            while not stop.is_set():
                session.run(statement(f"CREATE TABLE clinic.passing_{number} AS SELECT generate_series(1, 10) AS x"))
                if number >= 3:
                    session.run(statement(f"DROP TABLE clinic.passing_{number - 3}"))
                number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    taken = []
    try:
        for _ in range(5):
            try:
                taken.append(depot.take())
            except Outage:
                continue
    finally:
        stop.set()
        thread.join()
    for manifest in taken:
        assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()
    kept = {key.split("/")[3] for key in depot.stored()}
    assert kept == {manifest.backup_id for manifest in taken}


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
        assert session.rows(left) == []
