"""How the fleet file says what is kept, and where copies go."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_files import SMALLEST, load, problems
from pgtend.fleet.model import RetentionRules

TWO_VAULTS = """
fleet: clinic
vaults:
  main: {folder: {path: /copies/a}}
  far: {folder: {path: /copies/b}}
databases:
  kgc:
    backup: {copies: {%s: {}}}
"""


def test_a_database_that_says_nothing_keeps_two_weeks_a_year_and_more(tmp_path: Path) -> None:
    """The defaults keep days, weeks, months and years, and copies nothing."""
    rules = load(tmp_path, SMALLEST).databases["kgc"].backup
    assert rules.retention == RetentionRules(daily=14, weekly=8, monthly=12, yearly=3, at_least=7, proven=3)
    assert rules.copies == {}


def test_copies_name_other_vaults(tmp_path: Path) -> None:
    """A copy has retention rules of its own."""
    assert list(load(tmp_path, TWO_VAULTS % "far").databases["kgc"].backup.copies) == ["far"]


@pytest.mark.parametrize(
    ("name", "what"),
    [("fat", "unknown vault 'fat'"), ("main", "'main' is the vault that holds the backups already")],
)
def test_a_copy_into_nowhere_or_into_the_same_vault_is_refused(tmp_path: Path, name: str, what: str) -> None:
    """A second copy in the same place would be none."""
    found = problems(tmp_path, TWO_VAULTS % name)
    assert f"databases.kgc.backup.copies.{name}" in found[0]
    assert what in found[0]


def test_rules_that_keep_no_history_are_refused(tmp_path: Path) -> None:
    """No days, no weeks, no months and no years is a mistake, not a wish."""
    none = "{daily: 0, weekly: 0, monthly: 0, yearly: 0}"
    found = problems(tmp_path, f"fleet: clinic\ndatabases:\n  kgc:\n    backup:\n      retention: {none}\n")
    assert "these rules keep no history" in found[0]
