"""What is kept of looks: numbers and changes, days made of them, and nothing that is called fine when nobody looked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bed.clusters import LiveDatabase, asked
from bed.ledgers import ask, member_of, tell
from bed.watching import EVERY, Ward, await_nobody, crowd, finding_of, limits
from pgtend.fleet.health import Watched
from pgtend.health.job import examine, stale_after
from pgtend.health.model import Level, Reason
from pgtend.health.store import HealthStore
from pgtend.health.trend import trend
from pgtend.kernel.errors import PgtendError
from pgtend.ledger.database import DatabaseLedger

pytestmark = pytest.mark.pg("== 18")


def test_every_look_leaves_one_row_and_no_run(ward: Ward, reporting: LiveDatabase) -> None:
    """The audit is kept for ever, and two entries every five minutes would be most of it."""
    ward.look()
    with reporting.session() as session:
        kept = "SELECT count(*)::int FROM reporting.health_reading WHERE database = %(name)s"
        assert ask(session, kept, {"name": ward.live.name}) == [2]
        assert ask(session, "SELECT count(*)::int FROM reporting.runs WHERE pipeline = 'health'") == [0]


def test_a_change_is_kept_once(ward: Ward, reporting: LiveDatabase) -> None:
    """Three bad looks and a good one are two changes, with their reasons."""
    ward.rules = limits(invalid_indexes={"lasting": "1 ms"}, sessions={"warning": 1.0})
    with ward.live.session(application="web"):
        for _ in range(3):
            ward.look()
    await_nobody(ward.live)
    ward.look()
    with reporting.session() as session:
        found = ask(
            session,
            "SELECT was || ' to ' || level || ', ' || reason FROM reporting.health_changes"
            " WHERE database = %(name)s AND metric = 'sessions' ORDER BY at",
            {"name": ward.live.name},
        )
    assert found == [
        "ok to warning, beyond the limit for a warning: warning from 1",
        "warning to ok, within its limits: warning from 1",
    ]


def test_a_day_is_made_of_its_looks_when_the_next_begins(ward: Ward) -> None:
    """Lowest, mean, highest and last, once; a trend of weeks is drawn from days, one of hours from looks."""
    ward.now = datetime(2027, 11, 1, 4, 10, tzinfo=UTC)
    began = ward.now
    for amount in (0, 1, 3, 2):
        with crowd(ward.live, amount, "web"):
            ward.look(later=timedelta(hours=5))
        await_nobody(ward.live)
    ward.look(later=timedelta(days=1))
    ward.look()
    assert ward.ledger is not None
    days = trend(ward.ledger, ward.live.name, Watched.SESSIONS, began + timedelta(days=9), timedelta(days=30))
    first = next(point for point in days.points if point.at >= began - timedelta(days=1))
    assert (first.at.day, first.low, first.mean, first.high, first.last) == (1, 0, 1.5, 3, 2)
    hours = trend(ward.ledger, ward.live.name, Watched.SESSIONS, began + timedelta(hours=20), timedelta(hours=24))
    assert [point.last for point in hours.points] == [0, 1, 3, 2, 0, 0]


def test_a_database_nobody_looks_at_is_unknown(ward: Ward, reporting: LiveDatabase) -> None:
    """After three missed looks its last number is no longer how it stands."""
    assert stale_after(ward.database) == timedelta(minutes=15)
    ward.now = datetime.now(UTC) - timedelta(hours=1)
    with reporting.session() as session:
        tell(session, f"DELETE FROM reporting.health_current WHERE database = '{ward.live.name}'")  # noqa: S608 - ours
    ward.look()
    with reporting.session() as session:
        question = (
            "SELECT DISTINCT level || ', ' || reason FROM reporting.health"
            " WHERE database = %(name)s AND level <> 'not watched'"
        )
        assert ask(session, question, {"name": ward.live.name}) == ["unknown, nobody has looked since"]
        question = "SELECT level FROM reporting.health_databases WHERE database = %(name)s AND is_stale"
        assert ask(session, question, {"name": ward.live.name}) == ["unknown"]


def test_a_database_that_does_not_answer_is_critical_and_everything_else_unknown(ward: Ward) -> None:
    """That is what is known of it, it is kept, and the error comes back for whoever fails with it."""
    ward.monitor = ward.monitor.to(port="1")
    exam = ward.look()
    assert exam.failure is not None
    assert exam.failure.code == "postgres.unreachable"
    assert finding_of(exam, Watched.REACHABLE).level is Level.CRITICAL
    assert {found.level for found in exam.findings if found.watched is not Watched.REACHABLE} == {Level.UNKNOWN}


def test_an_index_that_is_dropped_makes_nobody_doubt(ward: Ward) -> None:
    """All indexes together have counted less then; what was known stays known, and the next look judges again."""
    ward.rules = limits()
    ward.live.run("CREATE TABLE public.wide (id int PRIMARY KEY)", "CREATE INDEX other ON public.wide (id)")
    ward.look()
    ward.live.run("INSERT INTO public.wide SELECT n FROM generate_series(1, 5000) AS n")
    assert ward.finding(Watched.INDEX_HIT).reason is Reason.WITHIN
    ward.live.run("DROP INDEX public.other")
    gone = ward.finding(Watched.INDEX_HIT)
    assert (gone.level, gone.reason) == (Level.OK, Reason.GONE)
    assert gone.explanation == "something that was counted is gone since the last look: an index was dropped"
    assert ward.finding(Watched.INDEX_HIT).reason is Reason.QUIET


def test_a_look_that_was_overtaken_is_not_kept(ward: Ward) -> None:
    """Two that overlap leave the later one's word."""
    assert ward.ledger is not None
    store = HealthStore(ward.ledger)
    late = examine(ward.database, ward.monitor, store, clock=lambda: ward.now - 3 * EVERY)
    assert store.keep(late, timedelta(minutes=15)) is False


