"""A setting that nothing reads is worse than none: somebody believes in what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pgtend.fleet.model as fleet
from pgtend.fleet.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
assert fleet.Fleet


def models(of: type[Settings] = Settings) -> Iterator[type[Settings]]:
    """Walk every block of the fleet file."""
    for model in of.__subclasses__():
        yield model
        yield from models(model)


def unread(names: set[str], text: str) -> set[str]:
    """Name the settings that no line of code reads."""
    return {name for name in names if not re.search(rf"\.{name}\b", text)}


def test_every_setting_is_read_somewhere() -> None:
    """`backup.copies` was once accepted, documented, and ignored."""
    code = [path for top in ("include", "dags", "plugins") for path in (ROOT / top).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in code)
    names = {name for model in models() for name in model.model_fields}
    assert len(names) > 50
    assert unread(names, text) == set()


def test_a_setting_that_nothing_reads_is_found() -> None:
    """The check above can fail."""
    assert unread({"lag", "keep"}, "if state.lag > rules.lagging: ...") == {"keep"}
