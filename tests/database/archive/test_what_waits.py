"""The page says what waits now: what a run has moved waits no more, and what it had no time for still does."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import pytest

from bed.archiving import METRICS, Attic, own
from bed.clusters import Clusters
from bed.ledgers import new_ledger
from pgtend.archive.job import Wishes, archive_database
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.overview.care import REMEMBERED, archive_cell, archive_plans, care
from pgtend.overview.model import Light
from pgtend.postgres.session import Session

pytestmark = pytest.mark.pg(">= 18")


@dataclass(frozen=True, slots=True)
class Page:
    """What people see of the archive of one database."""

    attic: Attic
    ledger: Session

    def run(self, approved_by: str = "", only: tuple[str, ...] = ()) -> None:
        """Archive what is old, and keep the evidence in a database."""
        subject, wishes = Subject("kgc", "archive", "test"), Wishes(approved_by=approved_by, only=only)
        archive_database(
            self.attic.site, DatabaseLedger(self.ledger), subject, str, wishes=wishes, clock=lambda: self.attic.now
        )

    def says(self) -> tuple[Light, str]:
        """Read the cell, and see that the list below it agrees."""
        now = utc_now()
        known = care(self.ledger, ["kgc"], now)["kgc"]
        listed = archive_plans(self.ledger, "kgc", now - REMEMBERED)
        assert [plan.table_name for plan in listed] == [name.partition(".")[2] for name in self.attic.tables]
        assert sum(plan.months for plan in listed) == known.months
        return archive_cell("kgc", known, has_rules=True).light, archive_cell("kgc", known, has_rules=True).why


@pytest.fixture
def page(attic: Attic, clusters: Clusters) -> Generator[Page]:
    """Give the archive of one database a ledger that pages are made of."""
    with new_ledger(clusters.server(18)) as reporting, reporting.session() as session:
        yield Page(attic, session)


def test_what_was_moved_waits_no_more(page: Page) -> None:
    """A plan waits for its approval; the run that follows writes down that nothing is left of it, table by table."""
    page.run()
    assert page.says() == (Light.WATCH, "4 months with 689 rows wait, and somebody must approve the rule first.")
    page.run(approved_by="ana")
    assert page.says() == (Light.GOOD, "All that is old enough has left.")


def test_what_there_was_no_time_for_still_waits(page: Page) -> None:
    """A run that had to stop leaves the rest of its plan for the next one, and the page says so."""
    page.attic.rules = {"time_budget": "1 ms"}
    page.run(approved_by="ana")
    light, why = page.says()
    assert light is Light.WATCH
    assert why.endswith("wait, and the next run moves them.")
    page.attic.rules = {}
    page.run()
    assert page.says() == (Light.GOOD, "All that is old enough has left.")


def test_a_run_for_one_table_says_nothing_about_the_others(page: Page) -> None:
    """They vanished from the page until the next run of all of them, and nothing seemed to wait."""
    attic = page.attic
    attic.live.run(
        "CREATE TABLE public.letters (id bigint PRIMARY KEY, day date NOT NULL)",
        f"INSERT INTO public.letters SELECT n, '{attic.now:%Y-%m-%d}'::date - 900 FROM generate_series(1, 40) AS n",
    )
    own(attic.live, "public.letters")
    attic.tables = {METRICS: attic.tables[METRICS], "public.letters": {"by": "day"}}
    page.run()
    assert page.says() == (Light.WATCH, "5 months with 729 rows wait, and somebody must approve the rule first.")
    page.run(approved_by="ana", only=("public.letters",))
    assert page.says() == (Light.WATCH, "4 months with 689 rows wait, and somebody must approve the rule first.")
    page.run(approved_by="ana", only=(METRICS,))
    assert page.says() == (Light.GOOD, "All that is old enough has left.")
