"""The truth test: every call counts once, whatever happens to the server or to us, and none counts twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator

import pytest

from bed.clusters import MAJORS, Clusters
from bed.counted_clinic import Clinic, clinic_on, counting_server
from bed.ledgers import ask
from pgtend.kernel.errors import Outage
from pgtend.statements.errors import NightIsOver
from pgtend.statements.quality import Night

NOTHING_BELOW_ZERO = (
    "SELECT count(*) FROM reporting.statement_day WHERE least(calls, plans, rows, exec_ms, exec_ssq, plan_ms,"
    " shared_blks_hit, shared_blks_read, shared_blks_dirtied, shared_blks_written, temp_blks_read, temp_blks_written,"
    " shared_read_ms, shared_write_ms, wal_records, wal_fpi, wal_bytes, jit_functions, jit_ms) < 0"
)
# The server counts for all its databases, and keeps entries of dropped ones: only those of this database are meant.
RESET_ONE = (
    "SELECT public.pg_stat_statements_reset(0, dbid, queryid) FROM public.pg_stat_statements"
    " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND starts_with(query, 'SELECT id FROM public.' || %(name)s || ' WHERE')"
)


@pytest.fixture(params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def own(request: pytest.FixtureRequest, clusters: Clusters) -> Generator[Clinic]:
    """Give a clinic on a server of its own, which may be reset, restarted and killed."""
    with counting_server(request.param) as server, clinic_on(server, clusters.server(18)) as made:
        yield made


def reset_one(clinic: Clinic, name: str) -> None:
    """Let the server forget what it counted of one statement, and see that there was exactly one."""
    with clinic.source.session() as session:
        assert len(ask(session, RESET_ONE, {"name": name})) == 1


def is_exact(clinic: Clinic) -> bool:
    """Tell whether the server says since when each entry counts."""
    return clinic.server.tools.major >= 17


def test_what_happened_before_the_first_night_is_nobodys_work(clinic: Clinic) -> None:
    """The first reading counts nothing and says so; from then on every call counts, of old statements and new ones."""
    clinic.work(visits=5)
    clinic.truth.clear()
    first = clinic.night()
    assert (first.is_baseline, first.baseline_reason, first.calls) == (True, "first reading", 0)
    clinic.work(visits=7, patients=3)
    second = clinic.night()
    assert clinic.counted() == {"visits": 7, "patients": 3} == clinic.truth
    assert (second.is_baseline, second.baseline_reason, second.missed_nights) == (False, "", 0)
    assert second.entries_counted >= 2


def test_a_second_reading_of_a_night_adds_what_came_since_and_nothing_twice(clinic: Clinic) -> None:
    """Whoever asks again, a retry or a person, makes the night longer and never larger than the truth."""
    clinic.night()
    clinic.work(visits=4)
    clinic.night()
    assert clinic.night(0).readings == 2
    assert clinic.counted() == {"visits": 4}
    clinic.work(visits=2, doctors=1)
    assert clinic.night(0).readings == 3
    assert clinic.counted() == {"visits": 6, "doctors": 1} == clinic.truth
    assert clinic.asked("SELECT count(*) FROM reporting.statement_nights") == [2]


@pytest.mark.pg("== 18")
def test_a_night_that_is_over_cannot_be_read_again(clinic: Clinic) -> None:
    """The server shows only the present; what is refused changed nothing."""
    clinic.night()
    clinic.work(visits=4)
    clinic.night(3)
    with pytest.raises(NightIsOver, match="the night of 2026-11-03 is over: 2026-11-05 was read already"):
        clinic.night(-2)
    assert clinic.counted() == {"visits": 4}


def test_missed_nights_are_in_the_next_one_and_it_says_so(clinic: Clinic) -> None:
    """Nothing is lost while we are away, and nobody takes three days for one."""
    clinic.night()
    clinic.work(visits=2)
    clinic.work(visits=5)
    night = clinic.night(3)
    assert clinic.counted() == {"visits": 7} == clinic.truth
    assert night.missed_nights == 2
    assert "2 missed nights in it" in night.quality()


def test_a_reading_that_dies_in_the_middle_leaves_nothing_and_the_next_one_has_it_all(clinic: Clinic) -> None:
    """The ledger's connection is cut after the counters came over and before they were compared."""
    clinic.night()
    clinic.work(visits=6)
    with clinic.reporting.session() as owner, owner.connection.transaction():
        owner.connection.execute("LOCK TABLE reporting.statement_snapshot IN ACCESS EXCLUSIVE MODE")
        failures: list[BaseException] = []

        def read() -> None:
            try:
                clinic.night()
            except Outage as error:
                failures.append(error)

        victim = threading.Thread(target=read)
        victim.start()
        waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'reporting.statement_snapshot'::regclass"
        while not (blocked := ask(owner, waiting)):
            owner.connection.execute("SELECT pg_sleep(0.02)")
        owner.connection.execute("SELECT pg_terminate_backend(%s)", [blocked[0]])
        victim.join()
    assert len(failures) == 1
    assert clinic.counted() == {}
    clinic.work(visits=1)
    clinic.night(0)
    assert clinic.counted() == {"visits": 7} == clinic.truth


