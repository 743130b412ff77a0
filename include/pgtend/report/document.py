"""What a report is made of, before anybody decides how it looks: sections, tables, charts; the same in every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias

from pgtend.health.model import Level
from pgtend.health.units import Unit

Raw: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field of a table: what people read, and what programs do."""

    shown: str
    raw: Raw = None
    small: str = ""
    """A second line, less loud."""
    level: Level | None = None
    share: float | None = None
    """A bar of this length, from 0 to 1."""
    marks: tuple[float, ...] = ()
    """Places on that bar where limits are."""
    spark: tuple[float | None, ...] = ()
    code: str = ""
    """A statement, shown when somebody asks for it."""
    is_whole: bool = False
    """Whether it must not be broken into lines, such as a moment."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    key: str
    title: str
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells. Without a row it says why there is none."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One day of a chart."""

    day: date
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a day, shown on every chart."""

    day: date
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """How one number went."""

    key: str
    title: str
    unit: Unit
    steps: tuple[Step, ...]
    empty: str
    warning: float | None = None
    critical: float | None = None
    marks: tuple[Mark, ...] = ()
    is_bars: bool = False
    ceiling: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One question that a report answers."""

    key: str
    title: str
    lead: str = ""
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is said about one database, or about the whole fleet."""

    name: str
    """`kgc`, or `fleet`."""
    title: str
    fleet: str
    environment: str
    owner: str
    made_at: datetime
    level: Level
    verdict: str
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple[tuple[str, str], ...])
    sections: tuple[Section, ...] = ()


def text(shown: str, small: str = "") -> Cell:
    """Make a cell of words."""
    return Cell(shown=shown, raw=shown, small=small)


def number(value: float | None, unit: Unit, small: str = "") -> Cell:
    """Make a cell of a number; one that nobody knows is a dash."""
    return Cell(shown="\N{EN DASH}" if value is None else unit.say(value), raw=value, small=small)


def moment(at: datetime | None, small: str = "") -> Cell:
    """Make a cell of a moment in UTC."""
    shown = "\N{EN DASH}" if at is None else f"{at:%Y-%m-%d %H:%M}"
    return Cell(shown=shown, raw=at.isoformat() if at else None, small=small, is_whole=True)


def leveled(level: Level, shown: str = "") -> Cell:
    """Make a cell of a level."""
    return Cell(shown=shown or level.value, raw=shown or level.value, level=level)
