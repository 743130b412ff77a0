"""What retention never does, whatever it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from pgtend.backup.retention import Holdings, KnownBackup, RetentionPlan, plan_retention
from pgtend.backup.states import BackupState
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.sizes import Bytes

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@some.composite
def backups(draw: some.DrawFn, *, oldest: int = 2_000) -> tuple[KnownBackup, ...]:
    """Make up the backups of some years, of about one size so that nothing looks shrunken."""
    hours = draw(some.lists(some.integers(1, oldest * 24), unique=True, max_size=40))
    return tuple(
        KnownBackup(
            backup_id=f"{draw(some.text('abc', min_size=1, max_size=2))}-{hour}",
            taken_at=NOW - timedelta(hours=hour),
            size=Bytes(draw(some.integers(900, 1_000))),
            rows=draw(some.integers(900, 1_000)),
            state=draw(some.sampled_from(BackupState)),
            locked_until=draw(some.none() | some.just(NOW + timedelta(days=3))),
            in_use=draw(some.sampled_from(["", "", "being restored"])),
        )
        for hour in hours
    )


@some.composite
def rules(draw: some.DrawFn) -> RetentionRules:
    """Make up rules that keep at least some days."""
    slots = some.integers(0, 5)
    return RetentionRules(
        daily=draw(some.integers(1, 5)),
        weekly=draw(slots),
        monthly=draw(slots),
        yearly=draw(slots),
        at_least=draw(some.integers(1, 4)),
        proven=draw(some.integers(1, 4)),
    )


def judge(found: tuple[KnownBackup, ...], by: RetentionRules, now: datetime = NOW) -> RetentionPlan:
    """Judge backups."""
    return plan_retention(Holdings(database="kgc", place="/copies", backups=found), by, now)


def ids(plan: RetentionPlan, *, keep: bool) -> set[str]:
    """Name what stays or what may go."""
    return {verdict.backup.backup_id for verdict in plan.verdicts if verdict.keep is keep}


def newest(found: tuple[KnownBackup, ...], amount: int) -> set[str]:
    """Name the newest of some backups."""
    ordered = sorted(found, key=lambda backup: backup.taken_at, reverse=True)
    return {backup.backup_id for backup in ordered[:amount]}


@given(backups(), rules())
def test_the_last_known_good_ones_always_stay(found: tuple[KnownBackup, ...], by: RetentionRules) -> None:
    """Neither the last proven, nor the last verified, nor the last at all are ever removed."""
    kept = ids(judge(found, by), keep=True)
    proven = tuple(backup for backup in found if backup.state is BackupState.PROVEN)
    verified = tuple(backup for backup in found if backup.state in {BackupState.VERIFIED, BackupState.PROVEN})
    assert newest(proven, by.proven) <= kept
    assert newest(verified, by.proven) <= kept
    assert newest(found, by.at_least) <= kept


@given(backups(), rules())
def test_what_is_locked_used_or_young_always_stays(found: tuple[KnownBackup, ...], by: RetentionRules) -> None:
    """Each of these is enough by itself."""
    plan = judge(found, by)
    for verdict in plan.removable:
        assert verdict.backup.locked_until is None
        assert not verdict.backup.in_use
        assert NOW - verdict.backup.taken_at >= by.young


@given(backups(), rules())
def test_judging_what_was_kept_again_removes_nothing_more(found: tuple[KnownBackup, ...], by: RetentionRules) -> None:
    """A second run right after the first finds nothing to do."""
    first = judge(found, by)
    second = judge(tuple(verdict.backup for verdict in first.kept), by)
    assert ids(second, keep=False) == set()


@given(backups(), rules(), some.randoms(use_true_random=False))
def test_the_order_of_the_list_is_irrelevant(
    found: tuple[KnownBackup, ...], by: RetentionRules, chance: some.DataObject
) -> None:
    """A vault may list in any order."""
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(tuple(shuffled), by).verdicts == judge(found, by).verdicts


@given(backups(), rules(), some.integers(0, 5_000))
def test_what_may_go_today_may_go_tomorrow(found: tuple[KnownBackup, ...], by: RetentionRules, days: int) -> None:
    """Time alone brings no backup back under protection."""
    today, later = judge(found, by), judge(found, by, NOW + timedelta(days=days))
    assert ids(today, keep=False) <= ids(later, keep=False)


@given(backups(), rules(), backups(oldest=1))
def test_a_newer_backup_never_saves_an_older_one_that_could_go(
    found: tuple[KnownBackup, ...], by: RetentionRules, more: tuple[KnownBackup, ...]
) -> None:
    """History only ever gets thinner."""
    newer = tuple(
        KnownBackup(
            backup_id=f"new-{backup.backup_id}",
            taken_at=backup.taken_at + timedelta(days=1),
            size=Bytes(950),
            rows=950,
            state=backup.state,
        )
        for backup in more
    )
    later = NOW + timedelta(days=1)
    before, after = judge(found, by, later), judge((*found, *newer), by, later)
    assert ids(before, keep=False) <= ids(after, keep=False)


@given(backups(), rules())
def test_time_passing_without_backups_removes_no_more_than_youth_locks_and_use_kept(
    found: tuple[KnownBackup, ...], by: RetentionRules
) -> None:
    """A century without a backup, or a clock that jumped one ahead, makes nothing old."""
    plain = tuple(
        KnownBackup(
            backup_id=backup.backup_id,
            taken_at=backup.taken_at - timedelta(days=2),
            size=backup.size,
            rows=backup.rows,
            state=backup.state,
        )
        for backup in found
    )
    now, later = judge(plain, by), judge(plain, by, NOW + timedelta(days=36_500))
    assert ids(now, keep=False) == ids(later, keep=False)


@given(backups(), rules(), some.text("xyz", min_size=1))
def test_doubt_keeps_everything(found: tuple[KnownBackup, ...], by: RetentionRules, doubt: str) -> None:
    """Whatever the doubt is, nothing goes."""
    holdings = Holdings(database="kgc", place="/copies", backups=found, doubts=(doubt,))
    assert plan_retention(holdings, by, NOW).removable == ()
