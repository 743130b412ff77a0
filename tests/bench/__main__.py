"""Runs all benches or the named ones, prints what they found, and writes docs/explanation/performance.md when asked."""

from __future__ import annotations

import argparse
import importlib
import time

from rich import box
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table as Grid

from bench.figures import Section
from bench.page import renew_chapters, write_page

LONG = ("race", "extremes", "memory", "killed", "archive_kills", "index_advice", "index_fleet", "index_kills",
    "index_sizes", "health",
)  # fmt: skip
"""Proofs that take many minutes: they run when they are named."""
BENCHES = (
    "vault", "backup", "drill", "ledger", "planner", "indexes", "statements", "archive", "archive_sizes",
    "postgres", "fleet", "dag_files", "face",
)  # fmt: skip


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    known = ", ".join(BENCHES + LONG)
    parser.add_argument("only", nargs="*", metavar="bench", help=f"any of {known}; none means all but the long ones")
    parser.add_argument("--write", action="store_true", help="write the page, or the named chapters of it")
    wanted = parser.parse_args()
    unknown = sorted(set(wanted.only) - {*BENCHES, *LONG})
    if unknown:
        parser.error(f"there is no bench {', '.join(unknown)}; there are {known}")
    console = Console(highlight=False)
    began = time.monotonic()
    sections = [run(console, name) for name in wanted.only or BENCHES]
    console.print(f"All of it took {time.monotonic() - began:.0f} s.")
    if wanted.write:
        console.print(f"Written: {renew_chapters(sections) if wanted.only else write_page(sections)}")


def run(console: Console, name: str) -> Section:
    """Measure one room and show it."""
    console.rule(name, style="dim", align="left")
    section: Section = importlib.import_module(f"bench.{name}").measure()
    console.print(Markdown(section.measured), end="\n\n")
    for table in section.tables:
        grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, column in enumerate(table.columns):
            grid.add_column(column, justify="left" if number < table.words else "right")
        for row in table.rows:
            grid.add_row(*row)
        console.print(grid)
    for remark in section.remarks:
        console.print(Markdown(f"- {remark}"))
    console.print()
    return section


if __name__ == "__main__":
    main()
