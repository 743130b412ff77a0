"""People go on writing while their old rows leave: every write that was acknowledged is there afterwards, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.archive_load import CORRECT, LATE, Crowd, crowd_at_work, judge
from bed.archiving import METRICS, Attic, clinic
from bed.clusters import LiveDatabase

ALL = "public.health_metrics_all"
COPY = "INSERT INTO public.copied SELECT * FROM public.health_metrics WHERE date < '2025-11-01'"
DELETE = "DELETE FROM public.health_metrics WHERE date < '2025-11-01'"


@pytest.fixture
def attic(database: LiveDatabase, tmp_path: Path) -> Attic:
    """Give a clinic whose rows leave a few pages at a time."""
    made = clinic(database, tmp_path, rows=10_000)
    made.rules = {"batch": "1 ms"}
    return made


def crowd(attic: Attic) -> Crowd:
    """Write far more often than a clinic does: a run takes a second here."""
    return Crowd(conninfo=attic.live.superuser.conninfo, late=200, corrections=200, old_ids=2_200)


@pytest.mark.parametrize("mode", ["move", "convert"])
def test_no_acknowledged_write_is_lost_or_doubled(attic: Attic, mode: str) -> None:
    """Whenever the run says something, people write before it goes on: after the plan, the move, and each seal."""
    attic.tables = {METRICS: {"by": "date", "mode": mode}}
    with crowd_at_work(crowd(attic)) as load:
        load.see_late_rows(5)
        attic.on_line = lambda: load.see_late_rows(2)
        assert attic.run().rows > 2_000
    attic.on_line = bool
    said = load.testimony
    assert said.refused == []
    assert min(len(said.of(LATE)), len(said.of(CORRECT))) >= 10
    assert judge(said, attic.live.superuser.conninfo, ALL).holds
    assert attic.run().is_finished
    assert judge(said, attic.live.superuser.conninfo, ALL).holds
    assert attic.ask("SELECT min(date) >= '2025-11-01' FROM public.health_metrics") == "true"


@pytest.mark.pg(">= 18")
def test_the_usual_recipe_loses_writes_and_the_judge_sees_it(attic: Attic) -> None:
    """Copy, then delete: a row that comes late between the two is gone, and so is what was corrected between them."""
    attic.live.run(f"CREATE TABLE public.copied (LIKE {METRICS})")
    with crowd_at_work(crowd(attic)) as load:
        load.see_late_rows(5)
        attic.live.run(COPY)
        load.see_late_rows(20)
        attic.live.run(DELETE)
    found = judge(load.testimony, attic.live.superuser.conninfo, METRICS, "public.copied")
    assert (found.lost_inserts >= 10, found.holds) == (True, False)
    attic.live.run("INSERT INTO public.copied SELECT * FROM public.copied LIMIT 3")
    assert judge(load.testimony, attic.live.superuser.conninfo, METRICS, "public.copied").doubled == 3
