"""What a drill proves: doubt is never green, and the failure that explains the others is the one that is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pgtend.backup.states import BackupState
from pgtend.drill.failures import Blame, FailureClass
from pgtend.drill.model import (
    ALWAYS,
    AT_TIMES,
    Canary,
    Check,
    CheckName,
    CheckOutcome,
    Isolation,
    IsolationLevel,
    Target,
    Verdict,
    judge,
    missing_checks,
    state_after,
)
from pgtend.drill.stages import Stage, StageTime

GOOD = tuple(Check(name=name, outcome=CheckOutcome.PASSED) for name in CheckName if name in ALWAYS)


def with_one(name: CheckName, outcome: CheckOutcome) -> tuple[Check, ...]:
    """Let one check of a good drill come out differently."""
    return tuple(replace(check, outcome=outcome) if check.name is name else check for check in GOOD)


def test_a_drill_without_a_fault_passes() -> None:
    """Everything that was due was looked at, and nothing was wrong."""
    assert judge(GOOD) is Verdict.PASS
    assert state_after(GOOD) is BackupState.PROVEN


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_no_check_can_be_forgotten(name: CheckName) -> None:
    """A drill that lost one of its checks no longer passes, and says which one is missing."""
    without = tuple(check for check in GOOD if check.name is not name)
    assert judge(without) is Verdict.PASS_PARTIAL
    assert missing_checks(without, ALWAYS) == (name,)


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_a_skipped_check_makes_the_verdict_partial(name: CheckName) -> None:
    """What could not be checked is not taken for good."""
    assert judge(with_one(name, CheckOutcome.SKIPPED)) is Verdict.PASS_PARTIAL


@pytest.mark.parametrize("name", sorted(CheckName))
def test_one_failed_check_fails_the_drill_with_its_class(name: CheckName) -> None:
    """Each check has a class of its own failures, and each class has words and somebody who can mend it."""
    failed = Check(name=name, outcome=CheckOutcome.FAILED)
    assert judge([*GOOD, failed]) is Verdict.FAIL
    assert failed.failure is not None
    assert failed.failure.meaning
    assert failed.failure.blame in Blame
    assert state_after([check for check in GOOD if check.name is not name] + [failed]) is (
        BackupState.BROKEN
        if failed.failure.blame is Blame.BACKUP and name is not CheckName.SMOKE
        else BackupState.PROVEN
        if name in _SAYS_NOTHING_ABOUT_IDENTITY
        else None
    )


_SAYS_NOTHING_ABOUT_IDENTITY = {
    CheckName.KEY,
    CheckName.FRESHNESS,
    CheckName.EXTENSIONS,
    CheckName.SETTINGS,
    CheckName.CONSTRAINTS,
    CheckName.INDEXES,
    CheckName.PAGES,
    CheckName.SMOKE,
    CheckName.RECOVERY_TIME,
}


def test_a_check_that_is_not_due_is_not_missed() -> None:
    """The second generation and the negative control have a cadence of their own."""
    assert {CheckName.SECOND_GENERATION, CheckName.NEGATIVE_CONTROL} == AT_TIMES
    assert judge(GOOD, ALWAYS) is Verdict.PASS
    assert judge(GOOD, ALWAYS | AT_TIMES) is Verdict.PASS_PARTIAL


def test_every_failure_class_is_the_class_of_some_check() -> None:
    """A class that nothing can produce would be a promise without a check."""
    assert {name.failure for name in CheckName} == set(FailureClass)


def test_a_copy_of_corrupt_production_is_neither_proven_nor_broken() -> None:
    """The backup is true; production is what has to be mended."""
    checks = with_one(CheckName.REBUILD, CheckOutcome.FAILED)
    assert state_after(checks) is None


def test_a_blind_drill_proves_nothing() -> None:
    """Checks that let a damaged copy pass have not looked at the good one either."""
    blind = Check(name=CheckName.NEGATIVE_CONTROL, outcome=CheckOutcome.FAILED)
    assert state_after([*GOOD, blind]) is None


def test_isolation_without_a_canary_is_not_believed() -> None:
    """Nothing was tried, so nothing is known."""
    shut = Isolation(level=IsolationLevel.NAMESPACES, means="bubblewrap 0.8.0")
    assert not shut.holds
    assert replace(shut, canaries=(Canary(what="a TCP port", was_reached=False),)).holds
    assert not replace(shut, canaries=(Canary(what="a TCP port", was_reached=True),)).holds


def test_a_target_is_missed_by_what_was_measured_or_by_what_it_would_be_today() -> None:
    """An old backup that came back in time says little when the database has doubled since."""
    hour, two = timedelta(hours=1), timedelta(hours=2)
    assert not Target(target=None, measured=two).is_missed
    assert not Target(target=two, measured=hour).is_missed
    assert Target(target=hour, measured=two).is_missed
    assert Target(target=hour, measured=hour / 2, predicted=two).is_missed


def test_a_stage_knows_its_rate() -> None:
    """Bytes per second, where there were bytes."""
    began = datetime(2026, 11, 21, tzinfo=UTC)
    data = StageTime(stage=Stage.DATA, started_at=began, took=timedelta(seconds=2), size=1000)
    assert data.rate == 500.0
    assert data.ended_at == began + timedelta(seconds=2)
    assert replace(data, size=None).rate is None
    assert [stage.value for stage in Stage if not stage.is_recovery] == [
        "select",
        "by-products",
        "second generation",
        "negative control",
        "wipe",
    ]
