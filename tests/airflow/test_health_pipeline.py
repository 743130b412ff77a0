"""The pipeline `health` inside Airflow: what gets bad is told once, what gets worse again once, and its end once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from bed.airflow_world import CANARY_ROW, World
from bed.ledgers import ask, tell
from bed.watching import await_nobody, crowd
from pgtend.fleet.health import schedule_of
from pgtend.fleet.load import fleet_path, load_fleet
from pgtend.health.job import examine
from pgtend.health.store import HealthStore
from pgtend.ledger.database import DatabaseLedger

# Warns from one session on, and three are critical; what this machine and its server are otherwise is not asked here.
RULES = """\
    health:
      details_every: 1 ms
      limits:
        sessions: {warning: 1.0, critical: 3.0}
      ignore: [unsafe_settings, disk_used, stale_statistics, dead_rows, connections_used, cache_hit, rollbacks]
"""


@pytest.fixture
def watched(world: World) -> World:
    """Give a world whose database is watched by a role that may monitor."""
    world.source.run(f'GRANT pg_monitor TO "{world.tender.user}"')
    world.add_to_fleet(RULES)
    return world


@contextmanager
def looked_at(world: World, sessions: int) -> Generator[None]:
    """Run the pipeline while so many clients are connected."""
    with crowd(world.source, sessions, "web"):
        run = world.run("kgc.health")
        assert run.state == "success", world.log()
        yield
    await_nobody(world.source)


def test_each_step_is_told_once(watched: World) -> None:
    """Bad, still bad, worse, still worse, a little better, well, still well: three messages of seven looks."""
    told: list[int] = []
    for sessions in (1, 1, 3, 3, 2, 0, 0):
        with looked_at(watched, sessions):
            told.append(len(watched.messages()))
    assert told == [1, 1, 2, 2, 2, 3, 3]
    assert [title.split(":")[0] for title in watched.messages()] == [
        "[clinic production] kgc.health needs attention",
        "[clinic production] kgc.health is critical",
        "[clinic production] kgc.health recovered",
    ]
    first = watched.mail.texts()[0]
    assert "Sessions: 1, beyond the limit for a warning: warning from 1, critical from 3 [health.sessions]" in first
    assert "warning: a metric is beyond its limit; no run failed" in first
    assert "docs/runbooks/health.md" in first
    assert CANARY_ROW not in watched.log() + first
    with watched.reporting.session() as ledger:
        assert ask(ledger, "SELECT severity FROM reporting.alert ORDER BY alert_id") == ["ticket"]
        changes = "SELECT was || ' ' || level FROM reporting.health_changes WHERE metric = 'sessions' ORDER BY at"
        assert ask(ledger, changes) == ["ok warning", "warning critical", "critical warning", "warning ok"]


def test_a_message_that_was_lost_is_made_up_for(watched: World) -> None:
    """A look that was kept while nobody could be told is told by the next look that is still bad."""
    with crowd(watched.source, 1, "web"), watched.reporting.session() as session:
        store = HealthStore(DatabaseLedger(session))
        database = load_fleet(fleet_path()).databases["kgc"]
        store.keep(examine(database, watched.tender, store), database.health.deadline)
    await_nobody(watched.source)
    assert watched.messages() == []
    with looked_at(watched, 1):
        assert len(watched.messages()) == 1


def test_a_database_that_does_not_answer_is_one_failure_and_no_flood(watched: World) -> None:
    """Forty metrics are unknown and one message says so, with its runbook: that of the failed task."""
    with looked_at(watched, 0):
        assert watched.messages() == []
    watched.connect("kgc", watched.tender, port="1")
    assert watched.run("kgc.health").state == "failed"
    (title,) = watched.messages()
    assert title.startswith("[clinic production] kgc.health failed: ")
    assert "docs/runbooks/database-unreachable.md" in watched.mail.texts()[0]
    with watched.reporting.session() as ledger:
        asked = "SELECT level FROM reporting.health WHERE metric = 'reachable'"
        assert ask(ledger, asked) == ["critical"]
    watched.connect("kgc", watched.tender)
    with looked_at(watched, 0):
        assert watched.messages() == [title, "[clinic production] kgc.health recovered"]


def test_what_cannot_be_seen_for_long_is_one_message(watched: World) -> None:
    """Without pg_monitor eight metrics are unknown: after a quarter of an hour somebody hears of it, once."""
    watched.source.run(f'REVOKE pg_monitor FROM "{watched.tender.user}"')
    with looked_at(watched, 1):
        assert watched.messages() == []
    with watched.reporting.session() as ledger:
        earlier = (
            "UPDATE reporting.health_current SET at = at - interval '20 min', findings = (SELECT jsonb_agg("
            "found || jsonb_build_object('since', (found ->> 'since')::timestamptz - interval '20 min'))"
            " FROM jsonb_array_elements(findings) AS found)"
        )
        tell(ledger, earlier)
    with looked_at(watched, 1):
        (title,) = watched.messages()
    assert "metrics cannot be seen: sessions, sessions_active," in title
    assert "docs/runbooks/health-unseen.md" in watched.mail.texts()[0]
    with looked_at(watched, 1):
        assert len(watched.messages()) == 1
    watched.source.run(f'GRANT pg_monitor TO "{watched.tender.user}"')
    with looked_at(watched, 0):
        assert watched.messages() == [title, "[clinic production] kgc.health recovered"]


def test_databases_take_turns() -> None:
    """Two hundred databases are spread over all five minutes, and each keeps its own."""
    minutes = [schedule_of(f"db{number:03d}").split()[0] for number in range(200)]
    assert set(minutes) == {"*/5", "1-59/5", "2-59/5", "3-59/5", "4-59/5"}
    assert all(minutes.count(minute) > 20 for minute in set(minutes))
    assert schedule_of("kgc") == schedule_of("kgc")
