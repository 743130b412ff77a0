"""What a crash, a standby and a thousand tables do to the plan, on servers of their own."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import MAJORS, LiveDatabase, new_database, tools_of
from bed.planning import Night
from pgtend.planner.model import Reason
from pgtend.planner.report import Outcome
from pgtend.postgres.errors import StandbyRefused
from pgtend.postgres.throwaway import ThrowawayServer


@pytest.fixture(params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Night]:
    """Give a database on a server that this test may break."""
    server = ThrowawayServer(tools=tools_of(request.param), settings={"autovacuum": "off"})
    with server, new_database(server) as live:
        yield Night(live, tmp_path / "ledger", live.owner)


def fill(live: LiveDatabase) -> None:
    """Make one table with statistics."""
    live.run("CREATE TABLE public.visits AS SELECT generate_series(1, 1000) AS id")
    live.run(f"ALTER TABLE public.visits OWNER TO {live.owner.user}")
    live.run("ANALYZE public.visits")
    # Servers for tests commit in the background; what the crash must not take goes to disk first.
    live.run("CHECKPOINT")


@pytest.mark.parametrize(
    ("own", "how"), [(15, signal.SIGQUIT), (18, signal.SIGKILL)], ids=["pg15-immediate", "pg18-kill"], indirect=["own"]
)
def test_a_crash_makes_the_server_forget_and_the_night_remembers(own: Night, how: signal.Signals) -> None:
    """Counters and last_analyze are gone, and autovacuum would wait for a tenth of the rows to change again."""
    fill(own.live)
    assert own.decision("public.visits").reason is Reason.FRESH
    own.live.server.stop(how=how)
    own.live.server.start()
    assert own.decision("public.visits").reason is Reason.FORGOTTEN
    assert [result.name for result in own.work().ended(Outcome.PROVED)] == ["public.visits"]
    assert own.decision("public.visits").reason is Reason.FRESH


@pytest.mark.parametrize("own", [18], indirect=True)
def test_a_standby_is_refused(own: Night) -> None:
    """Its counters know nothing, and it could not keep what ANALYZE finds."""
    fill(own.live)
    server = own.live.server
    server.stop()
    (server.data / "standby.signal").touch()
    server.start()
    try:
        for act in (own.plan, own.work):
            with pytest.raises(StandbyRefused) as caught:
                act()
            assert "target_session_attrs=read-write" in caught.value.hint
    finally:
        server.stop()
        (server.data / "standby.signal").unlink()
        server.start()


@pytest.mark.parametrize("own", [18], indirect=True)
def test_a_thousand_tables_are_planned_in_a_moment(own: Night) -> None:
    """A net against something quadratic; the bench of the planner prints what ten thousand cost."""
    create = "format('CREATE TABLE public.t%%s (id int, name text, at timestamptz, value numeric)', n)"
    own.live.run(f"DO $$ BEGIN FOR n IN 1..1000 LOOP EXECUTE {create}; END LOOP; END $$", address=own.address)
    started = time.monotonic()
    plan = own.plan()
    assert len(plan.decisions) == 1000
    assert time.monotonic() - started < 10
