"""A cause is concluded from what a call did before and does now, and the evidence is given with it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pgtend.statements.causes import Cause, Detail, explain

TODAY = date(2026, 11, 20)


def detail(day: date = TODAY, **different: float) -> Detail:
    """Describe an ordinary night of 100 calls, apart from what the test says."""
    usual = {
        "calls": 100,
        "exec_ms": 1000.0,
        "rows": 500,
        "plans": 0,
        "plan_ms": 0.0,
        "hit": 1000,
        "read": 100,
        "temp": 0,
        "wal_fpi": 10,
        "read_ms": 50.0,
        "jit_ms": 0.0,
        "to_launch": 0,
        "launched": 0,
        "generic": 0,
    }
    return Detail(fingerprint="f", role="app", day=day, **{**usual, **different})  # type: ignore[arg-type]


PAST = [detail(TODAY - timedelta(days=back)) for back in (3, 2, 1)]


@pytest.mark.parametrize(
    ("tonight", "cause"),
    [
        ({"exec_ms": 9000, "hit": 50_000}, Cause.MORE_TO_READ),
        ({"exec_ms": 9000, "hit": 50_000, "rows": 25_000}, Cause.MORE_ROWS),
        ({"exec_ms": 9000, "temp": 5000}, Cause.SPILLS),
        ({"exec_ms": 9000, "hit": 100, "read": 1000, "read_ms": 7000}, Cause.FROM_DISK),
        ({"exec_ms": 9000, "wal_fpi": 900}, Cause.WHOLE_PAGES),
        ({"exec_ms": 9000, "generic": 90}, Cause.GENERIC_PLANS),
        ({"exec_ms": 9000, "jit_ms": 5000}, Cause.COMPILING),
        ({"exec_ms": 9000, "to_launch": 200}, Cause.NO_WORKERS),
        ({"exec_ms": 9000}, Cause.WAITING),
        ({"exec_ms": 300}, Cause.FASTER),
        ({"exec_ms": 300, "hit": 10, "read": 0}, Cause.LESS_TO_READ),
    ],
)
def test_each_cause_has_its_own_signs(tonight: dict[str, float], cause: Cause) -> None:
    """One figure differs from an ordinary night, and the cause is named by it."""
    assert explain(detail(**tonight), PAST).cause is cause


def test_a_plan_that_is_known_to_have_changed_is_named_as_the_cause() -> None:
    """Without a kept plan it is only likely; with one of another shape it is certain."""
    worse = detail(exec_ms=9000, hit=50_000)
    assert explain(worse, PAST, has_new_plan=True).cause is Cause.ANOTHER_PLAN


def test_where_reads_are_not_timed_the_blocks_themselves_tell() -> None:
    """track_io_timing may be off; then what was not in the cache says where the time went."""
    cold = detail(exec_ms=9000, hit=100, read=1000, read_ms=0)
    assert explain(cold, [detail(night.day, read_ms=0) for night in PAST]).cause is Cause.FROM_DISK


def test_the_evidence_is_what_changed_with_its_usual_value() -> None:
    """Three figures always, others only when they moved by a fifth; nothing else."""
    told = explain(detail(exec_ms=9000, temp=5000), PAST).evidence
    assert told == {
        "mean_ms": {"usual": 10.0, "now": 90.0},
        "blocks_per_call": {"usual": 11.0, "now": 11.0},
        "rows_per_call": {"usual": 5.0, "now": 5.0},
        "temp_blocks_per_call": {"usual": 0.0, "now": 50.0},
    }
