"""Each class of failure, produced for real: named correctly, the right thing blamed, the backup marked as it must."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, new_database, statement
from bed.drilling import DAMAGES, Ground, failures, forge, found, furnish, without_hstore
from bed.full_disk import fill, small_disk
from bed.restoring import Stage
from pgtend.backup.manifest import Manifest
from pgtend.backup.record import Role
from pgtend.backup.states import BackupState
from pgtend.drill.filling import Archives, Filler
from pgtend.drill.looking import check_indexes, check_pages, check_rows, check_structure
from pgtend.drill.model import CheckName, CheckOutcome, Rule, Verdict
from pgtend.drill.selection import cadences
from pgtend.fleet.model import Fleet
from pgtend.kernel.errors import BrokenEvidence, Misconfigured
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.sandbox import Bare, IsolationLevel
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore.archive import Backup, Spool
from pgtend.vault.agekeys import PrivateKeys, new_pair

pytestmark = pytest.mark.pg(">= 18")


@pytest.fixture
def clinic(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Give a clinic that may be changed; nothing of it is backed up yet."""
    with new_database(server) as made:
        furnish(made)
        yield made


@pytest.fixture
def ground(request: pytest.FixtureRequest, stage: Stage) -> Ground:
    """Give a ground for drills: of a clinic of the test's own where it asks for one, else with a sound backup."""
    if "clinic" in request.fixturenames:
        live: LiveDatabase = request.getfixturevalue("clinic")
        return Ground(stage=stage, app=live.role_name("app"))
    sound: Ground = request.getfixturevalue("sound")
    return sound


@pytest.fixture
def backup(ground: Ground) -> Manifest:
    """Give the sound backup of the ground."""
    return ground.stage.catalogue().entries[0].manifest


def state_of(ground: Ground) -> BackupState:
    """Tell what the vault says about the newest backup."""
    return ground.stage.catalogue().entries[0].state


def code_of(ground: Ground) -> str:
    """Tell which code was raised."""
    return ground.error.code if ground.error else ""


def test_a_flipped_byte_is_a_corrupt_backup(ground: Ground, backup: Manifest) -> None:
    """What lies in the vault is not what was stored: the backup is blamed, named BROKEN, and somebody is paged."""
    part = backup.parts_of(Role.REST)[0]
    path = ground.stage.folder / "vault" / backup.key_of(part)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(bytes(content))
    outcome = ground.drill()
    assert failures(outcome) == [("stored objects", "BACKUP_CORRUPT")]
    assert (code_of(ground), state_of(ground)) == ("drill.backup_corrupt", BackupState.BROKEN)
    assert isinstance(ground.error, BrokenEvidence)
    assert "Still safe: nothing that a drill has proven." in ground.error.detail
    assert outcome.wipe.is_gone
    assert found(outcome, CheckName.ROWS).outcome is CheckOutcome.SKIPPED


def test_a_newer_backup_that_is_damaged_is_told_and_keeps_nobody_fresh(ground: Ground, clinic: LiveDatabase) -> None:
    """The older one is proven; that a newer one is lost stands beside it, and the age is that of what comes back."""
    older, newer = ground.stage.take(clinic.name), ground.stage.take(clinic.name)
    (ground.stage.folder / "vault" / newer.key_of(newer.parts_of(Role.REST)[0])).unlink()
    outcome = ground.drill()
    assert (outcome.backup.backup_id, outcome.verdict) == (older.backup_id, Verdict.PASS)
    assert outcome.remarks == (f"Backup {newer.backup_id} is newer and is DAMAGED.",)
    assert outcome.rpo.measured == outcome.started_at - older.snapshot.taken_at
    assert ground.drill(Rule.OLDEST).remarks == ()


def test_a_key_that_fits_nothing_is_named(ground: Ground, backup: Manifest) -> None:
    """A lost key is neither a bad backup nor a failed restore; no server is started for it."""
    ground.keys = PrivateKeys((new_pair(),))
    outcome = ground.drill()
    assert failures(outcome) == [("key", "KEY_UNAVAILABLE")]
    assert (code_of(ground), state_of(ground)) == ("drill.key_unavailable", BackupState.VERIFIED)
    assert [stage.stage.value for stage in outcome.stages] == ["select", "wipe"]
    assert backup.backup_id in str(ground.error)


