"""Docs are a product: what the code names exists, what pages link to exists, runbooks have their five headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgtend.cli.reference import known_errors
from pgtend.kernel.errors import BrokenEvidence

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
HEADINGS = [
    "## What you see",
    "## What it means",
    "## Is data at risk?",
    "## What to do",
    "## How to know it is over",
]
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def broken_links(page: Path, text: str) -> list[str]:
    """Name the relative links of a page that lead nowhere."""
    return [target for target in LINK.findall(text) if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    """A dead link costs trust exactly when somebody is in a hurry."""
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_found() -> None:
    """The check above can fail."""
    assert broken_links(ROOT / "README.md", "[x](docs/nowhere.md) [y](README.md#z) [w](https://example.org)") == [
        "docs/nowhere.md"
    ]


def test_every_runbook_that_the_code_names_exists() -> None:
    """A hint that names a missing runbook is worse than no hint."""
    sources = [
        p for top in ("include", "dags", "plugins") for p in (ROOT / top).rglob("*") if p.suffix in {".py", ".sql"}
    ]
    named = {
        m for path in sources for m in re.findall(r"docs/runbooks/[a-z0-9-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert named
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbooks").glob("[a-z]*.md")), ids=lambda p: p.stem)
def test_a_runbook_answers_the_five_questions(page: Path) -> None:
    """At three in the morning people look for the same five answers in the same order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("## ")] == HEADINGS


def test_the_list_of_runbooks_covers_everything_that_pages_somebody() -> None:
    """Broken evidence pages a person, so it has a page; and no page is for a code that does not exist."""
    listed = (ROOT / "docs" / "runbooks" / "README.md").read_text(encoding="utf-8")
    codes = set(re.findall(r"`([a-z]+\.[a-z_]+)`", listed))
    known = {error.code for error in known_errors()}
    assert sorted(code for code in codes - known if not code.startswith("airflow.")) == []
    assert sorted(e.code for e in known_errors() if issubclass(e, BrokenEvidence) and e.code not in codes) == []
    pages = {path.name for path in (ROOT / "docs" / "runbooks").glob("[a-z]*.md")}
    assert pages == set(re.findall(r"\(([a-z-]+\.md)\)", listed))


def test_every_decision_is_in_the_list() -> None:
    """A decision nobody finds will be taken again."""
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    assert records
    assert [name for name in records if f"({name})" not in listed] == []
