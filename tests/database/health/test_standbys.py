"""A real standby that falls behind, catches up and goes away, seen from its primary and from itself."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest

from bed.clusters import Clusters, LiveDatabase, new_database
from bed.ledgers import ask, new_ledger, tell
from bed.standbys import PASSWORD, primary_and_standby
from bed.watching import Ward, limits
from pgtend.fleet.health import Watched
from pgtend.health.model import Finding, Level
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.throwaway import ThrowawayServer

AT_ONCE = {"lasting": "1 ms"}
RULES = limits(
    replication_lag={**AT_ONCE, "warning": 1000.0, "critical": 1e9},
    replication_delay={**AT_ONCE, "warning": 0.001, "critical": 1e9},
    replay_delay={**AT_ONCE, "warning": 0.001, "critical": 1e9},
)


@dataclass(slots=True)
class Pair:
    """A primary that is watched, and its standby, watched as a database of its own."""

    primary: Ward
    standby: Ward
    server: ThrowawayServer

    def write(self) -> None:
        """Write what the standby has to follow."""
        self.primary.live.run("INSERT INTO public.visits SELECT generate_series(1, 1000)")

    def await_follower(self, question: str) -> None:
        """Wait for something the standby does by itself."""
        with self.server.session() as session:
            while ask(session, question) != [True]:
                tell(session, "SELECT pg_sleep(0.02)")

    @contextmanager
    def cut(self) -> Generator[None]:
        """Let the standby lose its primary for a while."""
        self.primary.live.run(
            "ALTER ROLE follower NOLOGIN", "SELECT pg_terminate_backend(pid) FROM pg_stat_replication"
        )
        self.await_follower("SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
        yield
        self.primary.live.run("ALTER ROLE follower LOGIN")
        self.await_follower("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')")


@pytest.fixture(scope="module")
def pair(clusters: Clusters) -> Generator[Pair]:
    """Give a primary with a standby, each looked at once."""
    with (
        primary_and_standby(18) as (primary, standby),
        new_database(primary) as live,
        new_ledger(clusters.server(18)) as reporting,
        reporting.session() as memory,
    ):
        live.run("CREATE TABLE public.visits (id int)")
        monitor = live.new_role("monitor")
        live.run(f'GRANT pg_monitor TO "{monitor.user}"')
        assert monitor.password is not None
        far = LiveDatabase(standby, f"{live.name}_far", standby.superuser("postgres"))
        wards = (
            Ward(live, monitor, DatabaseLedger(memory), RULES),
            Ward(far, standby.superuser("postgres"), DatabaseLedger(memory), RULES),
        )
        made = Pair(*wards, standby)
        # A standby that lost its primary tries again at once.
        with standby.session() as session:
            tell(session, "ALTER SYSTEM SET wal_retrieve_retry_interval = '50ms'", "SELECT pg_reload_conf()")
        made.write()
        made.await_follower("SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()")
        yield made


def lasting(ward: Ward, watched: Watched) -> Finding:
    """Look twice: what is bad for one look only is told to nobody."""
    ward.look()
    return ward.finding(watched)


def test_a_standby_that_falls_behind_catches_up_and_goes_away(pair: Pair) -> None:
    """Bytes and seconds beyond their limits, then fine; and one that is gone is unknown, never fine."""
    with pair.server.session() as session:
        tell(session, "SELECT pg_wal_replay_pause()")
        pair.write()
        pair.await_follower(
            "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"
            " AND pg_last_xact_replay_timestamp() < clock_timestamp() - interval '10 ms'"
        )
        behind = lasting(pair.primary, Watched.REPLICATION_LAG)
        assert (behind.level, behind.about) == (Level.WARNING, "walreceiver")
        assert lasting(pair.standby, Watched.REPLAY_DELAY).level is Level.WARNING
        tell(session, "SELECT pg_wal_replay_resume()")
    pair.await_follower("SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()")
    with pair.primary.live.session() as session:
        late = "SELECT replay_lag > interval '1 ms' FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
        while ask(session, late) != [True]:
            tell(session, "SELECT pg_sleep(0.02)")
    assert lasting(pair.primary, Watched.REPLICATION_DELAY).level is Level.WARNING
    assert pair.primary.finding(Watched.REPLICATION_LAG).level is Level.OK
    assert pair.standby.finding(Watched.REPLAY_DELAY).level is Level.OK

    with pair.cut():
        gone = pair.primary.finding(Watched.REPLICATION_LAG)
        assert (gone.level, "walreceiver was connected and no longer is" in gone.explanation) == (Level.UNKNOWN, True)
        assert lasting(pair.standby, Watched.REPLAY_DELAY).level is Level.WARNING
    assert pair.primary.finding(Watched.REPLICATION_LAG).level is Level.OK
    assert pair.standby.finding(Watched.REPLAY_DELAY).level is Level.OK


def test_of_two_standbys_of_the_same_name_one_is_missed(pair: Pair) -> None:
    """Both are called walreceiver as long as nobody names them; one that leaves is no less gone for that."""
    near = pair.primary.live.superuser.to(user="follower", replication="true", application_name="walreceiver")
    with closing(psycopg.connect(**near.params, password=PASSWORD, autocommit=True)):  # type: ignore[arg-type]
        assert pair.primary.finding(Watched.REPLICATION_LAG).level is Level.OK
    with pair.primary.live.session() as session:
        while ask(session, "SELECT count(*)::int FROM pg_stat_replication") != [1]:
            tell(session, "SELECT pg_sleep(0.02)")
    gone = pair.primary.finding(Watched.REPLICATION_LAG)
    assert (gone.level, "walreceiver (2) was connected" in gone.explanation) == (Level.UNKNOWN, True)
    pair.primary.now += timedelta(days=1)
    pair.primary.look()
    pair.primary.look()


def test_a_standby_that_was_taken_away_is_forgotten_after_a_day(pair: Pair) -> None:
    """People heard of it that day; a fleet without standbys is not in doubt for ever."""
    pair.primary.look()
    with pair.cut():
        assert pair.primary.finding(Watched.REPLICATION_LAG).level is Level.UNKNOWN
        pair.primary.now += timedelta(days=1)
        assert pair.primary.finding(Watched.REPLICATION_LAG).level is Level.NOT_WATCHED