def test_the_key_in_escrow_is_proven_by_no_backup_that_needs_none(
    ground: Ground, clinic: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was called opened with that key, which nobody had needed; where none is sealed the rule is never due."""
    sealed = Stage.fleet

    def unsealed(stage: Stage, name: str) -> Fleet:
        fleet = sealed(stage, name)
        block = fleet.databases["subject"]
        rules = block.backup.model_copy(update={"unencrypted": True})
        return fleet.model_copy(update={"databases": {"subject": block.model_copy(update={"backup": rules})}})

    monkeypatch.setattr(Stage, "fleet", unsealed)
    ground.stage.take(clinic.name)
    ground.rules["escrow_recipient"] = "operations"
    with pytest.raises(Misconfigured, match="is not encrypted"):
        ground.drill(Rule.ESCROW_KEY)
    assert ground.outcomes == []
    block = ground.fleet.databases["subject"]
    assert Rule.ESCROW_KEY in cadences(block)
    rules = block.backup.model_copy(update={"unencrypted": True})
    assert Rule.ESCROW_KEY not in cadences(block.model_copy(update={"backup": rules}))


def test_a_server_that_dies_under_a_drill_is_the_fault_of_the_place(
    ground: Ground, backup: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel without memory ends the sandbox: that says nothing about the backup, which was sound before and is."""
    monkeypatch.setattr(Filler, "analyze", lambda filler: filler.copy.server.stop(signal.SIGKILL))
    outcome = ground.drill()
    assert failures(outcome) == [("rows", "ENVIRONMENT")]
    assert (code_of(ground), state_of(ground)) == ("drill.environment", BackupState.VERIFIED)
    # A recovery that did not get to its end took no time that could be promised to anybody.
    assert (outcome.rto.measured, outcome.rto.predicted, outcome.rto.is_missed) == (None, None, False)
    assert outcome.wipe.is_gone
    assert backup.backup_id == outcome.backup.backup_id


def test_a_machine_without_room_for_small_parts_is_held_against_no_backup(
    ground: Ground, backup: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was an error of Python, and the drill ended without a receipt."""
    spooled = Backup.spooled

    @contextmanager
    def crowded(of: Backup, *roles: Role) -> Generator[tuple[Spool, ...]]:
        with small_disk() as disk, monkeypatch.context() as here:
            fill(disk)
            here.setattr(tempfile, "tempdir", str(disk))
            with spooled(of, *roles) as spools:
                yield spools

    monkeypatch.setattr(Backup, "spooled", crowded)
    outcome = ground.drill()
    assert failures(outcome) == [("restore", "ENVIRONMENT")]
    assert "No space left on device [pgtend.machine_exhausted]" in found(outcome, CheckName.RESTORE).detail
    assert (code_of(ground), state_of(ground)) == ("drill.environment", BackupState.VERIFIED)
    assert backup.backup_id == outcome.backup.backup_id


def test_an_extension_that_is_missing_on_the_host_is_its_fault(
    ground: Ground, clinic: LiveDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place of the drill lacks something: that is no verdict about the backup, and nobody is woken for it."""
    clinic.run("CREATE EXTENSION hstore SCHEMA public")
    ground.stage.take(clinic.name)
    poorer = without_hstore(Path("/tmp"), tmp_path)  # noqa: S108 - where every account may enter
    monkeypatch.setenv("PGTEND_PG_BINDIRS", f"18:{poorer / 'bin'}")
    try:
        outcome = ground.drill()
    finally:
        shutil.rmtree(poorer)
    assert failures(outcome) == [("extensions", "ENVIRONMENT")]
    assert found(outcome, CheckName.EXTENSIONS).detail == "hstore is not installed on the host of the drill"
    assert isinstance(ground.error, Misconfigured)
    assert state_of(ground) is BackupState.VERIFIED


def test_an_extension_that_nobody_allowed_is_not_installed(ground: Ground, clinic: LiveDatabase) -> None:
    """What a backup asks for does not decide what runs as superuser."""
    clinic.run("CREATE EXTENSION hstore SCHEMA public")
    ground.stage.take(clinic.name)
    ground.rules["extensions"] = ["plpgsql"]
    outcome = ground.drill()
    assert failures(outcome) == [("extensions", "ENVIRONMENT")]
    assert "hstore is not among drill.extensions" in found(outcome, CheckName.EXTENSIONS).detail


@pytest.mark.pg(">= 15")
def test_duplicates_under_a_unique_index_are_productions_fault(ground: Ground, clinic: LiveDatabase) -> None:
    """The backup is true and the rows are the same; it is production that is corrupt, down to the index and the key."""
    clinic.run(
        "CREATE UNIQUE INDEX patient_note ON public.patient (note)",
        "UPDATE pg_index SET indisvalid = false, indisready = false, indislive = false "
        "WHERE indexrelid = 'public.patient_note'::regclass",
        "UPDATE public.patient SET note = 'the same' WHERE id < 3",
        "UPDATE pg_index SET indisvalid = true, indisready = true, indislive = true "
        "WHERE indexrelid = 'public.patient_note'::regclass",
        "SET session_replication_role = replica; DELETE FROM public.patient WHERE id = 9",
    )
    ground.rules["smoke"] = []
    ground.stage.take(clinic.name)
    outcome = ground.drill()
    assert failures(outcome) == [
        ("rebuilt indexes and keys", "SOURCE_INTEGRITY"),
        ("inventory", "SOURCE_INTEGRITY"),
        ("schema", "SOURCE_INTEGRITY"),
    ]
    assert (code_of(ground), state_of(ground)) == ("drill.source_integrity", BackupState.VERIFIED)
    rebuilt = found(outcome, CheckName.REBUILD)
    assert rebuilt.detail == "rows break: public patient_note, public visit visit_patient_fkey"
    assert found(outcome, CheckName.CONTENT).outcome is CheckOutcome.PASSED
    assert found(outcome, CheckName.ROWS).outcome is CheckOutcome.PASSED
    assert "the same" not in str(ground.error)


def test_a_stale_backup_and_a_slow_recovery_have_names(ground: Ground, backup: Manifest) -> None:
    """The backup is perfect and proven, and yet what was promised is not kept."""
    ground.rules.update(rpo="1 ms", rto="1 ms")
    outcome = ground.drill()
    assert failures(outcome) == [("freshness", "RPO_MISS"), ("recovery time", "RTO_MISS")]
    assert (code_of(ground), state_of(ground)) == ("drill.rpo_miss", BackupState.PROVEN)
    assert backup.backup_id == outcome.backup.backup_id


def test_a_backup_from_the_future_is_not_called_fresh(ground: Ground, backup: Manifest) -> None:
    """The clock of one of the two is wrong: how old the newest backup is nobody knows, for as long as that lasts."""
    later = backup.snapshot.taken_at + timedelta(days=30)
    forge(ground.stage, backup, {"snapshot.taken_at": later.isoformat()})
    outcome = ground.drill()
    assert (outcome.verdict, outcome.rpo.measured) == (Verdict.PASS_PARTIAL, None)
    assert [check.name for check in outcome.skipped] == [CheckName.FRESHNESS]


def test_walls_that_are_none_are_found_before_any_row_is_there(ground: Ground, backup: Manifest) -> None:
    """Every canary is reached, the drill ends at once, and nothing was restored."""
    ground.sandbox = Bare(IsolationLevel.NAMESPACES, "walls of paper")
    outcome = ground.drill()
    assert failures(outcome) == [("isolation", "ISOLATION_BROKEN")]
    assert [canary.was_reached for canary in outcome.isolation.canaries] == [True, True, True, False]
    assert "data" not in [stage.stage.value for stage in outcome.stages]
    assert (code_of(ground), state_of(ground)) == ("drill.isolation_broken", BackupState.VERIFIED)
    assert backup.backup_id == outcome.backup.backup_id


def test_another_account_alone_is_accepted_only_when_the_fleet_file_says_so(ground: Ground, backup: Manifest) -> None:
    """Then the canaries are reached, the receipt says it, and the verdict is never PASS."""
    ground.rules["isolation"] = "account"
    ground.sandbox = Bare(IsolationLevel.ACCOUNT, "another account")
    outcome = ground.drill()
    assert (outcome.verdict, ground.error) == (Verdict.PASS_PARTIAL, None)
    assert "a TCP port of the host" in found(outcome, CheckName.ISOLATION).detail
    assert backup.backup_id == outcome.backup.backup_id


def test_a_wrong_answer_is_a_failed_smoke_test(ground: Ground, backup: Manifest) -> None:
    """The rows are all there, and the application would still not work as expected."""
    ground.rules["smoke"] = [
        {"name": "too few", "sql": "SELECT count(*) FROM public.visit", "at_least": 901},
        {"name": "no such table", "sql": "SELECT count(*) FROM public.nothing", "expect": 0},
        {"name": "a text", "sql": "SELECT note FROM public.patient WHERE id = 7", "expect": "note 8"},
        {"name": "a change", "sql": "DELETE FROM public.visit RETURNING 1", "expect": 1},
        {"name": "no number", "sql": "SELECT avg('NaN'::float8) FROM public.visit", "at_least": 1},
    ]
    outcome = ground.drill()
    smoke = {check.subject: check for check in outcome.checks if check.name is CheckName.SMOKE}
    assert failures(outcome) == [
        ("smoke", "SMOKE_FAILED"),
        ("smoke", "SMOKE_FAILED"),
        ("smoke", "SMOKE_FAILED"),
        ("smoke", "SMOKE_FAILED"),
        ("smoke", "SMOKE_FAILED"),
    ]
    assert smoke["no number"].detail == "the answer is no number"
    assert (smoke["too few"].found, smoke["too few"].detail) == ("900", "less than 901")
    assert smoke["no such table"].detail == "it could not be asked: postgres.statement_rejected"
    assert smoke["a text"].found.startswith("sha256:")
    assert "note 7" not in json.dumps([str(check) for check in outcome.checks])
    assert (code_of(ground), state_of(ground)) == ("drill.smoke_failed", BackupState.PROVEN)
    assert backup.backup_id == outcome.backup.backup_id


@pytest.mark.pg(">= 15")
def test_a_manifest_that_promises_more_than_there_is_makes_the_backup_bad(ground: Ground, backup: Manifest) -> None:
    """Rows, objects and the version of a collation: each difference has its own class."""
    places = {str(table): number for number, table in enumerate(backup.tables)}
    kinds = {one.kind: number for number, one in enumerate(backup.inventory)}
    forge(
        ground.stage,
        backup,
        {
            f"tables.{places['public.visit']}.rows": 901,
            f"inventory.{kinds['index']}.count": 99,
            f"inventory.{kinds['policy']}.sha256": "00" * 32,
            "source.collation_version": "2.99",
        },
    )
    outcome = ground.drill()
    assert failures(outcome) == [
        ("server settings", "DRIFT"),
        ("rows", "DATA_MISMATCH"),
        ("inventory", "INCOMPLETE"),
        ("roles and grants", "INCOMPLETE"),
    ]
    assert (code_of(ground), state_of(ground)) == ("drill.data_mismatch", BackupState.BROKEN)
    assert found(outcome, CheckName.ROWS).detail == "rows of public.visit: 901 in the backup, 900 restored"


def test_a_check_that_reads_another_table_makes_the_restore_fail(ground: Ground, clinic: LiveDatabase) -> None:
    """Production never notices: only a restore, which loads one table before the other, does."""
    clinic.run(
        "CREATE TABLE public.a_child (id int)",
        "CREATE TABLE public.z_parent AS SELECT 1 AS id",
        "CREATE FUNCTION public.known(int) RETURNS boolean LANGUAGE sql "
        "AS 'SELECT EXISTS (SELECT FROM public.z_parent WHERE id = $1)'",
        "INSERT INTO public.a_child VALUES (1)",
        "ALTER TABLE public.a_child ADD CONSTRAINT known CHECK (public.known(id))",
    )
    ground.stage.take(clinic.name)
    outcome = ground.drill()
    assert failures(outcome) == [("restore", "RESTORE_FAILED")]
    assert (code_of(ground), state_of(ground)) == ("drill.restore_failed", BackupState.BROKEN)


@pytest.mark.pg(">= 15")
def test_a_changed_copy_is_seen_by_every_look(ground: Ground) -> None:
    """A copy that is damaged in many ways, one for each look; its second trip shows that it is another database."""
    with ground.restored(frozenset({CheckName.SECOND_GENERATION})) as (course, copy):
        with copy.session() as session:
            for damage in DAMAGES:
                session.run(statement(damage), app=called(ground.app))
        course.checks.clear()
        course.extras(copy)
        sealed = ground.stage.backup()
        with sealed.spooled(Role.PRE_DATA, Role.POST_DATA) as (before, after):
            checks = (
                *check_rows(sealed, copy.superuser, 1),
                check_pages(copy, 2),
                check_indexes(copy),
                *check_structure(sealed, copy, Archives.read(copy, before, after), ()),
            )
    assert failures(course.checks) == [("second generation", "ROUNDTRIP")]
    assert failures(checks) == [
        ("rows", "DATA_MISMATCH"),
        ("content", "DATA_MISMATCH"),
        ("sequences", "DATA_MISMATCH"),
        ("pages", "SOURCE_INTEGRITY"),
        ("indexes", "SOURCE_INTEGRITY"),
        ("inventory", "INCOMPLETE"),
        ("roles and grants", "INCOMPLETE"),
        ("schema", "SCHEMA_DRIFT"),
    ]
    details = {check.name: check.detail for check in checks}
    assert details[CheckName.ROWS] == "rows of public.visit: 900 in the backup, 899 restored"
    assert details[CheckName.CONTENT] == "content of public.patient: one fingerprint in the backup, another restored"
    assert details[CheckName.SEQUENCES] == "sequence public.visit_number: at 42 in the backup, at 41 restored"
    assert details[CheckName.INDEXES] == "public.patient_ward"


def test_a_drill_that_sees_no_content_is_blind(ground: Ground, backup: Manifest) -> None:
    """Where rows were only counted, a value that was changed on purpose goes unnoticed, and that fails the drill."""
    changes = {f"tables.{number}.coverage": "the number of rows only" for number in range(len(backup.tables))}
    forge(ground.stage, backup, changes)
    outcome = ground.drill(extras=frozenset({CheckName.NEGATIVE_CONTROL}))
    assert failures(outcome) == [("negative control", "DRILL_BLIND")]
    assert found(outcome, CheckName.NEGATIVE_CONTROL).detail == "not found: one emptied value in public.patient"
    assert found(outcome, CheckName.CONTENT).outcome is CheckOutcome.SKIPPED
    assert (code_of(ground), state_of(ground)) == ("drill.blind", BackupState.VERIFIED)


def test_a_constraint_that_production_never_checked_is_checked(ground: Ground, clinic: LiveDatabase) -> None:
    """A rule that was added without looking is broken by rows that were there before it."""
    clinic.run("ALTER TABLE public.visit ADD CONSTRAINT positive CHECK (id > 5) NOT VALID")
    ground.stage.take(clinic.name)
    outcome = ground.drill()
    assert failures(outcome) == [("constraints", "SOURCE_INTEGRITY")]
    assert found(outcome, CheckName.CONSTRAINTS).detail == "rows break: public.visit positive"
    assert state_of(ground) is BackupState.PROVEN


def test_a_random_drill_without_a_recent_backup_is_refused(stage: Stage) -> None:
    """There is nothing to choose from, and that is said."""
    ground = Ground(stage=stage, app="nobody")
    with pytest.raises(Misconfigured, match="no sound backup"):
        ground.drill(Rule.RANDOM)
