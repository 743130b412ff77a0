"""Which indexes are worth rebuilding: the rules, one by one, without a server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bed.indexing import MB, NOW, index_facts
from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.model import (
    Decision,
    Estimate,
    IndexMemory,
    IndexReading,
    Method,
    Reason,
    RebuildPolicy,
    Speed,
    fitting,
    worst_first,
)

POLICY = RebuildPolicy(rules=IndexRules(), now=NOW)


def judged(
    new: int | None = 100, *, method: Method = Method.SAMPLE, memory: IndexMemory | None = None, **facts: object
) -> Decision:
    """Judge an index of 400 MB that would have so many megabytes if new."""
    estimate = Estimate(size=new * MB, method=method, error=0.0) if new is not None else None
    reading = IndexReading(facts=index_facts(**facts), estimate=estimate, memory=memory or IndexMemory())
    return POLICY.decide(reading)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_temporary": True}, Reason.TEMPORARY),
        ({"is_partitioned": True}, Reason.PARTITIONED),
        ({"is_exclusion": True}, Reason.EXCLUSION),
        ({"kind": "brin"}, Reason.BRIN),
        ({"is_valid": False}, Reason.INVALID),
        ({"size": 9 * MB}, Reason.SMALL),
        ({"may_rebuild": False}, Reason.NO_RIGHT),
        ({"may_rebuild": False, "is_toast": True}, Reason.TOAST),
    ],
)
def test_what_is_not_ours_is_left_alone(facts: dict[str, object], reason: Reason) -> None:
    """Each kind has its own reason."""
    assert (judged(**facts).rebuild, judged(**facts).reason) == (False, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "size", "rebuild", "reason"),
    [
        (100, 400, True, Reason.SWOLLEN),
        (200, 400, True, Reason.BLOATED),
        (300, 400, False, Reason.LEAN),
        # Twice as large, and yet too little to win.
        (30, 60, False, Reason.LEAN),
        (10, 31, True, Reason.SWOLLEN),
    ],
)
def test_the_limits_are_a_ratio_and_a_gain(new: int, size: int, *, rebuild: bool, reason: Reason) -> None:
    """1.5 times and 64 MB together, or three times alone."""
    decision = judged(new, size=size * MB)
    assert (decision.rebuild, decision.reason) == (rebuild, reason)


def test_an_estimate_is_believed_at_its_worst() -> None:
    """What might be lean within the error of the method is not rebuilt."""
    sure = IndexReading(facts=index_facts(), estimate=Estimate(size=260 * MB, method=Method.SAMPLE, error=0.0))
    vague = IndexReading(facts=index_facts(), estimate=Estimate(size=260 * MB, method=Method.RATIO, error=0.1))
    assert (POLICY.decide(sure).rebuild, POLICY.decide(vague).rebuild) == (True, False)


def test_scattered_keys_are_allowed_the_size_they_grow_to_anyway() -> None:
    """A new index on random keys is a third smaller for some days only: that is no gain."""
    assert judged(260, is_scattered=False).reason is Reason.BLOATED
    assert judged(260, is_scattered=True, size=395 * MB).reason is Reason.LEAN


def test_growth_that_was_learned_beats_the_rule_of_thumb() -> None:
    """An index that stayed 1.5 times larger than new for weeks wins nothing by being new again."""
    assert judged(260, memory=IndexMemory(settled_growth=1.5)).reason is Reason.LEAN


def test_what_bloats_again_within_two_weeks_is_reported_instead() -> None:
    """Then something else is the cause."""
    assert judged(100, memory=IndexMemory(rebuilt_at=NOW - timedelta(days=6))).reason is Reason.REGROWS
    assert judged(100, memory=IndexMemory(rebuilt_at=NOW - timedelta(days=15))).reason is Reason.SWOLLEN


def test_a_weak_estimate_moves_no_large_index() -> None:
    """Above a gigabyte the density of pages alone is not enough."""
    assert judged(100, method=Method.DENSITY, size=2000 * MB).reason is Reason.UNSURE
    assert judged(100, method=Method.DENSITY, size=900 * MB).reason is Reason.SWOLLEN
    assert judged(None).reason is Reason.UNKNOWN


def test_a_person_may_insist_whatever_the_size() -> None:
    """After damage it does not matter whether it is bloated."""
    policy = RebuildPolicy(rules=IndexRules(), only=("clinic.visits*",), now=NOW, insists=True)
    assert policy.decide(IndexReading(facts=index_facts(size=8192))).reason is Reason.ASKED
    assert policy.decide(IndexReading(facts=index_facts(table_name="other", name="o"))).reason is Reason.NOT_ASKED


def test_most_won_for_the_time_comes_first() -> None:
    """Bytes for each second, more for an index that is used; what is left alone comes last."""
    small = judged(10, name="small", size=90 * MB)
    large = judged(100, name="large")
    used = judged(100, name="used", memory=IndexMemory(scans_a_day=10_000))
    lean = judged(390, name="lean")
    assert [d.index.facts.name for d in worst_first([lean, small, large, used])] == ["used", "large", "small", "lean"]


def test_what_does_not_fit_the_window_is_said() -> None:
    """Half as much again is kept in reserve, and a short one may still follow a long one that does not fit."""
    long, short = judged(100, table_size=100_000 * MB), judged(10, size=90 * MB, table_size=10 * MB)
    assert long.price is not None
    fits, late = fitting([long, short], long.price.took)
    assert (fits, late) == ((short,), (long,))


def test_the_price_follows_the_speed_of_earlier_rebuilds() -> None:
    """A machine that took twice as long as predicted will do so again."""
    reading = IndexReading(facts=index_facts(), estimate=Estimate(size=100 * MB, method=Method.SAMPLE, error=0.0))
    usual, slow = POLICY.decide(reading), POLICY.decide(reading, Speed(factor=2.0))
    assert usual.price is not None
    assert slow.price is not None
    assert usual.price.took == timedelta(seconds=15.5)
    assert slow.price.took == timedelta(seconds=31)
    assert usual.price.wal == 95 * MB
    assert usual.price.space == (100 + 95) * MB
