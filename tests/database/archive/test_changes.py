"""A table changes while its rows leave, or between two runs: no value is left behind, and nobody's row goes along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bed.archiving import METRICS, Attic
from bed.backups import KEYS
from pgtend.archive.errors import NotArchivable, TableChanged
from pgtend.archive.restoring import restore_beside, restore_to_live, thaw

ARCHIVE = "public.health_metrics_archive"
SEPTEMBER = "date BETWEEN '2025-09-01' AND '2025-09-30 23:59'"
pytestmark = pytest.mark.pg(">= 18")


def once(attic: Attic, act: Callable[[], object]) -> Callable[[], None]:
    """Let something happen right after the table was planned for."""

    def do() -> None:
        attic.on_line = bool
        act()

    return do


def test_a_column_that_comes_during_a_run_keeps_its_values(attic: Attic) -> None:
    """Its rows would have left without it, and nobody would have known what it held."""
    new = (f"ALTER TABLE {METRICS} ADD COLUMN bmi int", f"UPDATE {METRICS} SET bmi = 22")
    attic.on_line = once(attic, lambda: attic.live.run(*new))
    with pytest.raises(TableChanged, match="was changed by somebody"):
        attic.run()
    assert attic.ask(f"SELECT count(*) FROM {METRICS} WHERE bmi = 22") == "3000"
    attic.run()
    assert attic.ask(f"SELECT count(*) FROM {ARCHIVE} WHERE bmi = 22") != "0"
    assert attic.ask("SELECT count(*) FROM public.health_metrics_all WHERE bmi = 22") == "3000"


def test_rows_that_begin_to_point_at_ours_during_a_run_stay(attic: Attic) -> None:
    """They would have been deleted together with those that left, and archived nowhere."""
    child = f"CREATE TABLE public.notes (about int REFERENCES {METRICS} ON DELETE CASCADE)"
    filled = f"INSERT INTO public.notes SELECT id FROM {METRICS}"
    attic.on_line = once(attic, lambda: attic.live.run(child, filled))
    with pytest.raises(TableChanged, match="was changed by somebody"):
        attic.run()
    assert attic.ask("SELECT count(*) FROM public.notes") == "3000"
    with pytest.raises(NotArchivable, match="would be deleted with ours"):
        attic.run()


def test_a_table_that_somebody_points_at_by_now_is_not_converted(attic: Attic) -> None:
    """The foreign key would have gone on pointing at the partition that the table became."""
    attic.tables = {METRICS: {"by": "date", "mode": "convert"}}
    child = f"CREATE TABLE public.notes (about int REFERENCES {METRICS})"
    attic.on_line = once(attic, lambda: attic.live.run(child))
    with pytest.raises(TableChanged, match="was changed by somebody"):
        attic.run()
    assert attic.ask(f"SELECT relkind FROM pg_class WHERE oid = '{METRICS}'::regclass") == "r"


def test_what_only_the_archive_has_of_a_column_goes_to_the_vault_too(attic: Attic) -> None:
    """A column went from the table: what older months hold in it would have left the database and been nowhere."""
    scores = f"SELECT sum(diet_score)::text FROM {{}} WHERE {SEPTEMBER}"
    attic.run()
    before = attic.ask(scores.format(ARCHIVE))
    attic.live.run(
        f"ALTER TABLE {METRICS} DROP COLUMN diet_score CASCADE",
        f"ALTER TABLE {ARCHIVE} ALTER COLUMN diet_score DROP NOT NULL",
    )
    attic.tables = {METRICS: {"by": "date", "tier": "cold"}}
    attic.run()
    attic.let_go("2025-09")
    with attic.desk(keys=KEYS) as desk:
        back = restore_beside(desk, date(2025, 9, 1))
        assert (attic.ask(scores.format(back.place)), back.is_whole) == (before, True)
        with pytest.raises(NotArchivable, match="diet_score has no column in the table"):
            restore_to_live(desk, date(2025, 9, 1), hold=timedelta(days=30), by="ana")
        thaw(desk, date(2025, 9, 1))
    assert attic.ask(scores.format(ARCHIVE)) == before


def test_values_of_a_new_column_are_in_the_vault_before_their_month_leaves(attic: Attic) -> None:
    """Its months were proven without it, and would have left as they were stored."""
    attic.tables = {METRICS: {"by": "date", "tier": "cold"}}
    attic.run()
    attic.live.run(*(f"ALTER TABLE {table} ADD COLUMN origin text DEFAULT 'app'" for table in (METRICS, ARCHIVE)))
    attic.run()
    attic.let_go("2025-09")
    with attic.desk(keys=KEYS) as desk:
        back = restore_beside(desk, date(2025, 9, 1))
    assert attic.ask(f"SELECT count(*) FROM {back.place} WHERE origin = 'app'") == str(back.rows)


@pytest.mark.parametrize("change", ["RENAME COLUMN diet_score TO food_score", "RENAME COLUMN id TO number"])
def test_a_column_may_be_renamed_in_both(attic: Attic, change: str) -> None:
    """The view over both could not follow, and no row left any more. Its readers read it as before."""
    role = f"reader_{attic.live.owner.user}"
    attic.live.run(f'CREATE ROLE "{role}"', f'GRANT SELECT ON {METRICS} TO "{role}"')
    attic.run()
    attic.live.run(*(f"ALTER TABLE {table} {change}" for table in (METRICS, ARCHIVE)))
    attic.now += timedelta(days=31)
    assert attic.run().rows > 0
    new = change.rpartition(" ")[2]
    assert attic.ask(f"SELECT count({new}) FROM public.health_metrics_all") == "3000"
    assert attic.ask(f"SELECT has_table_privilege('{role}', 'public.health_metrics_all', 'SELECT')") == "true"
    attic.live.run(f'DROP OWNED BY "{role}"', f'DROP ROLE "{role}"')


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ({"by": "seen", "zone": "Asia/Tokyo"}, "its archive has months of another zone than Asia/Tokyo"),
        ({"by": "date"}, "its archive is made of months of seen, and the rule says date"),
        ({"by": "seen", "zone": "Europe/Berlin", "keep": "400 days"}, ""),
    ],
)
def test_months_of_another_rule_get_no_rows(attic: Attic, rule: dict[str, object], what: str) -> None:
    """A late row was counted for one month and lay in another: the seals of both were broken for good."""
    attic.live.run(
        f"ALTER TABLE {METRICS} ADD COLUMN seen timestamptz", f"UPDATE {METRICS} SET seen = date - interval '2 days'"
    )
    attic.tables = {METRICS: {"by": "seen", "zone": "Europe/Berlin"}}
    attic.run()
    attic.live.run(
        f"INSERT INTO {METRICS} (user_id, date, seen, medication_score, diet_score, exercise_score)"
        " VALUES (8, '2025-09-10', '2025-09-30 21:00+00', 1, 2, 3)"
    )
    attic.tables = {METRICS: rule}
    assert "; ".join(attic.refusals()).startswith(what)
    assert bool(attic.refusals()) is bool(what)


def test_rows_that_a_publication_keeps_from_being_deleted_are_refused_beforehand(attic: Attic) -> None:
    """Months were copied, sealed and approved by a person before the server said so, and without saying what to do."""
    attic.live.run(
        f"ALTER TABLE {METRICS} DROP CONSTRAINT health_metrics_pkey",
        f"CREATE PUBLICATION everything_{attic.live.name} FOR TABLE {METRICS}",
    )
    assert attic.refusals() == [
        f"everything_{attic.live.name} publishes what is deleted, and nothing tells its rows apart"
    ]
    attic.live.run(f"ALTER TABLE {METRICS} REPLICA IDENTITY FULL")
    assert attic.run().rows > 0
