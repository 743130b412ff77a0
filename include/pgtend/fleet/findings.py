"""What is wrong in a fleet file, before it is put into words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, other places that are unusable because of it, and places it takes for right."""

    path: Path
    what: str
    hint: str = ""
    line: int = 0
    also: tuple[Path, ...] = ()
    assumes: tuple[Path, ...] = ()

    @property
    def touches(self) -> tuple[Path, ...]:
        """List every place that this makes unusable."""
        return (self.path, *self.also)


def is_below(path: Path, other: Path) -> bool:
    """Tell whether a place is another one or lies inside it."""
    return path[: len(other)] == other


def say_path(path: Path) -> str:
    """Write a place as people do: databases.kgc.analyze.schedule."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{_quoted(step)}" for step in path).removeprefix(".")


def _quoted(step: str) -> str:
    return f"'{step}'" if "." in step else step
