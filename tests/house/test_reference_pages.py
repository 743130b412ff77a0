"""The reference pages say what the code does today."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pgtend.cli.reference import cli_page, errors_page, first_sentence, known_errors
from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, Refusal

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize(("name", "page"), [("cli.md", cli_page), ("errors.md", errors_page)])
def test_a_generated_page_is_current(name: str, page: object) -> None:
    """Write it anew with `python -m pgtend.cli.reference` when this fails."""
    assert callable(page)
    assert (REFERENCE / name).read_text(encoding="utf-8") == page()


def test_no_two_errors_share_a_code() -> None:
    """A code is what alerts, dashboards and runbooks hold on to."""
    counted = Counter(kind.code for kind in known_errors())
    assert counted
    assert [code for code, times in counted.items() if times > 1] == []


def test_every_error_belongs_to_one_family_and_says_what_it_means() -> None:
    """Without a family nobody knows whether to try again."""
    families = (Outage, Refusal, Misconfigured, BrokenEvidence)
    for kind in known_errors():
        assert sum(issubclass(kind, family) for family in families) == 1, kind
        assert first_sentence(kind).endswith("."), kind
