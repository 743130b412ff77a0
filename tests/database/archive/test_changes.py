"""A table changes while its rows leave, or between two runs: no value is left behind, and nobody's row goes along."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bed.archiving import METRICS, Attic
from pgtend.archive.errors import NotArchivable, TableChanged

ARCHIVE = "public.health_metrics_archive"
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
