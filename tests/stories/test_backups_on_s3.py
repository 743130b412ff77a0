"""Backups, copies, restores and retention on S3 servers of two makers, by users who may only do their own part."""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bed.backups import KEYS, Depot, tools_on_path
from bed.clusters import LiveDatabase, statement
from bed.s3_servers import LOCKED_BUCKET, S3Site, ministack, ministack_server, swift, swift_server
from bed.stored_backups import day, put_backup
from pgtend.backup.catalogue import LATEST, read_catalogue
from pgtend.backup.copies import CopyWork, copy_backups
from pgtend.backup.expiry import Holding, expire
from pgtend.backup.marks import Lease, in_use
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import database as called
from pgtend.restore.archive import Backup
from pgtend.restore.job import restore_backup
from pgtend.restore.model import RestoreOrder
from pgtend.vault.errors import VaultRefused
from pgtend.vault.model import LockMode, ObjectLock, Vault

__all__ = ["ministack", "ministack_server", "swift", "swift_server"]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ONE_DAY = RetentionRules(daily=1, weekly=0, monthly=0, yearly=0, at_least=1, proven=1, young=timedelta(seconds=1))
READ = ["s3:GetObject", "s3:GetObjectVersion"]
LOOK = [*READ, "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
KEEPER = [*LOOK, "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"]


def allowed(*actions: str) -> tuple[dict[str, object], ...]:
    """Write a policy."""
    return ({"Effect": "Allow", "Action": list(actions), "Resource": "*"},)


@pytest.fixture
def clinic(database: LiveDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Depot]:
    """Give a database with two tables whose rows are known."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(database.server.tools.major))
    database.run(
        "CREATE TABLE public.visit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)",
        "INSERT INTO public.visit (note) SELECT repeat(md5(x::text), 8) FROM generate_series(1, 4000) AS x",
        "CREATE TABLE public.patient (id int PRIMARY KEY)",
        "INSERT INTO public.patient SELECT generate_series(1, 50)",
    )
    depot = Depot(database, None, tmp_path / "ledger", database.superuser)  # type: ignore[arg-type]
    depot.rules = {"own_part_from": "100 kB"}
    yield depot
    with database.server.session() as session:
        session.run(statement("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), name=called(f"{database.name}_back"))


def restored(depot: Depot, vault: Vault) -> tuple[int, tuple[object, ...]]:
    """Bring the latest backup back beside the original, and tell how many rows and what differs."""
    entry = read_catalogue(vault, "tests", "clinic", utc_now()).choose(LATEST)
    order = RestoreOrder(target=depot.live.server.superuser(), by="test", name=f"{depot.live.name}_back")
    report = restore_backup(Backup(vault, entry, KEYS), order, quietly)
    return report.rows, report.differences


@pytest.mark.pg(">= 18")
def test_a_backup_on_one_server_is_copied_to_another_maker_s_and_restored_from_there(
    clinic: Depot, ministack: S3Site, swift: S3Site
) -> None:
    """From MiniStack to Swift by the stored bytes; the copy alone brings everything back, identical."""
    with ministack.vault() as first, swift.vault() as second:
        clinic.vault = first
        clinic.take()
        work = CopyWork(source=first, copy=second, rules=RetentionRules(), fleet="tests", database="clinic", by="test")
        report = copy_backups(work, quietly)
        assert (len(report.copied), report.state.missing) == (1, ())
        assert restored(clinic, second) == (4050, ())


@pytest.mark.pg(">= 18")
def test_a_backup_on_s3_comes_back_for_who_may_only_read(clinic: Depot, ministack: S3Site) -> None:
    """On the worst day a reader's credentials are enough."""
    with ministack.vault() as writer:
        clinic.vault = writer
        clinic.take()
    with ministack.as_user(allowed(*LOOK)).vault() as reader:
        assert restored(clinic, reader) == (4050, ())


def holding(vault: Vault, lock: timedelta | None = None) -> Holding:
    """Keep one day of kgc."""
    return Holding(vault=vault, fleet="clinic", database="kgc", rules=ONE_DAY, lock=lock)


def test_only_who_may_delete_lets_backups_go(ministack: S3Site) -> None:
    """The writer's credentials remove nothing for good; the keeper's remove what no rule keeps, wholly."""
    with ministack.vault() as writer:
        for number in (18, 19, 20):
            put_backup(writer, day(number))
    later = utc_now() + timedelta(days=2)
    with ministack.as_user(allowed(*LOOK, "s3:PutObject")).vault() as writer:
        with pytest.raises(VaultRefused, match="s3:DeleteObject"):
            expire(holding(writer), quietly, clock=lambda: later)
        assert len(holding(writer).catalogue(NOW).entries) == 3
    with ministack.as_user(allowed(*KEEPER)).vault() as keeper:
        assert len(expire(holding(keeper), quietly, clock=lambda: later).removed) == 2
        assert [entry.taken_at.day for entry in holding(keeper).catalogue(NOW).entries] == [20]
        assert len(keeper.objects("backups/")) == 3


def test_an_upload_of_another_database_goes_on(ministack: S3Site) -> None:
    """It lies in the same bucket, and how young is young enough for one database says nothing about a larger one."""
    with ministack.vault() as vault, ministack.raw() as client:
        put_backup(vault, day(19))
        key = ministack.place.full_key("backups/clinic/large/20261120T020000Z-00000000/rest.dump.zst")
        client.create_multipart_upload(Bucket=ministack.bucket, Key=key)
        time.sleep(1.2)
        assert expire(holding(vault), quietly).unfinished == ()
        assert len(vault.unfinished()) == 1


def versioned(ministack: S3Site, lock: ObjectLock | None = None) -> Vault:
    """Open the bucket that keeps versions."""
    from dataclasses import replace  # noqa: PLC0415 - only here

    return ministack.vault(replace(ministack.place, bucket=LOCKED_BUCKET, object_lock=lock))


def test_what_the_bucket_locks_stays_and_is_told(ministack: S3Site) -> None:
    """Object Lock is stronger than any rule of ours."""
    lock = ObjectLock(mode=LockMode.GOVERNANCE, keep=timedelta(days=30))
    with versioned(ministack, lock) as vault:
        for number in (18, 19):
            put_backup(vault, day(number))
        blind = holding(vault)  # as if the fleet file did not know of the lock
        done = expire(blind, quietly, clock=lambda: utc_now() + timedelta(days=2))
        assert (done.removed, len(done.locked)) == ((), 1)
        assert len(blind.catalogue(NOW).entries) == 2
        seeing = holding(vault, lock.keep).plan(utc_now() + timedelta(days=2))
        assert [verdict.keep for verdict in seeing.verdicts] == [True, True]


def test_where_nothing_is_removed_a_backup_is_in_use_no_longer_than_it_is(ministack: S3Site) -> None:
    """Neither a locked bucket nor credentials that only write take the note of a reader away: its end is noted too."""
    lock = ObjectLock(mode=LockMode.GOVERNANCE, keep=timedelta(days=30))
    told: list[str] = []
    with versioned(ministack, lock) as locked, ministack.as_user(allowed(*LOOK, "s3:PutObject")).vault() as writer:
        for vault in (locked, writer):
            made = put_backup(vault, day(20))
            with in_use(vault, made, Lease.begun(made.backup_id, "drilled", "ana", NOW), told.append):
                (busy,) = holding(vault).catalogue(NOW).entries
            (free,) = holding(vault).catalogue(NOW).entries
            assert (busy.in_use, free.in_use) == ("being drilled by ana since 2026-11-21 12:00 UTC", "")
    assert told == []


def test_in_a_bucket_that_keeps_versions_nothing_stays_behind(ministack: S3Site) -> None:
    """What retention removes is gone for good; what somebody deleted can be brought back for a while, and then goes."""
    with versioned(ministack) as vault:
        old, kept = put_backup(vault, day(18)), put_backup(vault, day(20))
        for stored in vault.objects(old.folder):
            vault.delete(stored.key)  # somebody hid it: six entries lie behind three names
        assert len(vault.versions(old.folder)) == 6
        soon = expire(holding(vault), quietly, clock=lambda: utc_now() + timedelta(days=2))
        assert (soon.versions, len(vault.versions(old.folder))) == (0, 6)
        late = expire(holding(vault), quietly, clock=lambda: utc_now() + timedelta(days=40))
        assert (late.versions, vault.versions(old.folder)) == (6, ())
        assert str(late).startswith("removed 0 backups, 6 versions of what was deleted long ago, which freed")
        assert len(vault.versions(kept.folder)) == 3


def test_an_object_that_was_replaced_stops_all_removing(ministack: S3Site) -> None:
    """Behind a name that somebody wrote again lies the version that was stored first: perhaps the only good one."""
    with versioned(ministack) as vault, ministack.raw() as raw:
        for number in (18, 19, 20):
            made = put_backup(vault, day(number))
        key = f"{ministack.prefix}/{made.folder}rest.dump.zst"
        raw.put_object(Bucket=LOCKED_BUCKET, Key=key, Body=b"rows rows ROWS")
        done = expire(holding(vault), quietly, clock=lambda: utc_now() + timedelta(days=40))
        assert done.removed == ()
        assert "rest.dump.zst' was replaced by somebody" in done.plan.doubts[0]


def test_a_server_without_versions_has_none_behind_its_names(swift: S3Site) -> None:
    """Retention on Swift removes what no rule keeps as well."""
    with swift.vault() as vault:
        for number in (18, 20):
            put_backup(vault, day(number))
        done = expire(holding(vault), quietly, clock=lambda: utc_now() + timedelta(days=2))
        assert (len(done.removed), done.versions, len(vault.objects("backups/"))) == (1, 0, 3)
