"""What a number means: limits from both sides, the way back, patience, and doubt that is never green."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bed.watching import NOON, judged, levels
from pgtend.fleet.health import HealthRules, Watched
from pgtend.health.metrics import METRICS
from pgtend.health.model import Finding, HealthPolicy, Level, Reading, Reason, changes, verdict, worst_first

POLICY = HealthPolicy(HealthRules())
HOUR = timedelta(hours=1)


def rules(**more: object) -> HealthRules:
    """Read rules as the fleet file would give them."""
    return HealthRules.model_validate(more)


def test_each_limit_is_part_of_what_is_bad() -> None:
    """Seventy-five of a hundred connections warn, ninety are critical, and a little less is fine."""
    assert levels(judged(Watched.CONNECTIONS_USED, [74.9])) == ["ok"]
    assert levels(judged(Watched.CONNECTIONS_USED, [75])) == ["warning"]
    assert levels(judged(Watched.CONNECTIONS_USED, [89.9])) == ["warning"]
    assert levels(judged(Watched.CONNECTIONS_USED, [90])) == ["critical"]


def test_some_numbers_are_bad_when_they_are_low() -> None:
    """Days until the disk is full: thirty are fine, fewer warn, fewer than seven are critical."""
    assert levels(judged(Watched.DISK_DAYS, [30])) == ["ok"]
    assert levels(judged(Watched.DISK_DAYS, [29.9])) == ["warning"]
    assert levels(judged(Watched.DISK_DAYS, [6.9])) == ["critical"]


def test_a_level_is_left_only_when_the_number_is_clearly_back() -> None:
    """A number that trembles around its limit makes one message and not fifty."""
    assert levels(judged(Watched.CONNECTIONS_USED, [76, 74, 76, 68, 67.4])) == [
        "warning", "warning", "warning", "warning", "ok",
    ]  # fmt: skip
    assert levels(judged(Watched.CONNECTIONS_USED, [91, 89, 81.1, 80.9, 67])) == [
        "critical", "critical", "critical", "warning", "ok",
    ]  # fmt: skip
    trembling = judged(Watched.CONNECTIONS_USED, [76, 74])[1]
    assert trembling.reason is Reason.EASING


def test_the_way_back_fits_numbers_that_are_bad_when_low() -> None:
    """Ninety-five percent of cache hits is left at ninety-five and a half, not at a hundred and four."""
    without_patience = rules(limits={"cache_hit": {"lasting": "1 ms"}})
    found = judged(Watched.CACHE_HIT, [94, 94, 95.2, 95.6], rules=without_patience)
    assert levels(found) == ["ok", "warning", "warning", "ok"]
    assert levels(judged(Watched.DISK_DAYS, [29, 32, 34])) == ["warning", "warning", "ok"]


def test_a_metric_with_patience_is_told_of_when_it_has_lasted() -> None:
    """Ninety minutes of dead rows are nothing, a day of them is."""
    found = judged(Watched.DEAD_ROWS, [3] * 26, every=HOUR)
    assert levels(found) == ["ok"] * 24 + ["warning"] * 2
    assert found[0].reason is Reason.BRIEF
    assert "warning after 1 d" in found[0].explanation


def test_patience_begins_anew_when_it_was_fine_in_between() -> None:
    """What comes and goes has not lasted."""
    found = judged(Watched.DEAD_ROWS, [3] * 20 + [0] + [3] * 20, every=HOUR)
    assert set(levels(found)) == {"ok"}


def test_a_level_remembers_since_when() -> None:
    """The beginning stays while the level does."""
    found = judged(Watched.CONNECTIONS_USED, [10, 80, 81, 95])
    assert [str(finding.since.time()) for finding in found] == ["12:00:00", "12:05:00", "12:05:00", "12:15:00"]


def test_what_could_not_be_read_is_unknown_and_says_why() -> None:
    """Never green, whatever it was before."""
    good = judged(Watched.CONNECTIONS_USED, [10])[0]
    silent = Reading(watched=Watched.CONNECTIONS_USED, gap=Reason.UNREADABLE, why="permission denied")
    found = POLICY.judge(silent, good, NOON)
    assert found.level is Level.UNKNOWN
    assert found.explanation == "it could not be read: permission denied"


def through_doubt(watched: Watched, values: Sequence[float | None], gap: Reason, every: timedelta) -> list[Finding]:
    """Judge a metric that could not be read in between."""
    found: list[Finding] = []
    for number, value in enumerate(values):
        reading = Reading(watched=watched, value=value, gap=gap if value is None else None)
        found.append(POLICY.judge(reading, found[-1] if found else None, NOON + every * number))
    return found


def test_a_look_that_saw_nothing_ends_nothing() -> None:
    """What was bad before and is bad afterwards was bad all the time: nobody is told that it is over."""
    found = through_doubt(Watched.DEAD_ROWS, [3] * 25 + [None] + [3] * 2, Reason.UNREADABLE, HOUR)
    assert levels(found[24:]) == ["warning", "unknown", "warning", "warning"]
    found = through_doubt(Watched.DEAD_ROWS, [3] * 25 + [None, None, 0.1], Reason.UNREADABLE, HOUR)
    assert levels(found[24:]) == ["warning", "unknown", "unknown", "ok"]
    quiet = POLICY.judge(Reading(watched=Watched.DEAD_ROWS, gap=Reason.QUIET), found[25], NOON + HOUR * 26)
    assert quiet.level is Level.WARNING


@pytest.mark.parametrize("gap", [Reason.UNREADABLE, Reason.FIRST_LOOK, Reason.QUIET, Reason.GONE])
def test_what_rises_goes_on_rising_through_a_look_that_saw_nothing(gap: Reason) -> None:
    """Otherwise a day of dead rows is never told where one look a day fails."""
    found = through_doubt(Watched.DEAD_ROWS, [3] * 10 + [None] + [3] * 15, gap, HOUR)
    assert found[23].level is not Level.WARNING
    assert found[24].level is Level.WARNING


def test_the_way_back_is_as_long_after_a_look_that_saw_nothing() -> None:
    """A number that trembles around its limit makes one message, also when one look failed."""
    found = through_doubt(Watched.CONNECTIONS_USED, [76, None, 74, 67], Reason.UNREADABLE, HOUR)
    assert levels(found) == ["warning", "unknown", "warning", "ok"]


def test_what_nobody_read_is_unknown_too() -> None:
    """A question that was forgotten is a hole, and a hole is shown."""
    found = POLICY.judge_all([], {}, NOON)
    assert {finding.level for finding in found} == {Level.UNKNOWN}
    assert len(found) == len(METRICS) == len(Watched)


def test_a_quiet_hour_keeps_the_level_that_was_there() -> None:
    """Without transactions nobody can say that the rollbacks stopped."""
    bad = judged(Watched.DEADLOCKS, [1])[0]
    quiet = Reading(watched=Watched.DEADLOCKS, gap=Reason.QUIET, why="3 transactions")
    still = POLICY.judge(quiet, bad, NOON)
    assert still.level is Level.WARNING
    assert still.explanation == "too little happened since the last look to judge: 3 transactions"
    assert POLICY.judge(quiet, None, NOON).level is Level.OK


def test_what_is_gone_keeps_the_level_and_is_told_nobody_twice() -> None:
    """A counter that became less says nothing: no recovery, no second message, and no doubt where none was before."""
    gone = Reading(watched=Watched.INDEX_HIT, gap=Reason.GONE, why="an index was dropped")
    bad = Finding(watched=Watched.INDEX_HIT, level=Level.WARNING, reason=Reason.BEYOND_WARNING, since=NOON)
    still = POLICY.judge(gone, bad, NOON)
    assert (still.level, still.reason) == (Level.WARNING, Reason.GONE)
    assert changes([still], {Watched.INDEX_HIT: bad}) == ()
    assert changes([bad], {Watched.INDEX_HIT: still}) == ()
    first = POLICY.judge(gone, None, NOON)
    assert first.level is Level.UNKNOWN
    assert changes([first], {}) == ()


def test_the_fleet_file_has_the_last_word() -> None:
    """Another limit, a switch, and the default for what is not said."""
    strict = rules(limits={"connections_used": {"warning": 50.0}}, ignore=["deadlocks"])
    assert levels(judged(Watched.CONNECTIONS_USED, [55, 95], rules=strict)) == ["warning", "critical"]
    (ignored,) = judged(Watched.DEADLOCKS, [9], rules=strict)
    assert (ignored.level, ignored.reason) == (Level.NOT_WATCHED, Reason.IGNORED)


def test_a_number_without_limits_is_kept_and_never_bad() -> None:
    """Sessions are a trend."""
    (found,) = judged(Watched.SESSIONS, [1e9])
    assert (found.level, found.reason) == (Level.OK, Reason.TREND)


def test_doubt_is_worse_than_fine() -> None:
    """One unknown metric among good ones makes the database unknown; nothing at all does too."""
    good = judged(Watched.SESSIONS, [1])[0]
    unknown = POLICY.judge(Reading(watched=Watched.LOCK_WAIT, gap=Reason.UNREADABLE), None, NOON)
    absent = POLICY.judge(Reading(watched=Watched.SLOT_LOST, gap=Reason.ABSENT), None, NOON)
    assert verdict([good, unknown]) is Level.UNKNOWN
    assert verdict([good, absent]) is Level.OK
    assert verdict([]) is Level.UNKNOWN
    assert verdict([absent]) is Level.UNKNOWN


def test_the_worst_stands_first() -> None:
    """Critical, warning, unknown, fine."""
    found: list[Finding] = [
        *judged(Watched.SESSIONS, [1]),
        *judged(Watched.CONNECTIONS_USED, [80]),
        *judged(Watched.LOCK_WAIT, [1000]),
    ]
    assert levels(worst_first(found)) == ["critical", "warning", "ok"]


def test_only_what_changed_is_news() -> None:
    """At the first look what is bad; afterwards every step, and back; never the first number of a counter."""
    bad = judged(Watched.CONNECTIONS_USED, [80, 80, 95, 10])
    assert [change.finding.level for change in changes(bad[:1], {})] == [Level.WARNING]
    steps = [changes([later], {earlier.watched: earlier}) for earlier, later in itertools.pairwise(bad)]
    assert [[(str(c.was), str(c.finding.level)) for c in step] for step in steps] == [
        [],
        [("warning", "critical")],
        [("critical", "ok")],
    ]
    first = POLICY.judge(Reading(watched=Watched.CACHE_HIT, gap=Reason.FIRST_LOOK), None, NOON)
    second = POLICY.judge(Reading(watched=Watched.CACHE_HIT, value=99.9), first, NOON)
    assert changes([first], {}) == ()
    assert changes([second], {first.watched: first}) == ()


@pytest.mark.parametrize("watched", list(Watched))
def test_every_metric_says_what_it_means_and_what_to_do(watched: Watched) -> None:
    """Whoever is woken up by it finds a sentence, and its warning comes before its critical limit."""
    metric = METRICS[watched]
    assert metric.meaning.endswith(".")
    assert bool(metric.advice) is metric.is_judged
    if metric.warning is not None and metric.critical is not None:
        assert (metric.warning < metric.critical) is (metric.side.value == "from")


@given(values=st.lists(st.floats(0, 200), min_size=1, max_size=30))
def test_a_critical_number_is_never_called_fine(values: list[float]) -> None:
    """Whatever came before it, and a level is never milder than the number itself."""
    for value, found in zip(values, judged(Watched.CONNECTIONS_USED, values), strict=True):
        itself = Level.CRITICAL if value >= 90 else Level.WARNING if value >= 75 else Level.OK
        assert found.level.rank >= itself.rank
