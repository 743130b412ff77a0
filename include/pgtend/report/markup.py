"""HTML and SVG that cannot be broken by what they show: text is escaped where it enters, and only there."""

from __future__ import annotations

import html
import re
from typing import Final, TypeAlias

_NAME: Final = re.compile(r"[a-z][a-zA-Z0-9]*")
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_VOID: Final = frozenset({"meta", "br", "line", "path", "rect", "polyline", "polygon", "circle"})


class Markup(str):
    """Text that is markup already. Only `element` and `joined` make it."""

    __slots__ = ()


Content: TypeAlias = "Markup | str"


def element(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """Build an element. A plain string inside is text and is escaped; so is every attribute."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name[:20]}' is no name of an element")
    given = "".join(
        f' {_attribute(key)}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value not in {None, ""}
    )
    if name in _VOID and not content:
        return Markup(f"<{name}{given}/>" if name not in {"meta", "br"} else f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Put parts beside each other; plain strings are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else html.escape(printable(part)) for part in content))


def style_sheet(rules: str) -> Markup:
    """Let a style sheet of ours through as it is; it may hold no end of itself."""
    if "</" in rules:
        raise ValueError("a style sheet holds no markup")
    return Markup(f"<style>{rules}</style>")


def printable(text: str) -> str:
    """Take out what no page may hold: control characters, halves of characters, and what turns text around."""
    return _UNFIT.sub("", text)


def _attribute(key: str) -> str:
    """Write `class_` as class, `stroke_width` as stroke-width and `viewBox` as it is."""
    return key.removesuffix("_").replace("_", "-")
