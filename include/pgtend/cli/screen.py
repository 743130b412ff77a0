"""How things look in a terminal: calm tables, one line of progress at a time, errors with what to do about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pgtend.kernel.errors import ManyProblems, PgtendError, family_of

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Side: TypeAlias = Literal["left", "right"]
GOOD, NOTE, BAD, QUIET = "green", "yellow", "red", "dim"
_ENDLESS = 100_000

_documents: list[Json] = []
# What is shown is never read as markup or as the name of a picture: names and statements have brackets and colons.
out = Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
err = Console(highlight=False, soft_wrap=False, markup=False, emoji=False, stderr=True)


def progress(line: str) -> None:
    """Show one line of progress, beside the result rather than in it."""
    err.print(Text(line, style=QUIET))


def table(*columns: str, right: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """Begin a table; numbers stand on the right, and what must not be broken into lines stays whole."""
    made = Table(box=SIMPLE_HEAD, header_style=QUIET, pad_edge=False, show_edge=False)
    for column in columns:
        side: Side = "right" if column in right else "left"
        made.add_column(column, justify=side, overflow="fold", no_wrap=column in whole)
    return made


def show(content: Table | Text | str) -> None:
    """Show a result, with air around tables."""
    if isinstance(content, Table):
        _wide_enough(content).print(Padding(content, (1, 0, 1, 0), expand=False))
    else:
        out.print(content if isinstance(content, Text) else Text(content))


def _wide_enough(content: Table) -> Console:
    """Give a console for a table: a pipe has no width, and what must stay whole may not fit into a narrow window."""
    for column in content.columns:
        if column.no_wrap:
            column.min_width = max(
                (Measurement.get(out, out.options, cell).maximum for cell in column.cells), default=0
            )
    needed = Measurement.get(out, out.options.update(width=_ENDLESS), content)
    width = max(out.width, needed.minimum if out.is_terminal else needed.maximum)
    return Console(highlight=False, soft_wrap=False, markup=False, emoji=False, file=out.file, width=width)


def show_json(value: Json) -> None:
    """Show a result for programs: JSON and nothing else."""
    _documents.append(value)
    out.print(json.dumps(value, ensure_ascii=False, indent=2), markup=False, soft_wrap=True)


def has_shown_json() -> bool:
    """Tell whether a program has its answer already: two documents one after the other are none."""
    return bool(_documents)


def show_error(error: PgtendError) -> None:
    """Say what happened, why we think so, and what to do."""
    err.print(Text.assemble(("error: ", f"bold {BAD}"), (error.message, "bold"), (f"  [{error.code}]", QUIET)))
    if isinstance(error, ManyProblems):
        for problem in error.problems:
            err.print(Padding(Text.assemble((problem.where, "bold"), ": ", problem.what), (0, 0, 0, 2)))
            if problem.hint:
                # A statement is for copying: it must not be broken into lines.
                err.print(Text.assemble("    ", (problem.hint, GOOD)), soft_wrap=True)
    detail = error.besides if isinstance(error, ManyProblems) else error.detail
    if detail:
        err.print(_labelled("DETAIL", detail))
    if error.hint:
        err.print(_labelled("HINT", error.hint))


def error_as_json(error: PgtendError) -> Json:
    """Say an error to a program."""
    return {
        "error": {
            "code": error.code,
            "family": family_of(error).__name__,
            "message": error.message,
            "detail": error.detail.strip(),
            "hint": error.hint,
        }
    }


def _labelled(label: str, text: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style=QUIET, min_width=6)
    grid.add_column(overflow="fold")
    grid.add_row(f"{label}", Text(text.strip()))
    return grid
