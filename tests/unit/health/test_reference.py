"""The page about health names every metric with its limits, as the code has them.

To write it anew after a change: PGTEND_WRITE_DOCS=1 pytest tests/unit/health/test_reference.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pgtend.health.reference import metrics_table

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "health.md"
PLACE = re.compile(r"<!-- metrics -->\n.*?(?=\n## )", re.DOTALL)


def test_the_page_lists_every_metric_with_its_limits() -> None:
    """A changed limit changes its page in the same commit."""
    wanted = f"<!-- metrics -->\n\n{metrics_table()}"
    if os.environ.get("PGTEND_WRITE_DOCS"):
        PAGE.write_text(PLACE.sub(lambda _: wanted, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    (found,) = PLACE.findall(PAGE.read_text(encoding="utf-8"))
    assert found == wanted
    assert "| `connections_used` |" in found
    assert "warning from 75 %, critical from 90 %" in found
