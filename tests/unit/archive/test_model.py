"""What is old, how fast it leaves, and when a month may go."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.archive.model import (
    ALLOWED,
    FEWEST_PAGES,
    MOST_PAGES,
    Pace,
    State,
    Stay,
    Unit,
    cutoff_month,
    decide_departures,
    decide_destructions,
    in_order,
    month_after,
    rule_digest,
)
from pgtend.archive.names import Names
from pgtend.fleet.model import TableArchive

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
SEALED_AT = datetime(2026, 11, 1, tzinfo=UTC)
BACKUP = datetime(2026, 11, 20, tzinfo=UTC)


def rule(**different: object) -> TableArchive:
    """Keep a year of rows by `date`, apart from what the test says."""
    return TableArchive.model_validate({"by": "date", **different})


def unit(state: State = State.PROVEN, **different: object) -> Unit:
    """Describe a month that was proven long ago, apart from what the test says."""
    values: dict[str, object] = {
        "source_id": 1,
        "month": date(2025, 9, 1),
        "gen": 1,
        "state": state.value,
        "rows": 10,
        "checksum": "1",
        "columns": (),
        "partition": "x",
        "came_from": "",
        "sealed_at": SEALED_AT,
        "proven_at": SEALED_AT,
        "dropped_at": None,
        "is_held": False,
        "is_held_by_law": False,
    }
    return Unit(**{**values, **different})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "zone", "month"),
    [
        ("2026-11-21T03:00:00+00:00", "UTC", date(2025, 11, 1)),
        ("2026-12-01T00:00:00+00:00", "UTC", date(2025, 12, 1)),
        ("2026-11-30T23:59:00+00:00", "UTC", date(2025, 11, 1)),
        ("2026-12-01T02:00:00+00:00", "America/New_York", date(2025, 11, 1)),
        ("2026-11-30T23:30:00+00:00", "Africa/Lagos", date(2025, 12, 1)),
    ],
)
def test_only_months_that_are_wholly_old_leave(now: str, zone: str, month: date) -> None:
    """A year ago is in the middle of a month, and a month begins where the rule's zone says."""
    assert cutoff_month(datetime.fromisoformat(now), rule(zone=zone)) == month


def test_a_change_of_clocks_moves_no_month() -> None:
    """Thirty days before midnight are midnight, although one of the days had 25 hours."""
    now = datetime(2026, 12, 1, 0, 0, tzinfo=UTC) + timedelta(hours=5)
    assert cutoff_month(now, rule(zone="America/New_York", keep="30 days")) == date(2026, 11, 1)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(9000, 1, 1)))
def test_months_follow_each_other_without_a_gap(day: date) -> None:
    """The day before the next month belongs to this one."""
    month = day.replace(day=1)
    assert month_after(month).day == 1
    assert (month_after(month) - timedelta(days=1)).replace(day=1) == month


@given(st.lists(st.one_of(st.none(), st.integers(min_value=0, max_value=60_000)), max_size=60))
def test_the_pace_stays_between_its_limits(times: list[int | None]) -> None:
    """Whatever batches took, and whoever waited, the next one is neither too small nor too large."""
    pace = Pace(timedelta(milliseconds=100))
    for took in times:
        pace = pace.halved() if took is None else pace.after(timedelta(milliseconds=took))
        assert FEWEST_PAGES <= pace.pages <= MOST_PAGES


def test_the_pace_follows_what_batches_take() -> None:
    """Half the time is double the pages, and never more than double at once."""
    pace = Pace(timedelta(milliseconds=100))
    assert pace.after(timedelta(milliseconds=50)).pages == 128
    assert pace.after(timedelta(milliseconds=1)).pages == 128
    assert pace.after(timedelta(milliseconds=200)).pages == 32
    assert pace.after(timedelta(seconds=9)).pages == 32
    assert pace.halved().pages == 32
    assert pace.smallest().pages == 4


def test_few_of_the_rows_to_go_move_at_once() -> None:
    """A correction meets the rows in motion less than once in a hundred times, however small the table is."""
    pace = Pace(timedelta(milliseconds=100))
    assert pace.over(25_600).after(timedelta(milliseconds=1)).pages == 100
    assert pace.over(5_120).pages == 20
    assert pace.over(5_120).after(timedelta(milliseconds=1)).pages == 20
    assert pace.over(5_120).over(10**7).after(timedelta(milliseconds=50)).pages == 40
    assert pace.over(100).pages == 4
    assert pace.over(10**7).pages == 64


