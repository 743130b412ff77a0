"""The reference pages say what the code does today."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import typer

from pgtend.cli.main import app
from pgtend.cli.reference import cli_page, errors_page, first_sentence, known_errors
from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, Refusal

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
TOLD = re.compile(r"(?:`|: |\$ )pgtend ([a-z]+)(?: ([a-z]+))?")


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


@cache
def known_commands() -> dict[str, object]:
    """Build the command line once: it takes longer than reading a page."""
    return getattr(typer.main.get_command(app), "commands", {})


def unknown_commands(text: str) -> list[str]:
    """Name the commands a text tells people to type that do not exist."""
    groups = known_commands()
    missing: list[str] = []
    for verb, word in TOLD.findall(text):
        inner: dict[str, object] = getattr(groups.get(verb), "commands", {})
        if verb not in groups or (inner and word and word not in inner):
            missing.append(f"pgtend {verb} {word}".strip())
    return missing


def test_every_command_that_people_are_told_to_type_exists() -> None:
    """A hint that names a missing command is worse than no hint."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "dags").glob("*.py")]
    told = [*pages, *(ROOT / "include").rglob("*.py"), *(ROOT / "demo").rglob("*.py")]
    assert [(str(path), wrong) for path in told if (wrong := unknown_commands(path.read_text(encoding="utf-8")))] == []


def test_a_command_that_does_not_exist_is_found() -> None:
    """The check above can fail, for verbs and for the words behind them."""
    assert unknown_commands("`pgtend frobnicate`, see: pgtend ledger migrate") == ["pgtend frobnicate"]
    assert unknown_commands("HINT: pgtend ledger destroy.") == ["pgtend ledger destroy"]
