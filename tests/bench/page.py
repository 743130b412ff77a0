"""Writes the figures of one run into docs/explanation/performance.md, between two marks."""

from __future__ import annotations

import os
import platform
import re
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from bed.clusters import MAJORS, tools_of
from bench.figures import Section, Table, prose
from pgtend.postgres.command import Command
from pgtend.postgres.process import run

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- figures of one run: begin -->", "<!-- figures of one run: end -->"
PACKAGES = ("apache-airflow", "psycopg", "boto3", "pydantic", "ministack", "swift")
LOAD_BEFORE = os.getloadavg()
"""How busy the machine was before anything was measured."""


def write_page(sections: Sequence[Section]) -> Path:
    """Put new figures in the place of the old ones; the words around them stay."""
    text = PAGE.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    assert found, f"{PAGE} has lost its marks"
    figures = "\n\n".join([folded(machine()), *(chapter(section) for section in sections)])
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", encoding="utf-8")
    return PAGE


def renew_chapters(sections: Sequence[Section]) -> Path:
    """Put the figures of some rooms in the place of their old ones; each says when and where it was measured."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    figures, _, after = rest.partition(END)
    parts = re.split(r"(?m)^(?=## )", figures.strip())
    chapters = {part.partition("\n")[0]: part.strip() for part in parts}
    for section in sections:
        title, _, body = chapter(section).partition("\n\n")
        chapters[title] = "\n\n".join([title, folded(f"By itself, not with the others. {machine()}"), body])
    PAGE.write_text("\n\n".join([before + BEGIN, *chapters.values(), END + after]), encoding="utf-8")
    return PAGE


def machine() -> str:
    """Say on what machine and with which versions this was measured, and how busy it was."""
    cores = len(os.sched_getaffinity(0))
    servers = ", ".join(_server_version(major) for major in MAJORS)
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    before, after = (" / ".join(f"{load:.1f}" for load in loads) for loads in (LOAD_BEFORE, os.getloadavg()))
    return prose(f"""
        Measured on {datetime.now(UTC):%Y-%m-%d} on {_processor()}, {cores} cores, {_memory()} of memory, Linux
        {platform.release()}, Python {platform.python_version()}. {servers}, {packages}. The load average over 1, 5
        and 15 minutes was {before} before and {after} after: where it was above 0 before, other work ran on the same
        cores{_precedence()}.
    """)


def chapter(section: Section) -> str:
    """Write one room's figures as Markdown."""
    remarks = "\n".join(folded(remark, "- ") for remark in section.remarks)
    parts = [f"## {section.title}", folded(section.measured), *map(grid, section.tables), remarks]
    return "\n\n".join(part for part in parts if part)


def folded(text: str, mark: str = "") -> str:
    """Fold a paragraph as the other pages are folded."""
    rest = " " * len(mark)
    return textwrap.fill(
        text, 120, initial_indent=mark, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def grid(table: Table) -> str:
    """Write a table as Markdown, numbers to the right."""
    lines = [table.columns, [*["---"] * table.words, *["---:"] * (len(table.columns) - table.words)], *table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _precedence() -> str:
    """Say when other work had to wait for the benches, and for the servers they started: `chrt -r 1 make bench`."""
    is_ahead = os.sched_getscheduler(0) in {os.SCHED_RR, os.SCHED_FIFO}
    return ", and had to wait: all of this ran at real-time priority" if is_ahead else ""


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GB"


def _server_version(major: int) -> str:
    asked = Command(argv=(tools_of(major).path("postgres"), "--version"))
    return "PostgreSQL " + run(asked, within=timedelta(seconds=10)).decode().split()[2]
