"""Tables in a terminal and in a pipe: what a person copies from them is never broken or cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pgtend.cli import screen

ID = "20261121T020000Z-0123abcd"
WHY = "the newest of its month, and of its year, and of a day on which nothing else was taken at all"


def shown(monkeypatch: pytest.MonkeyPatch, *, width: int, is_terminal: bool) -> list[str]:
    """Show a table with an id and a long reason, and give its lines."""
    written = io.StringIO()
    page = Console(file=written, width=width, force_terminal=is_terminal, no_color=True, highlight=False)
    monkeypatch.setattr(screen, "out", page)
    made = screen.table("backup", "because", whole=("backup",))
    made.add_row(ID, WHY)
    screen.show(made)
    return [line for line in written.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize("width", [20, 30, 40, 80])
def test_an_id_stays_whole_in_a_narrow_window(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """The reason is broken into lines instead, and the window into longer ones if there is no other way."""
    lines = shown(monkeypatch, width=width, is_terminal=True)
    assert sum(ID in line for line in lines) == 1
    assert len(lines) > 3
    assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(lines)


def test_nothing_is_broken_into_lines_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has no width: a row is a line, for whoever looks for one in it."""
    lines = shown(monkeypatch, width=80, is_terminal=False)
    assert [line.split() for line in lines if ID in line] == [[ID, *WHY.split()]]
    assert len(lines) == 3


@pytest.mark.parametrize("name", ["public.[/red]x", "SELECT a[b], ARRAY[/* all */ 1]", "[bold]", "x :on: y", "a\\[b]"])
def test_a_name_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Brackets and colons are part of names and of statements, and no way to colour a page."""
    made = screen.table("table", "why")
    made.add_row(name, name)
    screen.show(made)
    screen.progress(name)
    said = capsys.readouterr()
    assert (said.out.count(name), said.err.count(name)) == (2, 1)