def test_a_look_from_a_time_to_come_keeps_no_other_out(ward: Ward) -> None:
    """A worker whose clock was a year ahead dated it; until that day nobody knew any more how the database is."""
    assert ward.ledger is not None
    store = HealthStore(ward.ledger)
    ahead = examine(ward.database, ward.monitor, store, clock=lambda: datetime.now(UTC) + timedelta(days=365))
    assert store.keep(ahead, timedelta(minutes=15))
    right = examine(ward.database, ward.monitor, store, clock=lambda: datetime.now(UTC))
    assert store.keep(right, timedelta(minutes=15))
    assert finding_of(right, Watched.REACHABLE).level is Level.OK
    again = examine(ward.database, ward.monitor, store, clock=lambda: datetime.now(UTC) - timedelta(minutes=1))
    assert not store.keep(again, timedelta(minutes=15))


def test_without_a_memory_a_database_is_looked_at_twice(ward: Ward) -> None:
    """So that numbers that need a comparison have one."""
    ward.ledger = None
    exam = ward.look()
    assert finding_of(exam, Watched.TRANSACTIONS).value is not None
    assert [found.watched for found in exam.findings if found.reason is Reason.FIRST_LOOK] == []


def test_single_looks_are_forgotten_and_days_stay(ward: Ward, reporting: LiveDatabase) -> None:
    """Whole months, never the last two weeks; the audit says which."""
    ward.now = datetime.now(UTC) - timedelta(days=120)
    with reporting.session() as session:
        tell(session, f"DELETE FROM reporting.health_current WHERE database = '{ward.live.name}'")  # noqa: S608 - ours
        ward.look(later=timedelta(days=1))
        ward.look()
        tell(session, "SELECT reporting.ensure_partitions(0)")
        store = HealthStore(DatabaseLedger(session))
        days = "SELECT count(*)::int FROM reporting.health_day WHERE database = %(name)s"
        before = ask(session, days, {"name": ward.live.name})
        gone = store.forget(keep=timedelta(days=60), actor="me")
        assert gone
        assert all(name.startswith("health_reading_") for name in gone)
        assert ask(session, days, {"name": ward.live.name}) == before
        assert store.forget(keep=timedelta(days=60), actor="me") == ()
        with pytest.raises(PgtendError, match="invalid parameter value"):
            store.forget(keep=timedelta(days=3), actor="me")


def test_a_reader_sees_every_view_and_no_table(ward: Ward, reporting: LiveDatabase) -> None:
    """Dashboards get the views; what the next look remembers is nobody's interface."""
    ward.look()
    with reporting.session(member_of(reporting, "pgtend_reader")) as session:
        for view in ("health", "health_databases", "health_readings", "health_days", "health_changes", "health_pools"):
            ask(session, f"SELECT count(*) FROM reporting.{view}")  # noqa: S608 - ours
        question = "SELECT count(DISTINCT metric)::int FROM reporting.health WHERE database = %(name)s"
        assert ask(session, question, {"name": ward.live.name}) == [42]
        with pytest.raises(PgtendError, match="permission denied"):
            session.rows(asked("SELECT memory::text AS word FROM reporting.health_current"))