@pytest.mark.pg("== 18")
def test_two_readings_at_once_count_once(clinic: Clinic) -> None:
    """One waits for the other, and finds nothing left to count."""
    clinic.night()
    clinic.work(visits=8)
    clinic.day = clinic.day.replace(day=9)
    both = [threading.Thread(target=clinic.night, args=(0,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert clinic.counted() == {"visits": 8} == clinic.truth


def test_resets_restarts_and_crashes_of_the_server_never_count_anything_twice(own: Clinic) -> None:
    """Full reset, single reset, clean restart and kill -9: exact where the server says since when it counts."""
    own.night()
    own.work(visits=9, patients=50)
    own.night()
    own.work(visits=2)
    own.tell("SELECT public.pg_stat_statements_reset()")
    own.lose(visits=2)
    own.work(visits=4, patients=1)
    assert own.night().resets == 1
    assert own.counted() == own.truth == {"visits": 13, "patients": 51}

    reset_one(own, "visits")
    own.work(visits=3)
    assert own.night().entries_reset >= 1
    assert own.counted() == own.truth

    own.work(visits=2)
    own.server.stop()
    own.server.start()
    own.work(visits=1)
    assert own.night().baseline_reason == ""
    assert own.counted() == own.truth

    own.work(patients=5)
    own.server.stop(signal.SIGKILL)
    own.lose(patients=5)
    own.server.start()
    own.work(patients=80, visits=1)
    assert own.night().resets == 1
    assert own.counted() == own.truth == {"visits": 20, "patients": 131}
    assert own.asked(NOTHING_BELOW_ZERO) == [0]


@pytest.mark.pg("== 18")
@pytest.mark.parametrize("version", ["1.8", "1.9", "1.10", "1.11"])
def test_the_view_of_every_server_since_13_is_read(clinic: Clinic, version: str) -> None:
    """13 has version 1.8, 14 has 1.9, 15 and 16 have 1.10, 17 has 1.11: the newest server still offers each of them."""
    clinic.tell(
        "DROP EXTENSION pg_stat_statements",
        f"CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '{version}'",
    )
    clinic.night()
    clinic.work(visits=7, patients=3)
    night = clinic.night()
    assert clinic.counted() == {"visits": 7, "patients": 3} == clinic.truth
    assert night.is_exact is (version == "1.11")
    assert clinic.asked("SELECT count(*) FROM reporting.statement_days WHERE shared_blks_hit > 0") != [0]


def test_an_entry_that_was_reset_and_grew_beyond_itself_is_never_counted_twice(clinic: Clinic) -> None:
    """Old servers show no trace of it but the extreme times: they may miss calls, and must not invent any."""
    clinic.work(visits=5)
    clinic.truth.clear()
    clinic.night()
    reset_one(clinic, "visits")
    clinic.work(visits=40)
    clinic.night()
    counted = clinic.counted()["visits"]
    assert counted == 40 if is_exact(clinic) else 35 <= counted <= 40


@pytest.mark.parametrize("major", MAJORS)
def test_evictions_lose_counts_and_never_invent_any(major: int, clusters: Clusters) -> None:
    """A hundred entries for a hundred and fifty statements: at most the truth, and each night says what is lost."""
    with (
        counting_server(major, {"pg_stat_statements.max": "100"}) as server,
        clinic_on(server, clusters.server(18)) as clinic,
    ):
        clinic.night()
        nights: list[Night] = []
        for round_ in range(3):
            for part in range(3):
                names = [f"s{(part * 50 + number * (1 + round_ % 3)) % 150}" for number in range(50)]
                clinic.work(**dict.fromkeys(names, 2))
            nights.append(clinic.night())
        counted = clinic.counted()
        assert counted
        assert {name for name, calls in counted.items() if calls > clinic.truth[name]} == set()
        assert sum(counted.values()) > 0.1 * clinic.truth.total()
        assert clinic.asked(NOTHING_BELOW_ZERO) == [0]
        assert all("evictions, whose counts are lost" in night.quality() for night in nights)
