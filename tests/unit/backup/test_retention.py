"""Which backups stay: the rules one by one, and each kind of doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pgtend.backup.retention import Holdings, KnownBackup, RetentionPlan, plan_retention
from pgtend.backup.states import BackupState
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.sizes import Bytes

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FEW = RetentionRules(daily=2, weekly=0, monthly=0, yearly=0, at_least=1, proven=1)


def backup(days_ago: float, **different: object) -> KnownBackup:
    """Describe a backup that was read back whole, apart from what the test says."""
    taken_at = NOW - timedelta(days=days_ago)
    facts = {"size": Bytes(1_000_000), "rows": 5_000, "state": BackupState.VERIFIED, **different}
    return KnownBackup(backup_id=f"{taken_at:%Y%m%dT%H%M%SZ}-0000", taken_at=taken_at, **facts)  # type: ignore[arg-type]


def plan(backups: Sequence[KnownBackup], rules: RetentionRules = FEW, *, doubts: tuple[str, ...] = ()) -> RetentionPlan:
    """Judge the backups of kgc."""
    return plan_retention(Holdings(database="kgc", place="/copies", backups=tuple(backups), doubts=doubts), rules, NOW)


def ages(verdicts: object) -> list[int]:
    """Tell how many days old the backups of some verdicts are."""
    return [(NOW - verdict.backup.taken_at).days for verdict in verdicts]  # type: ignore[attr-defined]


def test_a_backup_of_each_of_the_last_days_stays() -> None:
    """Two days are kept, the older ones may go."""
    found = plan([backup(age) for age in (1, 2, 3, 4)])
    assert (ages(found.kept), ages(found.removable)) == ([1, 2], [3, 4])
    assert found.removable[0].reasons == ("no rule keeps it",)


def test_days_without_a_backup_do_not_count() -> None:
    """Backups that stopped coming a year ago are all still there today."""
    found = plan([backup(age) for age in (400, 401)])
    assert ages(found.kept) == [400, 401]


def test_weeks_months_and_years_are_each_kept_by_their_first_backup() -> None:
    """Two years of daily backups leave days, weeks, months and years, and nothing else."""
    rules = RetentionRules(daily=3, weekly=2, monthly=2, yearly=3, at_least=1, proven=1)
    found = plan([backup(age + 0.25) for age in range(1, 700)], rules)
    assert [f"{verdict.backup.taken_at:%a %Y-%m-%d}" for verdict in found.kept] == [
        "Fri 2026-11-20",
        "Thu 2026-11-19",
        "Wed 2026-11-18",
        "Mon 2026-11-16",
        "Mon 2026-11-09",
        "Sun 2026-11-01",
        "Thu 2026-10-01",
        "Thu 2026-01-01",
        "Wed 2025-01-01",
        "Sun 2024-12-22",
    ]


@pytest.mark.parametrize("known", [BackupState.BROKEN, BackupState.DAMAGED])
def test_a_bad_backup_stands_for_no_period_that_has_another(known: BackupState) -> None:
    """What a drill found broken is not kept in the place of one that nobody found anything wrong with."""
    rules = RetentionRules(daily=0, weekly=2, monthly=0, yearly=0, at_least=1, proven=1)
    bad, unread = backup(12, state=known), backup(11, state=BackupState.STORED)
    found = plan([backup(1), unread, bad], rules)
    assert (ages(found.kept), ages(found.removable)) == ([1, 11], [12])


def test_a_backup_that_was_read_back_stands_for_its_period_before_one_that_was_not() -> None:
    """A week is not represented by a backup that nobody ever read."""
    rules = RetentionRules(daily=0, weekly=2, monthly=0, yearly=0, at_least=1, proven=1)
    unread = backup(5, state=BackupState.STORED)
    found = plan([backup(1), backup(3), backup(4), unread], rules)
    assert ages(found.kept) == [1, 4]


def test_the_last_proven_ones_stay_however_old_they_are() -> None:
    """Newer backups that no drill restored do not push a proven one out."""
    old = [backup(300, state=BackupState.PROVEN), backup(301, state=BackupState.PROVEN)]
    found = plan([*(backup(age) for age in range(1, 10)), *old])
    assert ages(found.kept) == [1, 2, 300]
    assert found.kept[-1].reasons == ("one of the last 1 PROVEN",)


def test_the_newest_stay_however_old_they_are() -> None:
    """The minimum count holds even when every other rule lets go."""
    rules = RetentionRules(daily=1, weekly=0, monthly=0, yearly=0, at_least=3, proven=1)
    assert ages(plan([backup(age) for age in (10, 20, 30, 40)], rules).kept) == [10, 20, 30]


def test_a_young_backup_is_never_touched() -> None:
    """Five backups of this morning stay, although one a day would be enough."""
    found = plan([backup(0.1 + hour / 24) for hour in range(5)])
    assert len(found.kept) == 5


def test_a_backup_in_use_stays_and_says_who_is_at_it() -> None:
    """A restore that goes on is not robbed of its backup."""
    busy = backup(50, in_use="being restored by ana since 11:40")
    found = plan([backup(1), backup(2), busy, backup(60)])
    assert ages(found.kept) == [1, 2, 50]
    assert found.kept[-1].reasons == ("being restored by ana since 11:40",)


def test_a_lock_of_the_vault_is_respected_until_it_ends() -> None:
    """A locked object cannot be removed, and an expired lock keeps nothing."""
    locked = backup(50, locked_until=datetime(2026, 12, 1, 8, 0, tzinfo=UTC))
    expired = backup(60, locked_until=datetime(2026, 11, 1, tzinfo=UTC))
    found = plan([backup(1), backup(2), locked, expired])
    assert ages(found.kept) == [1, 2, 50]
    assert found.kept[-1].reasons == ("locked by the vault until 2026-12-01",)
    assert found.kept[-1].until == date(2026, 12, 2)


def test_a_lock_for_ever_is_a_date_that_exists() -> None:
    """A legal hold is shown as the last day there is."""
    held = backup(50, locked_until=datetime.max.replace(tzinfo=UTC))
    assert plan([backup(1), backup(2), held]).kept[-1].until == date.max


@pytest.mark.parametrize(
    ("newest", "sentence"),
    [
        ({"size": Bytes(400_000)}, "has 391 kB, the ones before it 977 kB."),
        ({"rows": 0}, "has 0 rows, the ones before it 5,000."),
    ],
)
def test_nothing_is_removed_while_the_newest_is_suspiciously_small(newest: dict[str, object], sentence: str) -> None:
    """A database that lost its content must not push out the backups that still have it."""
    found = plan([backup(1, **newest), *(backup(age) for age in range(2, 9))])
    assert found.removable == ()
    assert found.doubts[0].startswith("Nothing is removed: the newest backup")
    assert found.doubts[0].endswith(sentence)


def test_two_older_ones_are_too_few_to_call_a_backup_small() -> None:
    """A database in its first days may change its size."""
    found = plan([backup(1, size=Bytes(10)), backup(2), backup(3)])
    assert (ages(found.removable), found.doubts) == ([3], ())


def test_nothing_is_removed_when_a_backup_comes_from_the_future() -> None:
    """One of two clocks is wrong, and nobody knows which."""
    found = plan([backup(-2), *(backup(age) for age in range(1, 9))])
    assert found.removable == ()
    assert "2 d in the future, so one clock is wrong" in str(found)


def test_a_clock_a_little_ahead_is_no_doubt() -> None:
    """Two machines never agree to the second."""
    assert ages(plan([backup(-0.002), backup(1), backup(2), backup(3)]).removable) == [2, 3]


def test_nothing_is_removed_when_the_list_is_in_doubt() -> None:
    """What the caller could not read completely may hold the backup that matters."""
    found = plan([backup(age) for age in range(1, 9)], doubts=("Nothing is removed: a manifest is unreadable.",))
    assert found.removable == ()
    assert found.verdicts[-1].reasons == ("no rule keeps it, but there is doubt",)
    assert str(found).endswith("Nothing is removed: a manifest is unreadable.")


def test_nothing_is_removed_when_no_backup_was_ever_read_back() -> None:
    """Of many unread backups the oldest may be the only good one."""
    found = plan([backup(age, state=BackupState.STORED) for age in range(1, 9)])
    assert found.removable == ()
    assert "not one backup was ever read back whole" in str(found)


def test_the_plan_says_in_english_what_would_happen() -> None:
    """A person reads one sentence, what it frees, and what is known to be good."""
    found = plan([backup(age) for age in (1, 2, 3, 4)])
    assert str(found) == (
        "Of 4 backups of kgc in /copies, 2 are kept and 2 may be removed. That frees 1.9 MB. None was proven by a "
        "drill yet; until then those read back whole (VERIFIED) count as the best known, and the "
        "last 1 of them always stay."
    )


def test_the_plan_says_when_there_is_nothing_to_remove() -> None:
    """Nothing to remove and nothing to keep are two things."""
    assert str(plan([])) == "There is no backup of kgc in /copies."
    assert str(plan([backup(1, state=BackupState.PROVEN)])) == (
        "The one backup of kgc in /copies is kept. 1 of them were proven by a drill; the last 1 of those always stay."
    )


def test_the_day_until_which_a_backup_is_kept_is_the_last_one_any_rule_names() -> None:
    """The month keeps it longer than the day does."""
    rules = RetentionRules(daily=2, weekly=0, monthly=3, yearly=0, at_least=1, proven=1)
    verdict = plan([backup(5)], rules).kept[0]
    assert verdict.until == date(2027, 2, 18)
    assert verdict.reasons[-2:] == ("first of its day, 2 days are kept", "first of its month, 3 months are kept")


def test_names_decide_nothing() -> None:
    """A backup whose name sorts last is still the oldest."""
    odd = replace(backup(9), backup_id="zzz")
    assert ages(plan([odd, backup(1), backup(2)]).removable) == [9]
