"""Writes fleet files for tests."""

from __future__ import annotations

from pathlib import Path

from pgtend.fleet.load import load_fleet, read_fleet
from pgtend.fleet.model import Fleet

SMALLEST = """
fleet: clinic
databases:
  kgc:
    connection: kgc
"""


def write(folder: Path, text: str) -> Path:
    """Write a fleet file into a folder."""
    path = folder / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str, *, known: set[str] | None = None) -> Fleet:
    """Read a fleet file that has nothing wrong with it."""
    return load_fleet(write(folder, text), known_connections=known)


def problems(folder: Path, text: str, *, known: set[str] | None = None) -> list[str]:
    """Read a fleet file and say what is wrong with it, as people see it."""
    return [str(problem) for problem in read_fleet(write(folder, text), known_connections=known).problems]