def test_tables_leave_in_the_order_of_their_rules() -> None:
    """Children before the tables they point at."""
    rules = {"a.parent": rule(after=["a.child"]), "a.other": rule(), "a.child": rule()}
    assert in_order(rules) == ("a.child", "a.parent", "a.other")


def test_a_changed_rule_is_another_rule() -> None:
    """Whoever approves a year has not approved a week."""
    assert rule_digest("a.b", rule()) == rule_digest("a.b", rule(keep="365 days"))
    assert rule_digest("a.b", rule()) != rule_digest("a.b", rule(keep="7 days"))
    assert rule_digest("a.b", rule()) != rule_digest("a.c", rule())


@pytest.mark.parametrize(
    ("month", "wish", "backup", "stays"),
    [
        (unit(), rule(tier="cold"), BACKUP, None),
        (unit(), rule(), BACKUP, Stay.TABLE),
        (unit(State.SEALED), rule(tier="cold"), BACKUP, Stay.UNPROVEN),
        (unit(State.STORED), rule(tier="cold"), BACKUP, Stay.UNPROVEN),
        (unit(is_held=True, is_held_by_law=True), rule(tier="cold"), BACKUP, Stay.LAW),
        (unit(is_held=True), rule(tier="cold"), BACKUP, Stay.HELD),
        (unit(), rule(tier="cold"), None, Stay.NO_BACKUP),
        (unit(), rule(tier="cold"), SEALED_AT, Stay.NO_BACKUP),
        (unit(), rule(tier="cold", grace="30 days"), BACKUP, Stay.GRACE),
    ],
)
def test_a_month_leaves_the_database_only_when_nothing_keeps_it(
    month: Unit, wish: TableArchive, backup: datetime | None, stays: Stay | None
) -> None:
    """Proven, past its grace, held by nobody, and in a verified backup that is younger than its seal."""
    (departure,) = decide_departures([month], wish, NOW, backup)
    assert (departure.stays, departure.leaves) == (stays, stays is None)


@pytest.mark.parametrize(
    ("month", "wish", "stays"),
    [
        (unit(State.SEALED), rule(forget_after="400 days"), None),
        (unit(State.PROVEN), rule(forget_after="400 days", tier="cold"), None),
        (unit(State.DROPPED), rule(forget_after="400 days", tier="cold"), None),
        (unit(State.DROPPED, is_held=True, is_held_by_law=True), rule(forget_after="400 days", tier="cold"), Stay.LAW),
        (unit(State.SEALED), rule(forget_after="400 days", tier="cold"), Stay.UNPROVEN),
        (unit(State.MOVING), rule(forget_after="400 days"), Stay.UNPROVEN),
        (unit(State.SEALED, is_held=True), rule(forget_after="400 days"), Stay.HELD),
    ],
)
def test_a_month_is_destroyed_only_when_nothing_keeps_it(month: Unit, wish: TableArchive, stays: Stay | None) -> None:
    """After its time, and never while the law, a hold or doubt is on it."""
    (judged,) = decide_destructions([month], wish, NOW, BACKUP)
    assert judged.stays is stays


def test_what_is_young_or_kept_for_ever_is_not_judged() -> None:
    """No rule, no destruction."""
    assert list(decide_destructions([unit()], rule(), NOW, BACKUP)) == []
    assert list(decide_destructions([unit()], rule(forget_after="600 days"), NOW, BACKUP)) == []


def test_nothing_is_dropped_or_destroyed_before_it_was_sealed() -> None:
    """Of all the ways through the states, none leads from moving rows to lost ones."""
    reached = {State.MOVING}
    edge = [State.MOVING]
    while edge:
        for after in ALLOWED[edge.pop()] - {State.SEALED}:
            if after not in reached:
                reached.add(after)
                edge.append(after)
    assert reached == {State.MOVING}
    assert State.DROPPED not in ALLOWED[State.SEALED] | ALLOWED[State.STORED] | ALLOWED[State.MOVING]


def test_long_names_are_shortened_and_stay_different() -> None:
    """PostgreSQL would cut them, and two tables would share a month."""
    long = Names("a_schema_with_a_long_name", "a_table_whose_name_is_long_enough_to_be_cut_by_the_server_a")
    other = Names("a_schema_with_a_long_name", "a_table_whose_name_is_long_enough_to_be_cut_by_the_server_b")
    month = date(2025, 9, 1)
    assert long.month_name(month) != other.month_name(month)
    assert max(len(name.month_name(month).encode()) for name in (long, other)) <= 63
    assert Names.of("public.visits").month_name(month) == "public__visits_2025_09"
    assert Names.of("public.visits").archive_name == "visits_archive"
