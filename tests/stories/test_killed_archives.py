"""Killed at random moments, the archive loses nothing: after the rerun the same rows are there, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.archiving import METRICS
from bed.killed_archives import ALL, doomed_clinic, killed_rounds

ROUNDS = 6


@pytest.mark.parametrize(("major", "mode"), [(15, "convert"), (18, "move")])
def test_whatever_is_killed_no_row_is_lost_or_doubled(major: int, mode: str, tmp_path: Path) -> None:
    """Client, sessions and server by turns; each time live and archive together are what the table was."""
    with doomed_clinic(major, tmp_path, mode) as attic:
        before = attic.content(METRICS)
        assert [said for said in killed_rounds(attic, ROUNDS) if not said[1]] == []
        assert attic.run().is_finished
        assert attic.content(ALL) == before
        assert attic.ask("SELECT min(date) >= '2025-11-01' FROM public.health_metrics") == "true"
        assert {unit.state for unit in attic.units()} == {"sealed"}
        assert attic.run().rows == 0
        kind = attic.ask("SELECT relkind FROM pg_class WHERE oid = 'public.health_metrics'::regclass")
        assert kind == {"convert": "p", "move": "r"}[mode]
