"""A clinic's health metrics of 500 days."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.archiving import Attic, clinic
from bed.clusters import LiveDatabase


@pytest.fixture
def attic(database: LiveDatabase, tmp_path: Path) -> Attic:
    """Give a database with 3,000 health metrics over 500 days, and the rule to keep one year of them."""
    return clinic(database, tmp_path)
