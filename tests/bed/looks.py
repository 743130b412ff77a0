"""What something on a page looks like."""

from __future__ import annotations

from playwright.sync_api import Locator


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
