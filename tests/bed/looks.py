"""What something on a page looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, ViewportSize, expect

from bed.airflow_site import JsonValue

OURS: Final = "#pgtend"
DESK: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules of axe that ask for colours."""


def is_red(shown: Locator) -> bool:
    """Tell whether something stands on red."""
    red, green, blue = colour_of(shown)
    return red > 2 * max(green, blue)


def is_green(shown: Locator) -> bool:
    """Tell whether something stands on green."""
    red, green, blue = colour_of(shown)
    return green > 2 * max(red, blue)


def colour_of(shown: Locator) -> tuple[int, int, int]:
    """Read a background as red, green and blue, however the page writes its colours."""
    red, green, blue, _ = shown.evaluate(
        """shown => {
            const paint = document.createElement('canvas').getContext('2d');
            paint.fillStyle = getComputedStyle(shown).backgroundColor;
            paint.fillRect(0, 0, 1, 1);
            return [...paint.getImageData(0, 0, 1, 1).data];
        }"""
    )
    return red, green, blue


def settled(page: Page) -> Locator:
    """Wait until our part of a page has its data, and give it."""
    ours = page.locator(OURS)
    expect(ours).to_be_visible()
    expect(page.locator(f"{OURS} [aria-busy]")).to_have_count(0)
    return ours


def faults(page: Page, part: str = OURS, *, of_colours: bool = False) -> list[str]:
    """Name what axe finds wrong in our part of a page, if it is serious; of everything, or of its colours alone."""
    rules: dict[str, JsonValue] = {"runOnly": list(COLOURS)} if of_colours else {}
    found = cast("list[dict[str, JsonValue]]", Axe().run(page, context=part, options=rules).response["violations"])
    return [f"{one['id']}: {one['help']} ({one['nodes']})" for one in found if one["impact"] in {"serious", "critical"}]


def faults_anywhere(page: Page, sizes: Sequence[ViewportSize] = (DESK, PHONE)) -> list[str]:
    """Name the faults of our part of a page in windows of some sizes and both themes, which differ in colours alone."""
    ours, found = settled(page), list[str]()
    for size in sizes:
        page.set_viewport_size(size)
        for scheme in ("dark", "light"):
            put_into(page, scheme)
            found += [f"{scheme}, {size}: {one}" for one in faults(page, of_colours=scheme == "light")]
        if ours.evaluate("element => element.scrollWidth - element.clientWidth") > 1:
            found.append(f"it is wider than {size}")
    page.set_viewport_size(DESK)
    return found


def put_into(page: Page, scheme: str) -> str:
    """Change the theme as Airflow's own switch does, and tell on which colour the page stands then."""
    change = """async scheme => {
        const root = document.documentElement;
        root.classList.remove('light', 'dark');
        root.classList.add(scheme);
        root.style.colorScheme = scheme;
        const fading = document.getAnimations().filter(one => one instanceof CSSTransition);
        await Promise.allSettled(fading.map(one => one.finished));
        return getComputedStyle(root).backgroundColor }"""
    return str(page.evaluate(change, scheme))
