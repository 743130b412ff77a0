"""What a person sees who opens a report: in light, in dark, on paper and on a phone."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bed.clusters import Clusters
from bed.history import NOW, clinic, fill_fleet
from bed.ledgers import new_ledger
from pgtend.ledger.database import DatabaseLedger
from pgtend.report.job import make_reports

NAMES = ("fleet", "kgc", "healthmate")
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
    "print": {"viewport": {"width": 794, "height": 1123}, "color_scheme": "dark"},
}
# How different letters and paper are, by the rule of WCAG; and which letters are not different enough.
FAINT = """() => {
    const light = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 };
    const luminance = s => { const [r, g, b] = s.match(/[0-9.]+/g).map(Number);
        return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b) };
    const paper = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!c.startsWith('rgba(0, 0, 0, 0')) return c } return 'rgb(255, 255, 255)' };
    const faint = new Set();
    for (const e of document.querySelectorAll('body *:not(svg *)')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
        const [a, b] = [luminance(getComputedStyle(e).color), luminance(paper(e))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(`${e.tagName}.${e.className}`);
    }
    return [...faint] }"""


@pytest.fixture(scope="module")
def pages(clusters: Clusters, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the pages of a fleet with a quarter of history."""
    folder, fleet = tmp_path_factory.mktemp("reports"), clinic()
    with new_ledger(clusters.server(15)) as reporting, reporting.session() as session:
        fill_fleet(session, fleet)
        found = make_reports(fleet, DatabaseLedger(session), list(fleet.databases.values()), clock=lambda: NOW)
        for made in found:
            (folder / made.files[0].name).write_bytes(made.page)
    return folder


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest, browser: Browser) -> Generator[tuple[str, Page]]:
    """Give a window in which nothing may complain, and nothing may be asked of any network."""
    with browser.new_context(**LOOKS[request.param]) as context:
        page, said = context.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith("file:") else None)
        if request.param == "print":
            page.emulate_media(media="print")
        yield request.param, page
        assert said == []


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_readable_everywhere(pages: Path, look: tuple[str, Page], name: str) -> None:
    """No sideways scrolling, no faint letters, no word under another, and every section is where its link leads."""
    how, page = look
    page.goto((pages / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= LOOKS[how]["viewport"]["width"]  # type: ignore[index]
    assert page.evaluate(FAINT) == []
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for link in page.locator("nav a").all():
        target = link.get_attribute("href") or ""
        expect(page.locator(f'[id="{target.removeprefix("#")}"]')).to_have_count(1)
    if kept := os.environ.get("PGTEND_KEEP_PICTURES"):
        page.screenshot(path=Path(kept) / f"report-{name}-{how}.png", full_page=True)


def test_a_statement_opens_and_stays_words(pages: Path, browser: Browser) -> None:
    """The whole text of a statement is one click away, and what tries to be a script in it is shown as it is."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((pages / "kgc.html").as_uri())
        opened = page.locator("details", has_text="SELECT * FROM notes")
        opened.locator("summary").click()
        expect(opened.locator("pre")).to_contain_text("<script>alert('x')</script><img src=x onerror=alert(1)>")
        assert page.locator("script, img, iframe, object, link").count() == 0


def test_levels_are_told_by_more_than_a_colour(pages: Path, browser: Browser) -> None:
    """Each has a sign and a word, and the sign is not read aloud."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((pages / "kgc.html").as_uri())
        signs = {
            level: page.locator(f".level.{level} i").first.inner_text()
            for level in ("ok", "warning", "critical", "unknown")
        }
        assert len(set(signs.values())) == 4
        assert page.locator(".level i:not([aria-hidden])").count() == 0
