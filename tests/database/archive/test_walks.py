"""Whatever happens to an archive, in whatever order: every row is somewhere, once, and with the content it had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from bed.archiving import METRICS, Attic
from bed.backups import KEYS
from bed.clusters import copy_of
from pgtend.archive.model import State
from pgtend.archive.restoring import restore_to_live

# By name, each seeded with the one before; a number that is no real stands for a score of 0, and none is -0.
SCORE = "hashfloat8extended(CASE WHEN {0} = 0 THEN 1e-300 ELSE {0}::float8 END, {1})"
DIET = SCORE.format("diet_score", "timestamp_hash_extended(date, 0)")
EXERCISE = SCORE.format("exercise_score", DIET)
MEDICATION = SCORE.format("medication_score", f"hashint4extended(id, {EXERCISE})")
HASHED = f"hashint4extended(user_id, {MEDICATION})"
# What the table holds, what the ledger says of the months that are here, and what the vault alone has.
WHOLE = f"""
SELECT sum(rows) || ':' || sum(checksum) FROM (
    SELECT count(*) AS rows, sum({HASHED}) AS checksum FROM {METRICS}
    UNION ALL
    SELECT rows, checksum FROM pgtend_archive.unit WHERE state <> 'dropped'
    UNION ALL
    SELECT rows, checksum FROM pgtend_archive.cold WHERE state = 'alone'
) AS places
"""
HERE = f"""
SELECT count(*) || ':' || sum({HASHED})
    = (SELECT sum(rows) || ':' || sum(checksum) FROM (
        SELECT count(*) AS rows, sum({HASHED}) AS checksum FROM {METRICS}
        UNION ALL
        SELECT rows, checksum FROM pgtend_archive.unit WHERE state <> 'dropped'
    ) AS places)
FROM public.health_metrics_all
"""


def run(attic: Attic) -> None:
    """Archive by the rule there is."""
    attic.run()


def another_rule(attic: Attic) -> None:
    """Let months stay, be packed, or go to the vault."""
    tiers = ["table", "packed", "cold"]
    rule = attic.tables[METRICS]
    attic.tables = {METRICS: {**rule, "tier": tiers[(tiers.index(str(rule["tier"])) + 1) % 3]}}


def late(attic: Attic) -> None:
    """Somebody reports a day of long ago."""
    attic.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)"
    )


def time_passes(attic: Attic) -> None:
    """Let a week go by, and take a backup."""
    attic.pass_week()
    attic.take_backup()


def bring_back(attic: Attic) -> None:
    """Bring a month back into the table, if there is one with rows; it may go again at once."""
    months = [unit.month for unit in attic.units() if unit.rows or unit.stands is State.DROPPED]
    if months:
        with attic.desk(keys=KEYS) as desk:
            restore_to_live(desk, months[0], hold=timedelta(days=1), by="ana")
        attic.live.run("UPDATE pgtend_archive.hold SET until = clock_timestamp()")


ACTS: Mapping[str, Callable[[Attic], None]] = {
    "run": run,
    "rule": another_rule,
    "late": late,
    "week": time_passes,
    "back": bring_back,
}


@pytest.mark.pg(">= 18")
def test_every_row_is_somewhere_once_whatever_happens(attic: Attic, tmp_path: Path) -> None:
    """Runs, other rules, late rows, weeks and restores in any order: count and content are looked at after each."""

    @settings(max_examples=2, phases=(Phase.explicit, Phase.generate))
    @given(acts=st.lists(st.sampled_from(sorted(ACTS)), min_size=6, max_size=9))
    @example(acts=["rule", "rule", "run", "week", "run", "late", "run", "back", "run"])
    def walk(acts: list[str]) -> None:
        with copy_of(attic.live) as live:
            walked = Attic(live, tmp_path / live.name, tables={METRICS: {"by": "date", "tier": "table"}})
            walked.run()
            for act in acts:
                before = walked.ask(WHOLE)
                ACTS[act](walked)
                assert (walked.ask(WHOLE) == before) is (act != "late"), (act, acts)
                assert walked.ask(HERE) == "true", (act, acts)

    walk()
